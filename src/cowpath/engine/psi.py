"""memory.pressure: how long tasks were held up for want of memory (kernel/sched/psi.c; eb414681d5a0, 4.20).

Nothing in the kernel keeps books for it: between two moves the state stands still, so what it is decides over the time
since the last one. Only in runs that read the file. A task is held up in a reclaim that a charge, memory.high or an
allocation makes (not in one that a write to a file makes), and in the sleep of memory.high; waits for pages that
reclaim has taken too early are not known here, nor are such pages.
"""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.block import JIFFY_NS
from cowpath.kernel.books import PSI_AVERAGES
from cowpath.kernel.compiled import compiled

PSI_FREQ_NS = 2_000_000_000
FIXED_1 = 2048
EXPS = (1677, 1981, 2034)  # 1/exp(2s/10s), (2s/60s), (2s/300s)
SOME, FULL, NONIDLE = 0, 1, 2


@compiled
def in_memstall(k, t):
    """The task is held up for want of memory (psi_memstall_enter)."""
    task = k.state.tasks[t]
    if task.run_state == n.T_SLEEPING and task.wait_kind == n.W_THROTTLE:
        return True
    if task.kthread != n.KT_NONE:
        return False
    for d in range(1, task.depth):
        if task.frames[d].path == s.P_RECLAIM and task.frames[d - 1].path != s.P_CG_SET:
            return True
    return False


@compiled
def look(k):
    """Which CPUs have, of each group and those below, a task that is held up, one that could run, one that waits."""
    for g in range(k.state.n_groups):
        psi = k.books.psi[g]
        psi.stalled = psi.working = psi.waiting = 0
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        if task.run_state != n.T_RUNNABLE and task.run_state != n.T_SLEEPING:
            continue
        stalled = in_memstall(k, t)
        working = task.run_state == n.T_RUNNABLE and not stalled
        waiting = task.wait_kind == n.W_PAGE_LOCK or task.wait_kind == n.W_WRITEBACK or task.wait_kind == n.W_CONGESTED
        waiting = task.run_state == n.T_SLEEPING and waiting
        if not stalled and not working and not waiting:
            continue
        bit = 1 << task.cpu
        g = task.group
        while g != n.NONE:
            psi = k.books.psi[g]
            psi.stalled |= bit if stalled else 0
            psi.working |= bit if working else 0
            psi.waiting |= bit if waiting else 0
            g = k.state.groups[g].parent


@compiled
def record_times(k, ns):
    """The state has been so for so long."""
    for g in range(k.state.n_groups):
        psi = k.books.psi[g]
        for c in range(k.state.n_cpus):
            stalled = (psi.stalled >> c) & 1
            working = (psi.working >> c) & 1
            if stalled:
                psi.times[3 * c + SOME] += ns
            if stalled and not working:
                psi.times[3 * c + FULL] += ns
            if stalled or working or (psi.waiting >> c) & 1:
                psi.times[3 * c + NONIDLE] += ns


@compiled
def collect_percpu_times(k, g):
    """Times of all CPUs together, each by how busy it was with the group; ns."""
    psi = k.books.psi[g]
    whole = 0
    for c in range(k.state.n_cpus):
        whole += psi.times[3 * c + NONIDLE] // JIFFY_NS
    for which in range(2):
        total = 0
        for c in range(k.state.n_cpus):
            total += psi.times[3 * c + which] * (psi.times[3 * c + NONIDLE] // JIFFY_NS)
        psi.total[which] += total // max(whole, 1)
    if whole > 0:  # what is less than a jiffy is kept
        for i in range(len(psi.times)):
            psi.times[i] = 0


@compiled
def calc_load(load, exp, active):
    """A sliding average, one period on."""
    new = load * exp + active * (FIXED_1 - exp)
    if active >= load:
        new += FIXED_1 - 1
    return new // FIXED_1


@compiled
def update_averages(k, g):
    """Two seconds are over."""
    psi = k.books.psi[g]
    for which in range(2):
        sample = min(psi.total[which] - psi.avg_total[which], PSI_FREQ_NS)
        psi.avg_total[which] += sample
        percent = sample * 100 // PSI_FREQ_NS * FIXED_1
        for i in range(PSI_AVERAGES):
            at = PSI_AVERAGES * which + i
            psi.avg[at] = calc_load(psi.avg[at], EXPS[i], percent)


@compiled
def psi_settle(k, now):
    """The time up to now: nothing has changed since the last move."""
    if now <= k.books.psi_at:
        return
    look(k)
    while k.books.psi_at < now:
        until = min(now, k.books.psi_next)
        record_times(k, until - k.books.psi_at)
        k.books.psi_at = until
        if until == k.books.psi_next:
            k.books.psi_next += PSI_FREQ_NS
            for g in range(k.state.n_groups):
                collect_percpu_times(k, g)
                update_averages(k, g)


@compiled
def psi_collect(k):
    """Somebody is about to read the file."""
    for g in range(k.state.n_groups):
        collect_percpu_times(k, g)
