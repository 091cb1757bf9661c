docker run --rm -m 16m --memory-swap 16m alpine app && echo ok
docker run --rm -m 16m --memory-swap 16m --name big alpine hog
echo "exit code $?"
