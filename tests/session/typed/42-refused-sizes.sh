systemd-run --scope -p MemoryMax=64Mi app
docker run -m 4m alpine app
docker run -m 64Mx alpine app
stress-ng --vm 1 --vm-bytes 64Q
dd if=/dev/zero of=/tmp/x bs=1X count=1
