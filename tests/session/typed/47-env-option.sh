# env: LIMIT=16M
set -u
mkdir /sys/fs/cgroup/A
echo $LIMIT > /sys/fs/cgroup/A/memory.max
cat /sys/fs/cgroup/A/memory.max
