"""memory.high (mm/memcontrol.c since 4.4): who charges over the mark owes pages, reclaims for them, and sleeps.

A charge by the counters only notes a debt (``task.over_high``). Two steps pay it: ``reclaim_high`` (b23afb93d317, 4.4)
takes pages from every group over its mark, and ``high_delay`` (0e4b01df8659, 5.4) sleeps, the longer the further the
group is over it. They make up the path ``exit_to_user``, which is taken on the way to user mode with nothing held. On
any other path, where a design may put them (right after ``charge`` since c9afe31ec443, 5.18), they act only once more
than one batch is owed, with all that the path holds; or, with policy ``high_delay_in_charge``, whatever is owed.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .block import JIFFY_NS, SECOND_NS
from .compiled import compiled
from .frames import R_HIGH, push
from .hierarchy import parent_of
from .kmem import drain_stocks
from .memcg_events import memcg_memory_event
from .policies import BY_NAME
from .wait import current, fatal_signal_pending, sleep_alone

HZ = SECOND_NS // JIFFY_NS
MEMCG_MAX_HIGH_DELAY = 2 * HZ  # jiffies
LEAST_DELAY = HZ // 100  # jiffies: a penalty up to here is none
PRECISION = 20  # bits behind the point of an overage (MEMCG_DELAY_PRECISION_SHIFT)
SCALING = 14  # bits (MEMCG_DELAY_SCALING_SHIFT): at twice the mark a batch costs 64 s
MOST_OVERAGE = 1 << 27  # 128 times the mark: far beyond the longest delay, and its square times HZ is a number
SWAP_CLUSTER_MAX = 32

WATCHES = BY_NAME["high_write"].number("watches")
ONCE = BY_NAME["high_write"].number("once")

RECLAIMING = 1  # phase of reclaim_high
SLEPT = 1  # phase of high_delay


# --- the debt ------------------------------------------------------------------------------------
@compiled
def note_over_high(k, t, g, pages):
    """The end of try_charge_memcg: if the group, or one that is charged as well, is over its mark now, the task owes
    what it has charged at once.
    """
    up = g
    while up != n.NONE:
        group = k.state.groups[up]
        if group.res.usage > group.high or (k.state.cgroup2 and group.swap_usage > group.swap_high):
            k.state.tasks[t].over_high += pages
            return
        up = parent_of(k, up)


@compiled
def owes(k, f, pages):
    """So many pages are to be paid for here: any on the way to user mode, elsewhere more than a batch (or any, too)."""
    at_once = f.path == s.P_EXIT_TO_USER or k.state.high_at_once
    return pages > (0 if at_once else k.books.charge_batch)


@compiled
def paid(k, t):
    """The task owes nothing any more."""
    task = k.state.tasks[t]
    task.over_high = 0
    task.high_reclaimed = 0
    task.high_retries = 0
    task.high_freed = 0


@compiled
def exit_to_user_mode(k, t):
    """resume_user_mode_work: the task settles before it goes on. A fatal signal comes before that."""
    if k.state.tasks[t].depth == 0 and not fatal_signal_pending(k, t) and k.books.paths[s.P_EXIT_TO_USER].length > 0:
        push(k, t, s.P_EXIT_TO_USER)


@compiled
def is_dying(task):
    """task_is_dying"""
    return task.sigkill != 0 or task.memdie != 0 or task.exiting != 0


@compiled
def is_exempt(k, t):
    """Who is to die does not pay (63fd327016fd, 6.8)."""
    return k.state.high_dying == 0 and is_dying(k.state.tasks[t])


# --- reclaim -------------------------------------------------------------------------------------
@compiled
def step_reclaim_high(k, t):
    """reclaim_high: a pass over the task's group and each one above it, if that is over its mark: as much as is owed,
    in later rounds (``high_delay`` comes back) a cluster.
    """
    f = current(k, t)
    task = k.state.tasks[t]
    if f.phase == RECLAIMING:
        if f.ret > 0:
            task.high_freed = 1
        f.group = parent_of(k, f.group)
    elif task.high_retries == 0 and not owes(k, f, task.over_high - task.high_reclaimed):
        return n.NEXT
    elif is_exempt(k, t):
        paid(k, t)
        return n.NEXT
    else:
        f.group = task.group if task.group > 0 else n.NONE
        if is_dying(task):
            task.dying_paid = 1
    while f.group != n.NONE and k.state.groups[f.group].res.usage <= k.state.groups[f.group].high:
        f.group = parent_of(k, f.group)
    if f.group == n.NONE:
        f.group = 0
        f.phase = 0
        task.high_reclaimed = task.over_high
        return n.NEXT
    memcg_memory_event(k, f.group, n.ME_HIGH)
    f.phase = RECLAIMING
    return n.CALL


@compiled
def call_reclaim_high(k, t, f):
    """try_to_free_mem_cgroup_pages"""
    task = k.state.tasks[t]
    below = push(k, t, s.P_RECLAIM)
    below.group = f.group
    below.arg = R_HIGH
    below.count = SWAP_CLUSTER_MAX
    if task.high_retries == 0:
        below.count = max(SWAP_CLUSTER_MAX, task.over_high - task.high_reclaimed)
    return n.NEXT


# --- the penalty ---------------------------------------------------------------------------------
@compiled
def calculate_overage(usage, high):
    """How far usage is over a mark, as a part of that; 20 bits behind the point."""
    if usage <= high:
        return 0
    return min(((usage - high) << PRECISION) // max(high, 1), MOST_OVERAGE)


@compiled
def mem_find_max_overage(k, g):
    """The group that is furthest over its mark, of this one and those above it (e26733e0d0ec, 5.6), and how far."""
    worst = g
    most = 0
    while g != n.NONE:
        overage = calculate_overage(k.state.groups[g].res.usage, k.state.groups[g].high)
        if overage > most:
            worst = g
            most = overage
        g = parent_of(k, g)
    return worst, most


@compiled
def swap_find_max_overage(k, g):
    """The same of what is in swap, over memory.swap.high (4b82ab4f28d2, 5.8)."""
    most = 0
    while g > 0:
        overage = calculate_overage(k.state.groups[g].swap_usage, k.state.groups[g].swap_high)
        if overage > 0:
            memcg_memory_event(k, g, n.ME_SWAP_HIGH)
        most = max(most, overage)
        g = parent_of(k, g)
    return most


@compiled
def calculate_high_delay(k, pages, overage):
    """The penalty for so many pages, in jiffies: 64 s times the square of the overage for each batch, 2 s at most."""
    penalty = (overage * overage * HZ >> PRECISION) >> SCALING
    penalty = min(penalty, MEMCG_MAX_HIGH_DELAY * k.books.charge_batch)  # that is enough for a single page
    return min(penalty * pages // k.books.charge_batch, MEMCG_MAX_HIGH_DELAY)


@compiled
def step_high_delay(k, t):
    """The rest of mem_cgroup_handle_over_high: no penalty, or back to ``reclaim_high``, the step before this one, while
    that frees something or retries are left (b3ff92916af3, 5.9), or a sleep. Only time and a fatal signal end it.
    """
    f = current(k, t)
    task = k.state.tasks[t]
    if f.phase == SLEPT:
        f.phase = 0
        return n.NEXT
    if not owes(k, f, task.over_high):
        return n.NEXT
    g, overage = mem_find_max_overage(k, task.group)
    penalty = calculate_high_delay(k, task.over_high, overage)
    if k.state.cgroup2:
        penalty += calculate_high_delay(k, task.over_high, swap_find_max_overage(k, task.group))
        penalty = min(penalty, MEMCG_MAX_HIGH_DELAY)
    if penalty > LEAST_DELAY and not is_exempt(k, t) and reclaims_again(k, f, task):
        f.pc -= 1
        return n.AGAIN
    paid(k, t)
    if penalty <= LEAST_DELAY or fatal_signal_pending(k, t):  # which schedule_timeout_killable sees at once
        return n.NEXT
    f.phase = SLEPT
    k.books.tasks[t].pause = penalty * JIFFY_NS
    return sleep_alone(k, t, n.W_THROTTLE, g, 1)


@compiled
def reclaims_again(k, f, task):
    """Another round of reclaim comes first: the step before this one is reclaim_high, and there is hope."""
    if f.pc == 0 or k.books.paths[f.path].steps[f.pc - 1] != s.RECLAIM_HIGH:
        return False
    if task.high_retries == 0:
        task.high_retries = 1 + k.books.reclaim_retries
    if task.high_freed:
        task.high_freed = 0
        return True
    if task.high_retries > 1:
        task.high_retries -= 1
        return True
    return False


# --- the file ------------------------------------------------------------------------------------
@compiled
def memory_high_write(k, t, f, g, high):
    """memory_high_write: set the mark, then reclaim down to it, until as many rounds as a charge's have been in vain
    (e82553c10b08, 5.11: the mark is set first). NEXT, always, or CALL.
    """
    group = k.state.groups[g]
    if f.phase == 0:
        group.high = high
        k.books.has_high = 1
        f.retries = k.books.reclaim_retries
        if group.res.usage > high and k.state.high_write != ONCE:
            drain_stocks(k, k.state.tasks[t].cpu, g)
    elif k.state.high_write == ONCE or (k.state.high_write == WATCHES and group.high != high):
        return n.NEXT
    elif f.ret == 0:
        f.retries -= 1
    if f.retries < 0 or group.res.usage <= high or fatal_signal_pending(k, t):
        return n.NEXT
    f.phase = 1
    f.group = g
    f.todo = R_HIGH
    f.count = max(SWAP_CLUSTER_MAX, group.res.usage - high)
    return n.CALL
