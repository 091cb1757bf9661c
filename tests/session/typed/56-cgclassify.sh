cgcreate -g memory:late
cgset -r memory.max=32M late
server & 
PID=$!
sleep 0.05
cgclassify -g memory:late $PID
cat /sys/fs/cgroup/late/cgroup.procs | wc -l
kill -9 $PID
