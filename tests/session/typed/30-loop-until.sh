mkdir /sys/fs/cgroup/A
echo 32M > /sys/fs/cgroup/A/memory.max
cgexec -g memory:A server &
while [ $(cat /sys/fs/cgroup/A/memory.current) -lt 4000000 ]; do
    sleep 1ms
done
echo "it has 4 MB"
kill %1
