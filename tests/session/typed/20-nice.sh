nice -n 10 ionice -c 3 app
nohup nice app > /dev/null 2>&1 &
wait
time app
