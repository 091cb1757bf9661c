# A service of a group is 50 % over its memory.high, and nothing that it has can be reclaimed. It reads 1 MiB of a cold file
# with one call. Outside every group one task reads the same file, and another has it mapped. Who of them waits, and for what?
# (A scenario that was measured on Linux 6.1, 6.12, 6.18 and 7.2: docs/today.md. It is for the simulated machine.)

mkdir /sys/fs/cgroup/A
cd /sys/fs/cgroup/A
cgexec -g memory:A taskset -c 0 service &
sleep 1                                     # it has its 12 MiB by now
echo 8M > memory.high
sleep 3.7                                   # it has been in its read for 2.7 s, or in the open before it
taskset -c 1 backup &
taskset -c 1 viewer &
wait
cat memory.events memory.pressure
