cat /proc/pressure/memory | cut -d ' ' -f 1
mkdir /sys/fs/cgroup/A
head -n 1 /sys/fs/cgroup/A/memory.pressure | awk '{print $1}'
