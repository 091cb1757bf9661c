# design: linux-4.19
docker run -d --name db -m 8m --oom-kill-disable redis redis-server
sleep 0.1
cat /sys/fs/cgroup/memory/docker/db/memory.oom_control | head -n 1
cat /sys/fs/cgroup/memory/docker/db/memory.memsw.limit_in_bytes
docker kill db
