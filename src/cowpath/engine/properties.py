"""The properties that a design is checked for. Each is one small function, with its meaning in its docstring.

Of a state: the function answers the task, group or page that violates it, or OK; those from ``OF_EVERY_DESIGN`` to
``OF_STATES`` are asked for by name only: there are kernels, and cases, that are not meant to have them. Of the whole
graph of states (``checker.graph`` decides them): they are told apart by marks of each state, which ``marks`` makes.
"""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.compiled import compiled
from cowpath.kernel.generated import mutex_of, mutexes_of, rwsem_of, rwsems_of
from cowpath.kernel.hierarchy import is_below
from cowpath.kernel.pgtable import pte_of
from cowpath.kernel.state import EXPLORE

from .invariants_accounts import usage_adds_up
from .invariants_locks import frames_own_what_they_hold, page_locks_have_owners, step_of
from .invariants_pages import OK, references_add_up
from .invariants_tables import mappings_point_back
from .waitfor import alive, charging_frame, find_delay, memory_behind, waiting_frame

ISOLATION = 0
ACCOUNTING = 1
NO_LEAK = 2
NO_STALE_PAGE = 3
KILLABLE = 4
LOCK_ORDER = 5
NO_REREAD = 6
OF_EVERY_DESIGN = 7
NO_DELAY = 7
WITHIN_LIMIT = 8
DYING_EXEMPT = 9
OF_STATES = 10
NO_STUCK = 10
STARVATION = 11
PROGRESS = 12
NAMES = (
    "isolation", "accounting", "no-leak", "no-stale-page", "killable", "lock-order", "no-reread", "no-delay",
    "within-limit", "dying-exempt", "no-stuck", "starvation", "progress",
)  # fmt: skip

# marks of a state
GOAL = 0  # bits from here on: this task is in user mode, or waits for its own group's memory
SHORT = EXPLORE.tasks  # bits from here on: this group is out of memory, and its killer is on
OOM_LOCKED = SHORT + EXPLORE.groups  # bits from here on: this group's oom_lock is taken


@compiled
def owner_group(k, t):
    """The group that a task's memory is charged to: that of its mm's owner."""
    task = k.state.tasks[t]
    return task.group if task.mm == n.NONE else k.state.mms[task.mm].owner_group


@compiled
def isolation(k):
    """No task waits, through any chain of locks, for the memory of a group that its own memory is not charged to:
    for a charge that does not get through, or for one that is paid for with a sleep (memory.high).
    """
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        waits = task.run_state == n.T_SLEEPING and n.BLOCKS[task.wait_kind] != 0
        if not waits and (not alive(k, t) or waiting_frame(k, t) == n.NONE):
            continue
        g = memory_behind(k, t)
        if g != n.NONE and not is_below(k, owner_group(k, t), g):
            return t
    return OK


@compiled
def accounting(k):
    """A group's usage is the pages charged in its subtree + stock + charges in hand; memsw adds what is in swap."""
    at = usage_adds_up(k)
    if at != OK:
        return at
    for g in range(1, k.state.n_groups):
        want = k.state.groups[g].res.usage
        for slot in range(k.state.n_swaps):
            swap = k.state.swaps[slot]
            if (swap.count > 0 or swap.page) and swap.group > 0 and is_below(k, swap.group, g):
                want += 1
        if k.state.groups[g].memsw.usage != want:
            return g
    return OK


@compiled
def locked_mutex(k):
    """Of which file (address space, ...) a mutex is locked, or NONE."""
    for kind in range(n.WAIT_KINDS):
        for which in range(mutexes_of(k, kind)):
            if mutex_of(k, kind, which).owner != n.FREE:
                return which
    return n.NONE


@compiled
def locked_rwsem(k):
    """Of which file or address space an rwsem is held, or NONE."""
    for kind in range(n.WAIT_KINDS):
        for which in range(rwsems_of(k, kind)):
            sem = rwsem_of(k, kind, which)
            if sem.readers != 0 or sem.writer != n.NONE:
                return which
    return n.NONE


