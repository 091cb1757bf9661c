timeout 0.5 server
echo "status $?"
timeout -s KILL 10 app && echo "app was faster"
timeout 5s fails || echo "fails: $?"
