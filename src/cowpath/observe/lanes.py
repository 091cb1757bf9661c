"""The log as lanes: what each task was doing, from when to when, and who stood in its way.

One compiled pass over each block of the log, with memory that does not grow with it: the pieces of a lane that are
shorter than a resolution are joined to one that shows what the task did most in it, and the resolution gets coarser
when there are too many.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.compiled import kept

Pieces = npt.NDArray[Any]  # of PIECE
Lives = npt.NDArray[Any]  # of LIFE
Holds = npt.NDArray[Any]  # of HOLD

RUNNING, CHARGING, PAGE_LOCK, OTHER_LOCK, MEMORY, THROTTLED, DISK, RUNNABLE, ASLEEP, DEAD = range(10)
STATES = (
    "running", "charging", "page_lock", "other_lock", "memory", "throttled", "io", "runnable", "asleep", "dead",
)  # fmt: skip
"""What a task does: runs; is at a charge that has met a limit (reclaims and tries again, on a CPU or waiting for one);
waits for a page lock, for another lock, for memory (in the OOM section); is throttled (it is over memory.high, and a
timer ends it); waits for the disk; could run; sleeps of its own will; has exited."""

FOR_OTHERS = (PAGE_LOCK, OTHER_LOCK, MEMORY, THROTTLED)
"""The states of a task that cannot go on for what others hold."""

# what a sleeping task does, by task.wait_kind
STATE_OF_WAIT = np.array(
    [THROTTLED if kind == n.W_THROTTLE else STATES.index(wait.colour) for kind, wait in enumerate(n.WAITS)]
)

KINDS = (
    n.EV_LOCK, n.EV_LOCK_WAIT, n.EV_WAIT, n.EV_WAKE, n.EV_CHARGE_FAIL, n.EV_CHARGE, n.EV_FORK, n.EV_EXEC, n.EV_EXIT,
    n.EV_GROUP, n.EV_SCHED, n.EV_LOCK_SENT,
)  # fmt: skip
"""The events that lanes are made from."""

NOTABLE = 1_000_000  # ns: a wait for locks or memory that is as long is told of
WAITS_FINER = 32  # waits are joined only where they are shorter than this part of the resolution

NOBODY, BY_DISK = -1, -2  # who holds what is waited for, if it is no task
NO_END = -1  # of a life that lasts beyond the run
NOTHING = -1  # of a piece: it waits for no one thing, or for an unknown page

PIECE = np.dtype(
    [
        ("begin", "i8"),
        ("end", "i8"),
        ("what", "i8"),  # place of a page (kernel.places); mm, file or group of another wait
        ("life", "i4"),
        ("by", "i4"),  # the life of who held it when the wait began, NOBODY or BY_DISK
        ("state", "i1"),
        ("kind", "i1"),  # W_*
        ("joined", "i1"),  # 1: of several, with the state that took most of the time
        ("open", "i1"),  # 1: the run has cut it off
    ],
    align=True,
)
LIFE = np.dtype(
    [
        ("begin", "i8"),
        ("end", "i8"),  # when it exited, or NO_END
        ("task", "i4"),  # its number in the machine
        ("comm", "i4"),  # its last name
        ("group", "i4"),  # its last group; NONE: a thread of the kernel
        ("ns", "i8", len(STATES)),
    ],
    align=True,
)
HOLD = np.dtype(
    [
        ("begin", "i8"),
        ("end", "i8"),
        ("what", "i8"),
        ("page", "i4"),
        ("life", "i4"),
        ("kind", "i1"),  # HOLD_*
        ("open", "i1"),
    ],
    align=True,
)
TASK = np.dtype(
    [
        ("since", "i8"),
        ("what", "i8"),
        ("lock", "i8"),  # the page whose lock it is about to wait for
        ("life", "i4"),
        ("by", "i4"),
        ("owner", "i4"),  # of that lock
        ("over", "i4"),  # the group whose limit its charge has met
        ("state", "i1"),
        ("kind", "i1"),
        ("charging", "i1"),
    ],
    align=True,
)


@kept
def close(tasks, lives, pieces, count, t, now):  # type: ignore[no-untyped-def]
    """End the piece that a task is in. Returns how many pieces there are."""
    task = tasks[t]
    if task.life < 0 or now <= task.since:
        return count
    charges = task.charging and (task.state == RUNNING or task.state == RUNNABLE)
    state = CHARGING if charges else task.state
    lives[task.life].ns[state] += now - task.since
    piece = pieces[count]
    piece.begin, piece.end, piece.life, piece.state = task.since, now, task.life, state
    piece.what, piece.by, piece.kind = task.what, task.by, task.kind
    piece.joined = piece.open = 0
    if charges:
        piece.what, piece.kind = task.over, n.W_MEMORY
    task.since = now
    return count + 1


@kept
def _enter(tasks, lives, pieces, count, t, now, state):  # type: ignore[no-untyped-def]
    """From now on a task does something else."""
    count = close(tasks, lives, pieces, count, t, now)
    task = tasks[t]
    task.since, task.state, task.kind, task.what, task.by = now, state, 0, NOTHING, NOBODY
    return count


@kept
def born(tasks, lives, n_lives, t, comm, group, now):  # type: ignore[no-untyped-def]
    """A task's number begins a new life."""
    life, task = lives[n_lives], tasks[t]
    life.begin, life.end, life.task, life.comm, life.group = now, NO_END, t, comm, group
    life.ns[:] = 0
    task.life, task.since, task.state, task.kind, task.charging = n_lives, now, RUNNABLE, 0, 0
    task.what, task.by, task.owner = NOTHING, NOBODY, NOBODY
    return n_lives + 1


