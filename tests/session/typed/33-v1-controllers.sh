# design: linux-4.19
sudo cgcreate -g cpu,memory:/build
sudo cgset -r memory.limit_in_bytes=$((16 * 1024 * 1024)) build
sudo cgexec -g memory:build make -j4 2>&1 | tee build.log
cat /sys/fs/cgroup/memory/build/memory.limit_in_bytes
sudo cgdelete -r cpu,memory:/build
