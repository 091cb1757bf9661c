# As oom-off.sh; then an administrator raises the limit, and everybody goes on.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgset -r memory.oom_control=1 A
cgexec -g memory:A taskset -c 1 attacker &
sleep 1
victims &
sleep 5
cgset -r memory.memsw.limit_in_bytes=128M A
cgset -r memory.limit_in_bytes=128M A
sleep 1
cgget -r memory.usage_in_bytes -r memory.failcnt -r memory.oom_control A
