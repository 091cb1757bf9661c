mkdir /sys/fs/cgroup/job
echo 16M > /sys/fs/cgroup/job/memory.max
sudo sh -c 'echo $$ > /sys/fs/cgroup/job/cgroup.procs; exec hog' || echo "hog ended with $?"
grep oom_kill /sys/fs/cgroup/job/memory.events | head -1
