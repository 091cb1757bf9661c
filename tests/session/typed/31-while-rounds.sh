mkdir /sys/fs/cgroup/A
N=$(nproc)
for i in $(seq 1 $((N * 2))); do
    taskset -c $(( (i - 1) % N )) cgexec -g memory:A app &
done
wait
echo "$N CPUs, $((N * 2)) jobs"
