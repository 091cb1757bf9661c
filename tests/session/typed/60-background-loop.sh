mkdir /sys/fs/cgroup/A
echo 8M > /sys/fs/cgroup/A/memory.high
(while true; do cgexec -g memory:A app; sleep 10ms; done) &
LOOP=$!
sleep 0.5
kill $LOOP
[ -d /sys/fs/cgroup/A ] && echo "A is there"
