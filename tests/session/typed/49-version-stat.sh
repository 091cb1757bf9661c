# cgroup: v1
# design: linux-4.19
if [ "$(stat -fc %T /sys/fs/cgroup/)" = "cgroup2fs" ]; then
    mkdir /sys/fs/cgroup/A
else
    mkdir /sys/fs/cgroup/memory/A && echo v1
fi
