mkdir /sys/fs/cgroup/A
echo 64M > /sys/fs/cgroup/A/memory.limit_in_bytes
cgset -r memory.oom_control=1 B
