mkdir /sys/fs/cgroup/web
echo 64M > /sys/fs/cgroup/wbe/memory.max
cgexec -g memory:webb app
