podman run --rm --memory 24m --memory-reservation 8m --oom-score-adj 300 alpine app
podman run -d --name bg -m 24m alpine server
sleep 0.1
podman update -m 32m bg
podman stop bg
echo over
