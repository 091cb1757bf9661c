for size in 2M 64M; do
    g=g_$size
    mkdir /sys/fs/cgroup/$g
    echo $size > /sys/fs/cgroup/$g/memory.max
    echo 0 > /sys/fs/cgroup/$g/memory.swap.max
    if cgexec -g memory:$g app; then
        echo "$size: enough"
    elif grep -q '^oom_kill [1-9]' /sys/fs/cgroup/$g/memory.events; then
        echo "$size: killed"
    else
        echo "$size: failed"
    fi
done
