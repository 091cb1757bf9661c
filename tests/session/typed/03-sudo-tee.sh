sudo mkdir -p /sys/fs/cgroup/web
echo "+memory" | sudo tee /sys/fs/cgroup/cgroup.subtree_control > /dev/null
echo 64M | sudo tee /sys/fs/cgroup/web/memory.max
echo $$ | sudo tee /sys/fs/cgroup/web/cgroup.procs > /dev/null
app
grep -c . /sys/fs/cgroup/web/cgroup.procs
