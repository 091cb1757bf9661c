# The fork bomb on one CPU, the bystander on the other: only one of its tasks can run at a time, and the killer goes on.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgexec -g memory:A taskset -c 1 bomb &
sleep 10
cgget -r memory.failcnt -r memory.oom_control A
