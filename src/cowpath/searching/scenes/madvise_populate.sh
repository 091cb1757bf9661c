# A group is 50 % over its memory.high, and one of its tasks populates 2 MiB by MADV_POPULATE_WRITE, while its other thread
# maps memory. Outside somebody reads its /proc/PID/cmdline.
# A line that ends in "# outside" is left out where it is asked how long the task takes when nobody helps it.
mkdir /sys/fs/cgroup/A
cgexec -g memory:A populator &
sleep 1
echo 8M > /sys/fs/cgroup/A/memory.high
ps &  # outside
wait
