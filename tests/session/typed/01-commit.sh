# The four commands of 2011, as they were.
# design: linux-3.0
cgcreate -g memory:A
cgset -r memory.limit_in_bytes=8M A
cgset -r memory.memsw.limit_in_bytes=8M A
cd kernel_dir; cgexec -g memory:A app
cgget -r memory.limit_in_bytes A
