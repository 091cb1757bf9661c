#!/usr/bin/env bash
# perf 6.1 (and others): the command that `perf record` starts does not get the environment that perf was started with. PATH
# begins with perf's own folders (/usr/lib/perf-core, and the folder of perf itself where it was started by its path:
# "/usr/bin/perf record" finds /usr/bin/python3 before the one of a virtual environment or of pyenv), and PREFIX,
# PERF_BUILDID_DIR and DEBUGINFOD_URLS are set. So another program may be recorded than would have run, and PREFIX decides
# where many a `make install` puts its files.
# One would guess: the command runs as it does without perf. Fails if that changes. Needs perf and an event that may be
# recorded (a software event of one's own processes: perf_event_paranoid of 2 or less, or root).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
perf=$(command -v perf)
cd "$work"
env -u PREFIX env | cut -d= -f1 | sort > before.names
env -u PREFIX "$perf" record -q -o data -e page-faults:u -- env > inside
cut -d= -f1 inside | sort > inside.names
echo "variables that were not there before:"
comm -13 before.names inside.names
echo "PATH before: $PATH"
grep ^PATH= inside
comm -13 before.names inside.names | grep -qx PREFIX
[ "$(grep ^PATH= inside)" != "PATH=$PATH" ]

# the same words, another program
mkdir bin
printf '#!/bin/sh\necho mine\n' > bin/ls
chmod +x bin/ls
without=$(PATH="$work/bin:$PATH" sh -c 'ls')
with=$(PATH="$work/bin:$PATH" "$perf" record -q -o data -e page-faults:u -- sh -c 'ls' | head -n 1)
echo "ls without perf: $without; under $perf record: $with"
[ "$without" = mine ] && [ "$with" != mine ]
