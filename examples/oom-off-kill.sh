# As oom-off.sh; then the task in the group is killed, and everybody else goes on.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgset -r memory.oom_control=1 A
cgexec -g memory:A taskset -c 1 attacker &
attacker=$!
sleep 1
victims &
sleep 5
kill -9 $attacker
sleep 1
cgget -r memory.usage_in_bytes -r memory.failcnt -r memory.oom_control A
