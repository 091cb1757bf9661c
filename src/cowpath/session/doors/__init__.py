"""Files that stand for a session: pods, compose files and units of systemd, each as the commands that it comes to."""
