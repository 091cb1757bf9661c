fails
echo $?
fails || echo "status $?"
(exit 4); echo $?
true; echo $?
mkdir /sys/fs/cgroup/A; mkdir /sys/fs/cgroup/A 2> /dev/null; [ $? -ne 0 ] && echo again
