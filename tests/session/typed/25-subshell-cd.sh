mkdir /sys/fs/cgroup/x
( cd /sys/fs/cgroup/x && echo 8M > memory.max && cat memory.max )
pwd
{ echo one; echo two; } > /dev/null
{ echo three; } 2>&1
