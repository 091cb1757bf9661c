# A build in a group that is too small, with the OOM killer off, and an administrator who raises the limit after a while:
# the job goes on, and whoever was held up by it.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgset -r memory.oom_control=1 A
cd kernel_dir; cgexec -g memory:A make -j &
sleep 5
cgset -r memory.memsw.limit_in_bytes=2G A     # first: limit may not be above memsw
cgset -r memory.limit_in_bytes=2G A
wait
cgget -r memory.failcnt -r memory.max_usage_in_bytes A