@compiled
def no_leak(k):
    """When no task is in the kernel, no lock is held, and a page's references and mappings are all there."""
    state = k.state
    for t in range(state.n_tasks):
        if state.tasks[t].depth > 0:
            return OK
    for p in range(state.n_pages):
        if state.pages[p].locked_by >= 0:
            return p
    at = locked_mutex(k)
    if at != n.NONE:
        return at
    at = locked_rwsem(k)
    if at != n.NONE:
        return at
    at = references_add_up(k)
    return at if at != OK else mappings_point_back(k)


@compiled
def no_stale_page(k):
    """Once truncate has returned, nothing maps a page beyond the end of the file, private copies not either.

    And nothing ever maps a page that is not up to date, or a copy of one.
    """
    for p in range(k.state.n_pages):
        if k.state.pages[p].mapcount > 0 and k.state.pages[p].bits & n.PG_UPTODATE == 0:
            return p
    for v in range(k.state.n_vmas):
        vma = k.state.vmas[v]
        if vma.mm == n.NONE or vma.end == 0 or vma.file == n.NONE:
            continue
        file = k.state.files[vma.file]
        if file.i_mutex.owner != n.FREE:  # it is being truncated
            continue
        entries = len(k.state.tables[0].pte)
        for i in range(k.state.n_tables):
            if k.state.tables[i].mm != vma.mm:
                continue
            for place in range(entries):
                vpn = k.state.tables[i].start + place
                beyond = vma.start <= vpn < vma.end and vma.pgoff + (vpn - vma.start) >= file.pages
                pte = pte_of(k, i * entries + place)
                if beyond and pte.bits & n.PTE_PRESENT:
                    return pte.page
    return OK


@compiled
def killable(k):
    """A task that has been killed never sleeps for a group's memory, nor behind a lock whose holder waits for it."""
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        if task.sigkill and task.run_state == n.T_SLEEPING and memory_behind(k, t) != n.NONE:
            return t
    return OK


@compiled
def locks_held(k, t, p):
    """What a task holds: bits of H_*; H_PAGE_LOCK only of pages other than ``p``, also those that it is to read."""
    held = 0
    for d in range(k.state.tasks[t].depth):
        f = k.state.tasks[t].frames[d]
        held |= f.held & n.H_LOCKS & ~n.H_PAGE_LOCK
        if f.held & n.H_PAGE_LOCK and f.page != p:
            held |= n.H_PAGE_LOCK
    for r in range(len(k.state.requests)):
        request = k.state.requests[r]
        if request.busy and not request.submitted and request.owner == t and not request.write and request.pages > 0:
            held |= n.H_PAGE_LOCK
    return held


@compiled
def not_before(step):
    """What must not be held by who takes this step: bits of H_*. Of other pages' locks ``lock_order`` knows more."""
    bits = 0
    for i in range(n.HOLD_KINDS):
        if s.TAKES[step] >> i & 1:
            bits |= n.NOT_BEFORE[i]
    return bits & ~n.H_PAGE_LOCK if s.TAKES[step] & n.H_PAGE_LOCK else bits


@compiled
def lock_order(k):
    """i_mutex, mmap_sem, invalidate_lock, page lock (mm/filemap.c): taken in this order, by who does not have it yet.

    A task that is about to take a lock, or sleeps for it, holds none that comes later (``Hold.order`` in the table of
    waits and locks). It lets go what it has.
    """
    at = page_locks_have_owners(k)
    if at == OK:
        at = frames_own_what_they_hold(k)
    if at != OK:
        return at
    for t in range(k.state.n_tasks):
        step = step_of(k, t) if alive(k, t) else n.NONE
        if step == n.NONE:
            continue
        f = k.state.tasks[t].frames[k.state.tasks[t].depth - 1]
        held = locks_held(k, t, n.NONE)
        if step == s.UNLOCK_PAGE and (f.page == n.NONE or k.state.pages[f.page].locked_by != t):
            return t
        if step == s.LOCK_PAGE and held & n.H_PAGE_LOCK and f.held & n.H_PAGE_LOCK:
            return t
        if step == s.LOCK_PAGE and f.held & n.H_PAGE_REF and locks_held(k, t, f.page) & n.H_PAGE_LOCK:
            return t
        if held & not_before(step):
            return t
    return OK


