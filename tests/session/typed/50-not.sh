mkdir /sys/fs/cgroup/A
if ! rmdir /sys/fs/cgroup/B 2>/dev/null; then echo "no B"; fi
! grep -q nosuchkey /sys/fs/cgroup/A/memory.events && echo "no such key"
grep -q '^oom_kill 0$' /sys/fs/cgroup/A/memory.events && echo "nobody was killed"
