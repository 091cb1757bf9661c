# A group without a page left, and a task in it writes beyond the end of a file; it would handle the SIGBUS.
# Way 1 wants a page before it looks: there is none, and a task of the group is killed for a fault that needed no memory.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=4M A
cgset -r memory.memsw.limit_in_bytes=4M A
cgexec -g memory:A full