@kept
def _asleep(tasks, event):  # type: ignore[no-untyped-def]
    """What a task that has just fallen asleep waits for, and who holds it."""
    task = tasks[event.task]
    task.kind, task.what = event.a, event.b
    owner = event.extra
    if event.a == n.W_PAGE_LOCK:
        task.what, owner = task.lock, task.owner
    if owner <= n.REQUEST_OWNER:
        task.by = BY_DISK
        if event.a == n.W_PAGE_LOCK:
            task.state = DISK
    elif owner >= 0:
        task.by = tasks[owner].life


@kept
def locker(kind, owner, step):  # type: ignore[no-untyped-def]
    """Who has held a page lock (HOLD_*), of an event that says so."""
    if kind == n.EV_LOCK_SENT:
        return n.HOLD_SWAP_READAHEAD if step == s.ADD_TO_SWAP_CACHE else n.HOLD_READAHEAD
    return n.HOLD_TASK if owner >= 0 else n.HOLD_DISK


@kept
def follow(events, tasks, running, lives, n_lives, pieces, holds):  # type: ignore[no-untyped-def]
    """One block of the log. Returns how many lives there are now, and how many pieces and holds have ended in it.

    There must be room for a life per fork, two pieces and a hold per event.
    ``tasks`` and ``running`` (the task on each CPU) carry the state from block to block.
    """
    count = n_holds = 0
    for event in events:
        kind, t, now = event.kind, event.task, event.time
        if kind == n.EV_SCHED:
            last = running[event.cpu]
            if last >= 0 and last != event.a and tasks[last].state == RUNNING:
                count = _enter(tasks, lives, pieces, count, last, now, RUNNABLE)
            running[event.cpu] = event.a
            if event.a >= 0 and tasks[event.a].state != RUNNING:
                count = _enter(tasks, lives, pieces, count, event.a, now, RUNNING)
        elif kind == n.EV_LOCK_WAIT:
            tasks[t].lock, tasks[t].owner = event.value, event.b
        elif kind == n.EV_WAIT:
            count = _enter(tasks, lives, pieces, count, t, now, STATE_OF_WAIT[event.a])
            _asleep(tasks, event)
        elif kind == n.EV_WAKE:
            count = _enter(tasks, lives, pieces, count, t, now, RUNNABLE)
        elif kind == n.EV_CHARGE_FAIL or kind == n.EV_CHARGE:
            failed = kind == n.EV_CHARGE_FAIL
            if tasks[t].charging != failed:
                count = close(tasks, lives, pieces, count, t, now)
                tasks[t].charging, tasks[t].over = failed, event.a
        elif kind == n.EV_FORK:
            count = close(tasks, lives, pieces, count, event.a, now)  # the last life of its number
            comm = lives[tasks[t].life].comm if event.b == n.NONE and t >= 0 else event.b
            group = lives[tasks[t].life].group if t >= 0 else 0
            n_lives = born(tasks, lives, n_lives, event.a, comm, group, now)
        elif kind == n.EV_EXEC:
            lives[tasks[t].life].comm = event.a
        elif kind == n.EV_GROUP:
            if event.b == n.NONE:
                lives[tasks[t].life].group = event.a
        elif kind == n.EV_EXIT:
            count = _enter(tasks, lives, pieces, count, t, now, DEAD)
            lives[tasks[t].life].end = now
            if running[event.cpu] == t:
                running[event.cpu] = n.NONE
        elif (kind == n.EV_LOCK or kind == n.EV_LOCK_SENT) and event.value > 0:
            hold = holds[n_holds]
            hold.kind = locker(kind, t, event.b)
            hold.begin, hold.end, hold.what, hold.page = now - event.value, now, event.extra, event.a
            hold.life, hold.open = tasks[t].life if t >= 0 else BY_DISK, 0
            n_holds += 1
    return n_lives, count, n_holds


