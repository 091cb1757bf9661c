# Two builds side by side: A is far too small, B is large enough. Does A hold up B?

cgcreate -g memory:A
cgcreate -g memory:B
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgset -r memory.limit_in_bytes=1G B
cd kernel_dir
cgexec -g memory:A make -j &
cgexec -g memory:B make -j2
cgget -r memory.failcnt B
