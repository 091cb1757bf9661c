mkdir /sys/fs/cgroup/s
echo 32M > /sys/fs/cgroup/s/memory.max
cgexec -g memory:s stress-ng --vm 2 --vm-bytes 16M --vm-keep --timeout 1s
awk '/^max / {print $2}' /sys/fs/cgroup/s/memory.events
cat /sys/fs/cgroup/s/memory.events | grep -E '^oom_kill '
