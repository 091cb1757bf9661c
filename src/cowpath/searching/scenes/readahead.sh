# A group is 50 % over its memory.high, and one of its tasks reads 1 MiB of a cold file in one call. Outside one reads the
# file page by page, one maps it, one truncates it.
# A line that ends in "# outside" is left out where it is asked how long the task takes when nobody helps it.
mkdir /sys/fs/cgroup/A
cgexec -g memory:A reader &
sleep 1
echo 8M > /sys/fs/cgroup/A/memory.high
other &  # outside
mapper &  # outside
truncater &  # outside
wait
