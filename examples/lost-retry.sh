# A log is written and synced again and again, a page of it; whoever writes into a page that is on its way to the disk
# waits for the disk with the page's lock held. A server in a full group copies that page now and then; its charge
# reclaims, which takes a while. Way 3 lets the page lock go for the charge, and by the time that it wants it back the
# log's writer has it. That second wait is a plain one, with mmap_sem held: the server's other thread, which maps
# memory, waits for the log's disk as well. Linux 3.0 drops mmap_sem before it waits, and tries again.

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=4M A
cgset -r memory.memsw.limit_in_bytes=4M A
logger &
syncer &
cgexec -g memory:A reader &
cgexec -g memory:A server &
sleep 500ms
kill %1; kill %2; kill %3; kill %4
