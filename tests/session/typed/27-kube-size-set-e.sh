set -e
mkdir /sys/fs/cgroup/pod
echo 64Mi > /sys/fs/cgroup/pod/memory.max
echo "never here"
