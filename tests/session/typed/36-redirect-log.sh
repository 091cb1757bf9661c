mkdir /sys/fs/cgroup/A
exec_log=/tmp/run.log
cgexec -g memory:A app > $exec_log 2>&1
echo "finished" >> $exec_log
cat /sys/fs/cgroup/A/memory.events > /tmp/events
echo shown
