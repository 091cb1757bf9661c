# A group of 4 MiB, full: anonymous memory (no swap), and in its page cache a template and an input, a page each.
# Its program writes to a private mapping of the template, over and over. The charge for the copy has to reclaim.
# In Linux 3.0 the template is locked by then, so the input goes. Way 1 charges before it looks the template up, so
# both go, and the fault has to read from disk what was in memory when it began.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=4M A
cgset -r memory.memsw.limit_in_bytes=4M A
cgexec -g memory:A editor
