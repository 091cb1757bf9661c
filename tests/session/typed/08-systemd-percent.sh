systemd-run --scope -p MemoryMax=10% sh -c 'cat /sys/fs/cgroup/system.slice/run-1.scope/memory.max'
systemd-run --wait -p MemoryMax=1.5G app
