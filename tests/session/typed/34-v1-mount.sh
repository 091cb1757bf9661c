# design: linux-3.0
mount -t cgroup -o memory none /cgroup/memory
mkdir /cgroup/memory/0
echo 4M > /cgroup/memory/0/memory.limit_in_bytes
echo $$ > /cgroup/memory/0/tasks
app
cat /cgroup/memory/0/memory.limit_in_bytes
echo 4MB > /cgroup/memory/0/memory.limit_in_bytes
