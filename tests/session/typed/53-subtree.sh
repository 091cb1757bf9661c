cd /sys/fs/cgroup
mkdir -p parent/child
echo "+memory +pids" > cgroup.subtree_control
echo +memory > parent/cgroup.subtree_control
echo 32M > parent/memory.max
echo 16M > parent/child/memory.high
echo $$ > parent/child/cgroup.procs
app
cat parent/child/cgroup.controllers
echo $$ > /sys/fs/cgroup/cgroup.procs
rmdir parent/child parent
