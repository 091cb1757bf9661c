# Seven tasks and a server's thread copy the same page of a library as fast as they can; the server's other thread
# maps memory every 100 us. Everybody charges without a wait, so what counts is how long each copy keeps the page locked.

cgcreate -g memory:A
cgexec -g memory:A neighbours &
cgexec -g memory:A server &
sleep 100ms
kill %1; kill %2
