#!/usr/bin/env bash
# Linux 6.18 (and others): the task of a sched:sched_waking event need not have woken anybody. A timer, or a disk that has
# answered, wakes from an interrupt, and the event bears the name of the task that this came upon: a loop that never makes a
# system call "wakes" all that sleeps on its CPU. So wake-ups alone do not say who waited for whom. The event knows better
# (common_flags: TRACE_FLAG_HARDIRQ 0x08, TRACE_FLAG_SOFTIRQ 0x10), and though perf script has no field for that, a filter
# of perf record can ask for it.
# One would guess: the task is the waker. Fails if that changes. Needs perf, and root.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/job" << 'JOB'
(for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 0.02; done) &
end=$((SECONDS + 2))
while [ $SECONDS -lt $end ]; do :; done # the loop
wait
JOB
woken_by_the_loop() { # [FILTER]: sleeps that the loop ended
    taskset -c 0 perf record -q -o "$work/data" -c 1 -e sched:sched_waking ${1:+--filter "$1"} -- bash "$work/job"
    perf script -i "$work/data" -F comm,trace 2> /dev/null | grep -c '^ *bash .*comm=sleep' || true
}
all=$(woken_by_the_loop)
own=$(woken_by_the_loop '!(common_flags & 0x18)')
echo "a loop in a shell has woken $all of 10 sleeps; by itself, and not by an interrupt: $own"
[ "$all" -gt 0 ] && [ "$own" -eq 0 ]
