# args: 16M 3
LIMIT=${1:-64M}
ROUNDS=${2:-1}
[ $# -ge 1 ] || { echo "usage: $0 LIMIT [ROUNDS]"; exit 1; }
mkdir /sys/fs/cgroup/A
echo $LIMIT > /sys/fs/cgroup/A/memory.max
for i in $(seq $ROUNDS); do
    echo "round $i of $ROUNDS"
    cgexec -g memory:A app
done
cat /sys/fs/cgroup/A/memory.max
