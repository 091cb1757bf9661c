# Swap is on, and a server and its four children share 16 MiB of anonymous memory in a group of 8 MiB.
# A fault that brings a page back from swap charges it while it holds the lock of the swap cache's page. That order
# is the same on every design, 3.1 too: whoever else wants the page waits until the charge is through.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=8M A
cgexec -g memory:A server
