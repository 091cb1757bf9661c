# Way 2 maps the new page before it is charged. Here the charge waits: the group is full and its OOM killer is off.
# Meanwhile somebody outside needs more memory than the machine has. The host's reclaim meets the group's new pages,
# mapped and charged to nobody, and swaps them out: swap space that no group pays for.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=8M A
cgset -r memory.memsw.limit_in_bytes=8M A
cgset -r memory.oom_control=1 A
cgexec -g memory:A keeper &
sleep 200ms
cgexec -g memory:A writers &
sleep 300ms
eater
cgget -r memory.memsw.usage_in_bytes A
cgset -r memory.memsw.limit_in_bytes=16M A
cgset -r memory.limit_in_bytes=16M A
