sysctl -w vm.overcommit_memory=2
echo 2 > /proc/sys/vm/drop_caches
echo 1 > /proc/sys/vm/compact_memory
sysctl vm.swappiness=500