@compiled
def no_reread(k):
    """No task that pays for memory.high within a read or a fault reclaims a page that it is still to get there."""
    for t in range(k.state.n_tasks):
        if k.state.tasks[t].lost_own:
            return t
    return OK


@compiled
def no_delay(k):
    """No task waits for a lock whose holder, through any chain of locks, waits for the disk, pauses for dirty pages, or
    reclaims for a group.
    """
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        if task.run_state == n.T_SLEEPING and n.BLOCKS[task.wait_kind] and find_delay(k, t) != n.NONE:
            return t
    return OK


@compiled
def within_limit(k):
    """No group's usage is above its limit."""
    for g in range(1, k.state.n_groups):
        group = k.state.groups[g]
        if group.alive and group.res.usage > group.res.limit:
            return g
    return OK


@compiled
def dying_exempt(k):
    """No task that is being killed begins to reclaim for memory.high."""
    for t in range(k.state.n_tasks):
        if k.state.tasks[t].dying_paid:
            return t
    return OK


@compiled
def offender(k, which):
    """Who or what violates a property of states: the task, group, page, file or address space; or OK."""
    if which == ISOLATION:
        return isolation(k)
    if which == ACCOUNTING:
        return accounting(k)
    if which == NO_LEAK:
        return no_leak(k)
    if which == NO_STALE_PAGE:
        return no_stale_page(k)
    if which == KILLABLE:
        return killable(k)
    if which == NO_REREAD:
        return no_reread(k)
    if which == NO_DELAY:
        return no_delay(k)
    if which == WITHIN_LIMIT:
        return within_limit(k)
    if which == DYING_EXEMPT:
        return dying_exempt(k)
    return lock_order(k)


@compiled
def violated(k, wanted):
    """Which of the wanted properties of states (a bit each) this state violates."""
    found = 0
    for which in range(OF_STATES):
        if (wanted >> which) & 1 and offender(k, which) != OK:
            found |= 1 << which
    return found


@compiled
def marks(k):
    """What the properties of the whole graph need to know of a state: bits from GOAL and SHORT on."""
    found = 0
    for t in range(len(k.state.tasks)):
        if t >= k.state.n_tasks or not in_kernel_for_itself(k, t) or in_own_time(k, t):
            found |= 1 << (GOAL + t)
    for t in range(k.state.n_tasks):
        d = charging_frame(k, t) if alive(k, t) else n.NONE
        if d != n.NONE:
            g = k.state.tasks[t].frames[d].group
            if not k.state.groups[g].oom_kill_disable:
                found |= 1 << (SHORT + g)
        g = k.state.tasks[t].short_of  # its fault is tried again and again
        if g > 0 and alive(k, t) and not k.state.groups[g].oom_kill_disable:
            found |= 1 << (SHORT + g)
    for g in range(1, k.state.n_groups):
        if k.state.groups[g].oom_lock > 0:
            found |= 1 << (OOM_LOCKED + g)
    return found


@compiled
def in_kernel_for_itself(k, t):
    """A fault or a system call of a user's task has begun and not ended."""
    task = k.state.tasks[t]
    return alive(k, t) and task.depth > 0 and task.kthread == n.KT_NONE


@compiled
def in_own_time(k, t):
    """The task sleeps because it wants to, or waits for its own group's memory."""
    task = k.state.tasks[t]
    if task.run_state == n.T_SLEEPING and (task.wait_kind == n.W_CHILD or task.wait_kind == n.W_IDLE):
        return True
    g = memory_behind(k, t)
    return g != n.NONE and is_below(k, owner_group(k, t), g)
