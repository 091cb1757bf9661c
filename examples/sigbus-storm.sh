# A file is cut short under four programs that have it mapped and go on writing to it; they handle the SIGBUS.
# In Linux 3.0 a write beyond the end fails before any page was asked for. Way 1 (the commit) allocates and charges
# a page first, finds out that there is nothing to copy, and gives both back: at every one of these faults.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgexec -g memory:A storm
