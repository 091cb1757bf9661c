dd if=/var/log/big.log of=/dev/null bs=64k status=none
cat /var/log/big.log > /dev/null
echo read
