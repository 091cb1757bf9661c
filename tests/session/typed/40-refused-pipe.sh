head -c 64M /dev/zero | tail
ps aux | grep app | awk '{print $2}' | xargs kill
