set -e
cgcreate -a root:root -g memory:batch
cgset -r memory.max=16M batch
cgexec -g memory:batch stress --vm 1 --vm-bytes 8M --vm-hang 0 --timeout 1
echo "stress is over"
