mkdir /sys/fs/cgroup/A
echo 32M > /sys/fs/cgroup/A/memory.max
MAX=$(cat /sys/fs/cgroup/A/memory.max)
BEFORE=$(cat /sys/fs/cgroup/A/memory.current)
cgexec -g memory:A app
AFTER=`cat /sys/fs/cgroup/A/memory.peak`
echo "limit: $MAX"
[ "$AFTER" -gt "$BEFORE" ] && echo "it has used some"
[ $AFTER -le $MAX ] && echo "and no more than the limit"
