# The commit's experiment with the group's OOM killer off: the job stops when its memory is used up.
# With the charge under the page lock, everybody stops who meets a page that one of its processes has locked.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgset -r memory.oom_control=1 A
cd kernel_dir; cgexec -g memory:A make -j &
sleep 10
cgget -r memory.failcnt -r memory.oom_control A
