cgcreate -g memory:A
cgexec -g memory:A server
