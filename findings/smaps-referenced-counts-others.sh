#!/usr/bin/env bash
# Linux 6.18: "Referenced" in /proc/PID/smaps is not what that process has used. Beside the accessed bits of its page table it
# counts flags of the page, which all who map it share (smaps_account, fs/proc/task_mmu.c: folio_test_young,
# folio_test_referenced): a process that ends marks the pages of libc that it had used as referenced, for everybody. So a
# process that sleeps after 1 was written to its clear_refs "uses" some hundred pages of libc when a neighbour's `ls` has run.
# One would guess: 0 kB, as nothing of it has run. Fails if that changes. Needs only one's own processes.
set -euo pipefail
sleep 60 &
pid=$!
trap 'kill $pid' EXIT
sleep 0.3
referenced() { awk '/^Referenced/ { sum += $2 } END { print sum }' "/proc/$pid/smaps_rollup"; }
largest=0
for _ in 1 2 3 4 5; do
    echo 1 > "/proc/$pid/clear_refs"
    cleared=$(referenced)
    ls / > /dev/null
    sleep 0.1
    after=$(referenced)
    echo "a sleeping process: $cleared kB referenced after clear_refs, $after kB after somebody else's ls"
    [ "$after" -gt "$largest" ] && largest=$after
done
[ "$largest" -gt 100 ]
