if [ $# -lt 1 ]; then
    echo "usage: $(basename $0) LIMIT" >&2
    exit 2
fi
mkdir /sys/fs/cgroup/A
echo $1 > /sys/fs/cgroup/A/memory.max
