ulimit -n 65536
ulimit -c 0
ulimit -v unlimited
umask 022
app && echo ran
