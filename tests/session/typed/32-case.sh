# args: start
case "$1" in
    start|restart)
        mkdir -p /sys/fs/cgroup/svc
        echo 16M > /sys/fs/cgroup/svc/memory.max
        cgexec -g memory:svc app && echo started
        ;;
    stop) rmdir /sys/fs/cgroup/svc ;;
    *) echo "usage: $0 start|stop"; exit 1 ;;
esac
