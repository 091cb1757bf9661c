rmdir /sys/fs/cgroup/old 2>/dev/null || true
mkdir /sys/fs/cgroup/old 2> /dev/null
mkdir /sys/fs/cgroup/old 2>/dev/null || echo "it was there"
mkdir /sys/fs/cgroup/old
