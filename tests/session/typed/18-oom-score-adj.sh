mkdir /sys/fs/cgroup/A; echo 12M > /sys/fs/cgroup/A/memory.max
echo 0 > /sys/fs/cgroup/A/memory.swap.max
cgexec -g memory:A server &
P=$!
sleep 0.1
echo -1000 > /proc/$P/oom_score_adj
cgexec -g memory:A hog
echo "hog: $?"
choom -n 500 -- app
kill $P
