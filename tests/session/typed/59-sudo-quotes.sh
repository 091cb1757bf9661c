sudo mkdir /sys/fs/cgroup/q
sudo bash -c "echo 16M > /sys/fs/cgroup/q/memory.max"
sudo sh -c "cd /sys/fs/cgroup/q; for f in memory.max memory.high; do cat \$f; done"
sudo cgexec -g memory:q sh -c 'app && echo "in q"'
