# Swap is on; a server fills its group, and then is moved out of it. Its pages stay charged to the group, in memory and in
# swap. The group is filled up by somebody else, and its OOM killer is off. A page that the server, now outside, brings
# back from swap is charged to the group that it has left: it waits for that group's memory, with the page locked.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=8M A
cgset -r memory.memsw.limit_in_bytes=16M A
cgset -r memory.oom_control=1 A
cgexec -g memory:A mover &
mover=$!
sleep 200ms
echo $mover > /sys/fs/cgroup/memory/tasks
cgexec -g memory:A filler &
sleep 2s
