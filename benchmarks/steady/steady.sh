# Four tasks that map, write and unmap for ever, in a group that is a little too small for them: for as long as one likes.
cgcreate -g memory:A
cgset -r memory.limit_in_bytes=1M A
cgexec -g memory:A worker
