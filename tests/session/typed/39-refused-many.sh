set -e
ulimit -v 1000000
read LIMIT
trap "rmdir /sys/fs/cgroup/A" EXIT
mkdir /sys/fs/cgroup/A
date +%s > /sys/fs/cgroup/A/memory.max
free -m | grep Mem
docker run --cpus=2 -m 64m alpine app
systemd-run -p CPUQuota=20% app
