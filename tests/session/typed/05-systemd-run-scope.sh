systemd-run --scope -p MemoryMax=16M -p MemorySwapMax=0 app && echo fits
sudo systemd-run --scope --quiet -p MemoryMax=16M hog || echo "killed: $?"
