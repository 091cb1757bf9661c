"""The memory controller (mm/memcontrol.c of 3.0): counters, the per-CPU stock, charge and uncharge, limits.

Usage is counted in pages. Group 0 is the root: it has no limit and its pages are not counted, only listed.
What happens when a group is out of memory is in ``memcg_oom.py``.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .hierarchy import is_below, parent_of
from .lru import lru_add, lru_del
from .memcg_oom import OOM_KILL_PHASE, OOM_SLEPT_PHASE, enter_oom, leave_oom, oom_recover, out_of_memory
from .page_alloc import free_page
from .wait import current, emit, fatal_signal_pending, spend

CHARGE_BATCH = 32  # pages; include/linux/swap.h SWAP_CLUSTER_MAX, as 3.0's CHARGE_BATCH
RECLAIM_RETRIES = 5  # MEM_CGROUP_RECLAIM_RETRIES

# phases of the step `charge`; those of the OOM are in memcg_oom.py
FROM_STOCK = 0
TRY = 1
RECLAIMED = 2


@compiled
def made_progress(k, g):
    """A charge, an uncharge or an exit came about in this group: whoever waits for its memory may hope."""
    while g != n.NONE:
        k.books.groups[g].progress_at = k.books.now
        k.books.groups[g].rounds = 0
        g = parent_of(k, g)


@compiled
def res_charge(k, g, pages):
    """Raise res and memsw of the group and its ancestors, or nothing at all.

    Returns ``(over, memsw)``: NONE if it went well, else the group over its limit and whether that was memsw's.
    """
    spend(k, s.RES_CHARGE)
    up = g
    while up != n.NONE:
        group = k.state.groups[up]
        if group.res.usage + pages > group.res.limit:
            k.books.groups[up].failcnt += 1
            return up, 0
        up = parent_of(k, up)
    up = g
    while up != n.NONE:
        group = k.state.groups[up]
        if group.memsw.usage + pages > group.memsw.limit:
            k.books.groups[up].memsw_failcnt += 1
            return up, 1
        up = parent_of(k, up)
    up = g
    while up != n.NONE:
        group = k.state.groups[up]
        books = k.books.groups[up]
        group.res.usage += pages
        group.memsw.usage += pages
        books.max_usage = max(books.max_usage, group.res.usage)
        books.memsw_max_usage = max(books.memsw_max_usage, group.memsw.usage)
        emit(k, n.EV_USAGE, n.NONE, up, 0, group.res.usage, 0)
        up = parent_of(k, up)
    return n.NONE, 0


@compiled
def res_uncharge(k, g, pages):
    """Lower res and memsw of the group and its ancestors."""
    up = g
    while up != n.NONE:
        k.state.groups[up].res.usage -= pages
        k.state.groups[up].memsw.usage -= pages
        emit(k, n.EV_USAGE, n.NONE, up, 0, k.state.groups[up].res.usage, 0)
        up = parent_of(k, up)


@compiled
def drain_stock(k, c):
    """Give a CPU's stock back to its group's counter. Wakes nobody (3.0)."""
    cpu = k.state.cpus[c]
    if cpu.stock > 0:
        res_uncharge(k, cpu.stock_group, cpu.stock)
    cpu.stock = 0
    cpu.stock_group = 0
    cpu.drain = 0


@compiled
def refill_stock(k, c, g, pages):
    """Keep what a batch brought too much, for the next charge on this CPU."""
    cpu = k.state.cpus[c]
    if cpu.stock_group != g:
        drain_stock(k, c)
        cpu.stock_group = g
    cpu.stock += pages


@compiled
def drain_all_stock(k, c, root):
    """drain_all_stock_async: ask the other CPUs to drain what they keep for this subtree. Their workers do it later."""
    for other in range(k.state.n_cpus):
        cpu = k.state.cpus[other]
        if other != c and cpu.stock > 0 and not cpu.drain and is_below(k, cpu.stock_group, root):
            cpu.drain = 1
            k.books.drain_asked |= 1 << other


@compiled
def commit_charge(k, t, p, g, is_cache):
    """The page is the group's now (__mem_cgroup_commit_charge)."""
    page = k.state.pages[p]
    page.group = g
    books = k.books.groups[g]
    books.pgpgin += 1
    if is_cache:
        books.cache += 1
    else:
        page.bits |= n.PG_ANON
        books.rss += 1
    books.counters[n.C_CHARGES] += 1
    made_progress(k, g)
    if page.mapcount > 0:  # charged after it was mapped (way 2): only now does reclaim see it
        lru_add(k, p)


@compiled
def uncharge_page(k, p):
    """The page is nobody's any more. The caller calls ``uncharge_end`` when its series is over."""
    page = k.state.pages[p]
    g = page.group
    if g == n.NONE:
        return n.NONE
    books = k.books.groups[g]
    books.pgpgout += 1
    if page.bits & n.PG_ANON:
        books.rss -= 1
    else:
        books.cache -= 1
    page.group = n.NONE
    if g > 0:
        res_uncharge(k, g, 1)
        spend(k, s.UNCHARGE)
    return g


@compiled
def uncharge_end(k, g):
    """mem_cgroup_uncharge_end: a series of uncharges from this group is over; wake those who wait for its memory."""
    if g == n.NONE or g == 0:
        return
    made_progress(k, g)
    up = g
    while up != n.NONE:
        oom_recover(k, up)
        up = parent_of(k, up)


@compiled
def uncharge_lone(k, g):
    """An uncharge that is not part of a series (of an unmap, a truncation, an fadvise): 3.0 wakes nobody for it."""
    if g > 0:
        made_progress(k, g)


