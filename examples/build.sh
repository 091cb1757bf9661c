# A recorded build in a group, two jobs at a time, as it was run on a real Linux 6.18: cowpath limit asks how much memory it needs.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=${LIMIT:-128M} A
cgset -r memory.memsw.limit_in_bytes=${LIMIT:-128M} A
cgexec -g memory:A make -j2
