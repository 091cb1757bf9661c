# A fork bomb in a small group, the OOM killer on; somebody outside only reads the same library's pages.
# In Linux 3.0 the killer kills once and never again. (A scenario that was measured on real kernels of 2011.)

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgexec -g memory:A bomb &
sleep 10
cgget -r memory.failcnt -r memory.oom_control A
