# The commit's experiment on a machine that has just booted: no file is in memory yet, not even the C library.
# So the group pays for shared pages that it is the first to read, and loses them again under its limit.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cd kernel_dir; cgexec -g memory:A make -j
