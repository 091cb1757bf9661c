# What the commit does not cure: the waiting task holds its own mmap_sem, a thread of it wants to map memory,
# and so whoever reads its files in /proc waits behind that thread, outside of the group or not.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgset -r memory.oom_control=1 A
cgexec -g memory:A taskset -c 1 attacker &
sleep 1
reader &
sleep 5
