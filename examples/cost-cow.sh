# The plain price of a copy-on-write fault: 20 rounds over 1024 pages that are in memory, nobody else around.
# Once outside every group and once in a group without a limit, as it was measured on real kernels of 2011.
# The order of the steps should not matter here; only way 3 has three steps more.

cgcreate -g memory:A
cow-loop
cgexec -g memory:A cow-loop
