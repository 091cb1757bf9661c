# high-readahead.sh, but that the service asks for a file of 8 MiB with posix_fadvise(WILLNEED), and goes on.

mkdir /sys/fs/cgroup/A
cd /sys/fs/cgroup/A
cgexec -g memory:A taskset -c 0 service &
sleep 1                                     # it has its 12 MiB by now
echo 8M > memory.high
sleep 3.7                                   # it has been in its call for 2.7 s, or in the open before it
taskset -c 1 backup &
taskset -c 1 viewer &
wait
cat memory.events memory.pressure
