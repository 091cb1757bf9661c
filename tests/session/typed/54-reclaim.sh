mkdir /sys/fs/cgroup/A
cgexec -g memory:A cat /var/log/big.log > /dev/null
echo 1M > /sys/fs/cgroup/A/memory.reclaim && echo reclaimed
echo "512K swappiness=0" > /sys/fs/cgroup/A/memory.reclaim || true
