# cgroup: v2
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    CG=/sys/fs/cgroup/A; FILE=memory.max
else
    CG=/sys/fs/cgroup/memory/A; FILE=memory.limit_in_bytes
fi
mkdir $CG
echo 16M > $CG/$FILE
cat $CG/$FILE