@kept
def _prominent(piece, resolution):  # type: ignore[no-untyped-def]
    """A piece that stays as it is: the run has cut it off, or it is a wait for others that is long enough."""
    length = piece.end - piece.begin
    waits = PAGE_LOCK <= piece.state <= THROTTLED  # FOR_OTHERS
    return piece.open != 0 or (waits and length >= max(NOTABLE, resolution // WAITS_FINER))


@kept
def _write(out, kept, like, begin, end):  # type: ignore[no-untyped-def]
    """A piece of several, like the longest of them; it goes on with the last one, if that is another such one."""
    if kept:
        last = out[kept - 1]
        if last.joined and last.life == like.life and last.state == like.state and last.end == begin:
            last.end = end
            return kept
    out[kept] = like
    piece = out[kept]
    piece.begin, piece.end, piece.joined, piece.open = begin, end, 1, 0
    return kept + 1


@kept
def _join(pieces, order, resolution, out):  # type: ignore[no-untyped-def]
    """Gather neighbours until they are as long as the resolution. Returns how many pieces are left in ``out``."""
    spent = np.zeros(len(STATES), np.int64)  # by state, in what is gathered: ``count`` pieces of ``life``
    longest = np.zeros(len(STATES), np.int64)  # which of them, by state
    kept, life, count = 0, -1, 0
    begin = end = np.int64(0)
    for i in order:
        piece = pieces[i]
        stays = _prominent(piece, resolution)
        if count and (stays or piece.life != life or piece.begin != end or end - begin >= resolution):
            kept = _gathered(pieces, out, kept, begin, end, longest[np.argmax(spent)], count)
            count = 0
        if stays:
            out[kept] = piece
            kept += 1
            continue
        if not count:
            life, begin = piece.life, piece.begin
            spent[:] = 0
        state, length = piece.state, piece.end - piece.begin
        if spent[state] == 0 or length > pieces[longest[state]].end - pieces[longest[state]].begin:
            longest[state] = i
        spent[state] += length
        end = piece.end
        count += 1
    if count:
        kept = _gathered(pieces, out, kept, begin, end, longest[np.argmax(spent)], count)
    return kept


@kept
def _gathered(pieces, out, kept, begin, end, longest, count):  # type: ignore[no-untyped-def]
    """Write what was gathered, in the state that took most of its time: a piece that is alone as it is."""
    if count > 1:
        return _write(out, kept, pieces[longest], begin, end)
    out[kept] = pieces[longest]
    return kept + 1


def join(pieces: Pieces, most: int, resolution: int = 0) -> tuple[Pieces, int]:
    """At most so many pieces, sorted by life and time, and the resolution in ns that this took (0: all as they were).

    Neighbours are gathered until they are as long as that, and shown as one piece, in the state that took more time
    than any other. Waits for locks and for memory stay as they are down to a 32nd of it, and what the run has cut off
    does. There may be more pieces if there are more of these, or more lives.
    """
    order = np.lexsort((pieces["begin"], pieces["life"]))
    out = np.zeros(len(pieces), PIECE)
    if len(pieces) <= most:
        return pieces[order], resolution
    resolution = max(resolution, 1000)
    while True:
        kept = int(_join(pieces, order, resolution, out))
        if kept <= most or resolution > 1 << 50:
            return out[:kept].copy(), resolution
        resolution *= 2
