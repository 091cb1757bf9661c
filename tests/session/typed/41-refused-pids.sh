mkdir /sys/fs/cgroup/A
app &
echo $! > /tmp/pid
kill -9 $(cat /sys/fs/cgroup/A/cgroup.procs)
sudo -u nobody app
