# A smaller bomb (32 children) with the OOM killer off: every child goes to sleep where it ran out of memory.
# It runs on one CPU, the bystander has the other to itself.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgset -r memory.oom_control=1 A
cgexec -g memory:A taskset -c 1 bomb &
sleep 20
cgget -r memory.failcnt -r memory.oom_control A
