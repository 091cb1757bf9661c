# high-readahead.sh, but that the service reads the file as cat does, 128 KiB a call: it has nothing locked when it sleeps,
# and nobody outside waits.

mkdir /sys/fs/cgroup/A
cd /sys/fs/cgroup/A
cgexec -g memory:A taskset -c 0 service &
sleep 1                                     # it has its 12 MiB by now
echo 8M > memory.high
sleep 4.6                                   # it has read a little, and sleeps
taskset -c 1 backup &
taskset -c 1 viewer &
wait
cat memory.events memory.pressure
