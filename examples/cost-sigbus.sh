# The plain price of a fault that fails: writes beyond the end of a file, caught by a handler, nobody else around.
# Once outside every group and once in a group without a limit, as it was measured on real kernels of 2011.
# Way 1 has allocated and charged a page before it finds out that there is nothing to copy.

cgcreate -g memory:A
sigbus-loop
cgexec -g memory:A sigbus-loop
