# 64Mi is Kubernetes', not the kernel's.
mkdir /sys/fs/cgroup/pod
cd /sys/fs/cgroup/pod
echo 64Mi > memory.max
echo 64MB > memory.high
echo 1.5G > memory.low
cat memory.max memory.high memory.low
echo 0x4000000 > memory.max && cat memory.max
echo 65536k > memory.max && cat memory.max
