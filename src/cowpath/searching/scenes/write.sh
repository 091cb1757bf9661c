# A group is 50 % over its memory.high, and one of its tasks writes 4 MiB of a file in one call. Outside one writes another
# page of it.
# A line that ends in "# outside" is left out where it is asked how long the task takes when nobody helps it.
mkdir /sys/fs/cgroup/A
cgexec -g memory:A writer &
sleep 1
echo 8M > /sys/fs/cgroup/A/memory.high
other &  # outside
wait