@compiled
def margin(k, g):
    """How many more pages the group may be charged (mem_cgroup_margin)."""
    group = k.state.groups[g]
    return min(group.res.limit - group.res.usage, group.memsw.limit - group.memsw.usage)


@compiled
def bypass(k, t, f):
    """A dying task's charge goes past the limit and is on nobody's account."""
    k.books.groups[k.state.tasks[t].group].counters[n.C_BYPASSED] += 1
    f.held |= n.H_CHARGE
    f.phase = 0
    drop_mapped_hold(k, f)
    return n.NEXT


@compiled
def is_cache_path(path):
    """What is charged on this path goes into the page cache."""
    return path == s.P_READAHEAD or path == s.P_WRITE


@compiled
def drop_mapped_hold(k, f):
    """Way 2: the page was mapped before it was charged; the reference kept for the charge goes."""
    if is_cache_path(f.path) or not f.done:
        return
    f.held &= ~(n.H_NEW_PAGE | n.H_CHARGE)
    f.done = 0
    page = k.state.pages[f.newpage]
    page.refs -= 1
    if page.refs == 0:  # unmapped meanwhile
        lru_del(k, f.newpage)
        g = uncharge_page(k, f.newpage)
        free_page(k, f.newpage)
        uncharge_lone(k, g)


@compiled
def finish_charge(k, t, f, g):
    """The counter has been raised: the page in hand is charged."""
    commit_charge(k, t, f.newpage, g, is_cache_path(f.path))
    f.held |= n.H_CHARGE
    f.phase = 0
    drop_mapped_hold(k, f)
    return n.NEXT


@compiled
def charge(k, t):
    """mem_cgroup_newpage_charge, mem_cgroup_cache_charge: __mem_cgroup_try_charge for the page in hand.

    Each phase is one atomic move: the stock, a try to raise the counters, what follows a reclaim pass (another path),
    the OOM section and what follows a sleep in it. It never fails (3.0: with ``oom`` set it loops).
    """
    f = current(k, t)
    task = k.state.tasks[t]
    if f.newpage == n.NONE:
        return n.NEXT  # write(2) found the page in the cache
    g = task.group
    if f.phase == OOM_KILL_PHASE or f.phase == OOM_SLEPT_PHASE:
        return after_oom(k, t, f)
    if f.phase == RECLAIMED:
        return after_reclaim(k, t, f)
    if g == 0:
        return finish_charge(k, t, f, 0)
    if f.phase == FROM_STOCK:
        if task.memdie or fatal_signal_pending(k, t):
            return bypass(k, t, f)
        if f.batch == 0:
            f.batch = CHARGE_BATCH
            f.retries = RECLAIM_RETRIES
            f.oomed = 0
        cpu = k.state.cpus[task.cpu]
        if cpu.stock_group == g and cpu.stock > 0:
            cpu.stock -= 1
            return finish_charge(k, t, f, g)
        f.phase = TRY
    elif fatal_signal_pending(k, t):
        return bypass(k, t, f)
    return try_charge(k, t, f, g)


@compiled
def try_charge(k, t, f, g):
    """mem_cgroup_do_charge: the counters, else reclaim."""
    over, memsw = res_charge(k, g, f.batch)
    if over == n.NONE:
        if f.batch > 1:
            refill_stock(k, k.state.tasks[t].cpu, g, f.batch - 1)
        return finish_charge(k, t, f, g)
    emit(k, n.EV_CHARGE_FAIL, t, over, memsw, k.books.groups[over].failcnt + k.books.groups[over].memsw_failcnt, 0)
    if f.batch > 1:  # no reclaim for the sake of a batch
        f.batch = 1
        f.phase = FROM_STOCK
        return n.AGAIN
    f.group = over
    f.phase = RECLAIMED
    return n.CALL


@compiled
def after_reclaim(k, t, f):
    """Reclaim has done what it could: try again, or go into the OOM section."""
    note_round(k, f.group)
    last = f.retries == 0
    if last:
        f.retries = RECLAIM_RETRIES
    if margin(k, f.group) >= 1 or f.ret > 0:
        f.phase = FROM_STOCK
        return n.AGAIN
    if last:
        return enter_oom(k, t, f)
    f.retries -= 1
    f.phase = TRY
    return n.AGAIN


@compiled
def note_round(k, g):
    """A try to charge this group (and those it is charged to) has come to nothing."""
    while g != n.NONE:
        k.books.groups[g].rounds += 1
        g = parent_of(k, g)


@compiled
def after_oom(k, t, f):
    """Kill if that was our part; leave the OOM section; die or try again."""
    if f.phase == OOM_KILL_PHASE:  # the section is held while the killer works
        out_of_memory(k, t, f.group)
        f.phase = OOM_SLEPT_PHASE
        return n.AGAIN
    leave_oom(k, t, f)
    if k.state.tasks[t].memdie or fatal_signal_pending(k, t):
        return bypass(k, t, f)
    k.books.groups[f.group].counters[n.C_OOM_ROUNDS] += 1
    f.phase = FROM_STOCK
    return n.YIELD  # schedule_timeout(1) without a task state set: a mere yield


@compiled
def undo_charge(k, t):
    """mem_cgroup_uncharge_page on an error exit."""
    f = current(k, t)
    g = uncharge_page(k, f.newpage)
    uncharge_lone(k, g)
    f.held &= ~n.H_CHARGE
    k.books.groups[k.state.tasks[t].group].counters[n.C_CHARGES_WASTED] += 1
