# The same build in a group without a limit: what everything costs when there is memory enough.

cgcreate -g memory:A
cd kernel_dir; cgexec -g memory:A make -j
cgget -r memory.max_usage_in_bytes A
