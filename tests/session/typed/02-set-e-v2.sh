#!/bin/bash
set -euo pipefail
CG=/sys/fs/cgroup/test
mkdir -p "$CG"
echo 32M > "$CG/memory.max"
echo 0 > $CG/memory.swap.max
cat $CG/memory.max $CG/memory.swap.max
rmdir "$CG"
