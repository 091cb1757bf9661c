sudo sysctl -w vm.swappiness=10
echo 60 | sudo tee /proc/sys/vm/swappiness
sysctl -q vm.swappiness=1
swapoff -a
echo 120 > /proc/sys/kernel/hung_task_timeout_secs
