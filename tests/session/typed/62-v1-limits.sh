# design: linux-4.19
D=/sys/fs/cgroup/memory/A
mkdir $D
echo 8388608 > $D/memory.limit_in_bytes
echo 4M > $D/memory.memsw.limit_in_bytes || echo "lower than the limit"
echo 0 > $D/memory.swappiness
cat $D/memory.limit_in_bytes $D/memory.swappiness
cgexec -g memory:A app
test $(cat $D/memory.failcnt) -eq 0 && echo "never full"
