# As oom-off.sh; then the OOM killer is turned on: it kills the task in the group, and everybody else goes on.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgset -r memory.oom_control=1 A
cgexec -g memory:A taskset -c 1 attacker &
sleep 1
victims &
sleep 5
echo 0 > /sys/fs/cgroup/memory/A/memory.oom_control
sleep 1
cat /sys/fs/cgroup/memory/A/memory.oom_control
