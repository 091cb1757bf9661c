"""The explorer's moves: who can move in a small machine, and what one move is.

A mover is a number: a task (0 ...), then the disk, the CPUs' workers, the timers of sleeping tasks, and the moves of
the outside that the case allows, each of which happens once at most. A move is one ``step()``; a pass of reclaim is
part of the move that calls for it, unless the machine is told otherwise (``books.whole_reclaim``).
"""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.block import next_request
from cowpath.kernel.compiled import apart, compiled, inlined
from cowpath.kernel.filemap import complete_io
from cowpath.kernel.frames import push
from cowpath.kernel.memcg_files import write_small
from cowpath.kernel.memcg_oom import memcg_oom_recover
from cowpath.kernel.signals import leave_queue, send_sigkill
from cowpath.kernel.state import EXPLORE, MOST_OUTSIDE
from cowpath.kernel.step import look_ahead, step
from cowpath.kernel.vmscan import run_drain_worker
from cowpath.kernel.wait import try_to_wake_up

from .coverage import note_move

TASKS = EXPLORE.tasks
DISK = TASKS
WORKERS = DISK + 1
TIMERS = WORKERS + EXPLORE.cpus
OUTSIDE = TIMERS + TASKS
MOVERS = OUTSIDE + MOST_OUTSIDE

# what a move of the outside does (books.outside[].what); a and b are its operands
DO_RAISE = 0  # group a: both limits become b pages
DO_KILL = 1  # task a
DO_KILLER = 2  # group a: memory.oom_control = b
DO_FAIL_READS = 3  # reads of file a fail from now on
DO_START = 4  # task a begins with what it does
DO_RECLAIM = 5  # task a, which has nothing else to do, reclaims from group b (0: for the whole machine)

RECLAIM_STEPS = 4096  # that one pass of reclaim may take at most: it ends long before


@compiled
def is_parked(k, t):
    """The task has come to a place where it stays: before its start by the outside, or when all is done."""
    task = k.state.tasks[t]
    if task.depth > 0 or task.sigkill:
        return False
    op = k.books.ops[task.pc]
    return op.code == n.OP_SLEEP and op.bits & n.SLEEP_PARKED != 0


@compiled
def can_move(k, mover):
    """Whether this mover can move now."""
    state = k.state
    if mover < DISK:
        return mover < state.n_tasks and state.tasks[mover].run_state == n.T_RUNNABLE and not is_parked(k, mover)
    if mover == DISK:
        return state.disk_busy != n.NONE or state.reads.head != n.NONE or state.writes.head != n.NONE
    if mover < TIMERS:
        return mover - WORKERS < state.n_cpus and state.cpus[mover - WORKERS].drain != 0
    if mover < OUTSIDE:
        t = mover - TIMERS
        sleeps = t < state.n_tasks and state.tasks[t].run_state == n.T_SLEEPING
        return sleeps and n.ENDS_BY_TIME[state.tasks[t].wait_kind] != 0
    which = mover - OUTSIDE
    return which < k.books.n_outside and (state.outside >> which) & 1 == 0 and outside_applies(k, which)


@inlined
def note_movers(k, movers, count, first, most):
    """Those of so many movers from ``first`` on that can move. Returns how many all are."""
    for mover in range(first, first + most):
        if can_move(k, mover):
            movers[count] = mover
            count += 1
    return count


@compiled
def who_moves(k, movers):
    """All who can move now, in the order of their numbers. Returns how many."""
    state = k.state
    count = note_movers(k, movers, 0, 0, state.n_tasks)
    count = note_movers(k, movers, count, DISK, 1)
    count = note_movers(k, movers, count, WORKERS, state.n_cpus)
    count = note_movers(k, movers, count, TIMERS, state.n_tasks)
    return note_movers(k, movers, count, OUTSIDE, k.books.n_outside)


@compiled
def outside_applies(k, which):
    """A move of the outside makes sense: the task to be killed lives."""
    move = k.books.outside[which]
    if move.what == DO_KILL:
        task = k.state.tasks[move.a]
        return (task.run_state == n.T_RUNNABLE or task.run_state == n.T_SLEEPING) and task.sigkill == 0
    return True


@compiled
def move(k, mover):
    """Make a move. What the machine has run out of, if anything, is in ``books.error``."""
    books = k.books
    books.spent = 0
    books.n_woken = 0
    books.drain_asked = 0
    books.disk.reads_in_a_row = 0
    for m in range(len(books.mm_table)):  # what was looked up last was so in another state
        books.mm_table[m] = n.NONE
        books.mm_vma[m] = n.NONE
    if mover < DISK:
        move_task(k, mover)
    elif mover == DISK:
        move_disk(k)
    elif mover < TIMERS:
        run_drain_worker(k, mover - WORKERS)
    elif mover < OUTSIDE:
        end_sleep(k, mover - TIMERS)
    else:
        move_outside(k, mover - OUTSIDE)
    forget_recency(k)


@apart
def one_step(k, t):
    """``step()``, once in all that is compiled for the explorer: it is inlined where it is called."""
    look_ahead(k, t)
    return step(k, t)


@compiled
def move_task(k, t):
    """A step of the task, and with it the pass of reclaim that it calls for."""
    task = k.state.tasks[t]
    k.books.moved |= 1 << t
    for _ in range(RECLAIM_STEPS):
        depth = task.depth
        f = task.frames[max(depth - 1, 0)]
        path, pc, unwinding = f.path, f.pc, f.unwinding
        status = one_step(k, t)
        if depth > 0:
            note_move(k, t, depth, path, pc, unwinding)
        if status == n.SLEEP or status == n.EXITED or task.depth == 0 or not k.books.whole_reclaim:
            return
        if task.frames[task.depth - 1].path != s.P_RECLAIM:
            return


@compiled
def move_disk(k):
    """The disk takes a request, or is done with the one that it has."""
    r = k.state.disk_busy
    if r == n.NONE:
        next_request(k)
        return
    k.state.disk_busy = n.NONE
    complete_io(k, r)


@compiled
def end_sleep(k, t):
    """The task's timer goes off."""
    leave_queue(k, t)
    try_to_wake_up(k, t)


@compiled
def move_outside(k, which):
    """Something that the case allows to happen at any time, once."""
    move = k.books.outside[which]
    k.state.outside |= 1 << which
    if move.what == DO_RAISE:
        group = k.state.groups[move.a]
        group.memsw.limit = move.b
        group.res.limit = move.b
        memcg_oom_recover(k, move.a)
    elif move.what == DO_KILL:
        send_sigkill(k, move.a)
    elif move.what == DO_KILLER:
        write_small(k, move.a, n.CG_OOM_CONTROL, move.b)
    elif move.what == DO_FAIL_READS:
        k.state.files[move.a].bad_first = 0
        k.state.files[move.a].bad_count = k.state.files[move.a].room
    elif move.what == DO_START:
        k.state.tasks[move.a].pc += 2  # past the place where it is parked
    elif move.what == DO_RECLAIM:
        k.state.tasks[move.a].pc += 1
        f = push(k, move.a, s.P_RECLAIM)
        f.group = move.b
        move_task(k, move.a)


@compiled
def forget_recency(k):
    """What reclaim remembers of how many pages it has scanned lately is no state here: it would never come back."""
    zone = k.state.zone
    zone.pages_scanned = 0
    for kind in range(2):
        zone.recent.scanned[kind] = 0
        zone.recent.rotated[kind] = 0
    for g in range(k.state.n_groups):
        recent = k.state.groups[g].recent
        for kind in range(2):
            recent.scanned[kind] = 0
            recent.rotated[kind] = 0
