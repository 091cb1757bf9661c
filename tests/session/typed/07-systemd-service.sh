sudo systemd-run --unit=batch --slice=batch.slice -p MemoryMax=32M -p OOMPolicy=kill server
sleep 0.2
cat /sys/fs/cgroup/batch.slice/batch.service/memory.max
sudo systemctl set-property --runtime batch MemoryMax=24M
cat /sys/fs/cgroup/batch.slice/batch.service/memory.max
systemctl stop batch
sleep 1
[ -d /sys/fs/cgroup/batch.slice/batch.service ] || echo gone
