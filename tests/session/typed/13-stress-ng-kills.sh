mkdir /sys/fs/cgroup/s
echo 8M > /sys/fs/cgroup/s/memory.max
echo 0 > /sys/fs/cgroup/s/memory.swap.max
cgexec -g memory:s stress-ng --vm 1 --vm-bytes 12M -t 200ms
KILLS=$(awk '$1 == "oom_kill" {print $2}' /sys/fs/cgroup/s/memory.events)
if [ "$KILLS" -gt 0 ]; then echo "there were kills"; fi
