"""Recording a real command: perf and a memory cgroup around it, and what both have to say afterwards."""
