mkdir -p /sys/fs/cgroup/disk && cd /sys/fs/cgroup/disk
echo 16M > memory.max
cgexec -g memory:disk dd if=/dev/zero of=/tmp/big bs=1M count=8 conv=fsync status=none
grep '^file ' memory.stat | wc -l
sync
echo 3 > /proc/sys/vm/drop_caches
cat memory.stat | awk '$1 == "file" {print $2}'
rm -f /tmp/big
