set -o errexit
cd /sys/fs/cgroup
mkdir app && cd app
echo 1 > memory.oom.group
echo 8M | tee memory.max memory.high
printf '%s' 0 > memory.swap.max
cgexec -g memory:app hog || { rc=$?; echo "rc $rc"; }
tail -n 1 memory.events | cut -d ' ' -f 1
