systemd-run --user --scope -p MemoryHigh=8M -p MemoryMax=12M -- app
echo done
