mkdir /sys/fs/cgroup/A
cgexec -g memory:A server &
sleep 0.1
kill -STOP $!
sleep 0.1
kill -CONT %1
kill -TERM $!
wait $!
echo "status $?"
