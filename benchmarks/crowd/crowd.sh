# Four thousand tasks that write a shared library's pages again and again, in a group that is too small for them.
cgcreate -g memory:A
cgset -r memory.limit_in_bytes=256M A
cgexec -g memory:A crowd
