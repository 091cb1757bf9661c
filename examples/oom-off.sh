# The OOM killer is off, the group is full, and a task in it writes to a page of a shared library.
# Twelve others outside then use that page, each in its own way. Who of them waits, and for what?
# (A scenario that was measured on real kernels of 2011.)

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgset -r memory.oom_control=1 A
cgexec -g memory:A taskset -c 1 attacker &
sleep 1
victims &
sleep 5
cgget -r memory.usage_in_bytes -r memory.failcnt -r memory.oom_control A
