"""A picture of a small machine as it stands, with the names of its case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cowpath.engine import explore
from cowpath.kernel import names as n
from cowpath.kernel.generated import lock_row
from cowpath.kernel.steps import PATH_NAMES, TAKES
from cowpath.observe.scene import rows
from cowpath.observe.words import Chain

from .explain import CaseScene, hops_of
from .paint_pages import pages_of, requests_of
from .picture import CHARGES, GONE, RUNS, STANDS_BY, STAYS, WAITS, GroupState, LockState, Picture, Place, TaskState
from .space import Space


def paint(space: Space, scene: CaseScene) -> Picture:
    """The machine that this space explores. It is left as it was."""
    tasks = tasks_of(scene.k)
    space.drive(explore.HOLDER, 0)  # surveys who is in a charge that does not get through
    charging = [t for t in tasks if int(scene.k.books.tasks[t].charging) != n.NONE]
    chains = {t: hops_of(space, scene, t) for t in tasks if _sleeps(scene.k, t) or t in charging}
    return Picture(
        tasks=tuple(_task(scene, t, chains.get(t)) for t in tasks),
        pages=tuple(pages_of(scene)),
        locks=tuple(_locks(scene)),
        groups=tuple(_group(scene, number) for number in range(1, int(scene.k.state.n_groups))),
        requests=tuple(requests_of(scene)),
        chains=tuple(_worth_telling(scene, chains)),
    )


def tasks_of(k: Any) -> range:
    """The numbers of all tasks that there are or have been."""
    return range(int(k.state.n_tasks))


def _sleeps(k: Any, t: int) -> bool:
    return int(k.state.tasks[t].run_state) == n.T_SLEEPING


def _worth_telling(scene: CaseScene, chains: dict[int, Chain]) -> Iterator[Chain]:
    """The chains of those who wait for another one, or for memory; not what is the end of another of these."""
    kinds = {t: int(scene.k.state.tasks[t].wait_kind) if _sleeps(scene.k, t) else n.W_OOM for t in chains}
    told = [chains[t] for t, kind in kinds.items() if n.BLOCKS[kind]]
    for chain in told:
        longer = (other.hops for other in told if len(other.hops) > len(chain.hops))
        if not any(hops[-len(chain.hops) :] == chain.hops for hops in longer):
            yield chain


# --- tasks
def _task(scene: CaseScene, t: int, chain: Chain | None) -> TaskState:
    k = scene.k
    task = k.state.tasks[t]
    state = CHARGES if chain is not None and not _sleeps(k, t) else _state(scene, t)
    waits_for, by = _wait(chain) if chain is not None else ("", "")
    frames = [] if state == GONE else [task.frames[d] for d in range(int(task.depth))]
    return TaskState(
        name=scene.task(t),
        group="" if state == GONE or scene.group_of(t) <= 0 else scene.group(scene.group_of(t)),
        state=state,
        waits_for=waits_for,
        by=by,
        places=tuple(_place(k, f) for f in frames),
        does=_next_in_user_mode(scene, t) if state == RUNS and not frames else "",
        holds=tuple(words for f in frames for words in _holds(scene, f)),
        notes=() if state == GONE else tuple(_notes(task)),
    )


def _state(scene: CaseScene, t: int) -> str:
    task = scene.k.state.tasks[t]
    if int(task.run_state) not in (n.T_RUNNABLE, n.T_SLEEPING):
        return GONE
    if int(task.run_state) == n.T_SLEEPING:
        return WAITS
    op = scene.k.books.ops[int(task.pc)]
    parked = int(op.code) == n.OP_SLEEP and int(op.bits) & n.SLEEP_PARKED
    if not parked or int(task.depth) or int(task.sigkill):
        return RUNS
    begins = t < len(scene.case.players) and int(task.pc) == scene.case.players[t].go
    return STANDS_BY if begins else STAYS


def _wait(chain: Chain) -> tuple[str, str]:
    """What a task waits for, and who has it."""
    first = chain.hops[0]
    holder = chain.hops[1].who if len(chain.hops) > 1 else chain.deadlock
    return first.waits_for, f"{first.by} {holder}" if first.by else ""


def _place(k: Any, f: Any) -> Place:
    own_exit = int(f.unwinding) and int(k.books.paths[int(f.path)].has_on_error)
    undoing = n.STATUS_NAMES[int(f.unwinding)] if int(f.unwinding) else ""
    return Place(PATH_NAMES[int(f.path)], -1 if own_exit else int(f.pc), undoing)


def _next_in_user_mode(scene: CaseScene, t: int) -> str:
    """``touch lib page 0, to write``; what is no access to memory by the name of its instruction."""
    k = scene.k
    task = k.state.tasks[t]
    op = k.books.ops[int(task.pc)]
    if int(op.code) != n.OP_TOUCH or int(op.d) > 0:
        return n.OP_NAMES[int(op.code)]
    vpn = int(op.a) + int(task.progress) * int(op.c)
    return f"touch {_mapped_at(scene, int(task.mm), vpn)}, to {'write' if int(op.bits) & n.F_WRITE else 'read'}"


def _mapped_at(scene: CaseScene, mm: int, vpn: int) -> str:
    for vma in rows(scene.k.state.vmas):
        if int(vma.mm) == mm and int(vma.start) <= vpn < int(vma.end) and int(vma.file) != n.NONE:
            return f"{scene.file(int(vma.file))} page {int(vma.pgoff) + vpn - int(vma.start)}"
    return "anonymous memory"


def _holds(scene: CaseScene, f: Any) -> Iterator[str]:
    """``page lock (lib page 0)``: what a frame holds, and of what."""
    for i, hold in enumerate(n.HOLDS):
        if int(f.held) >> i & 1:
            yield f"{hold.name} ({scene.thing(hold.of, int(getattr(f, hold.which)))})" if hold.shown else hold.name


def _notes(task: Any) -> Iterator[str]:
    if int(task.sigkill):
        yield "SIGKILL is pending"
    if int(task.oom_victim) or int(task.memdie):
        yield "chosen by the OOM killer"
    if int(task.exiting):
        yield "exits"


# --- locks and groups
def _locks(scene: CaseScene) -> Iterator[LockState]:
    """The rwsems and the mutexes that are held or waited for."""
    for kind, wait in enumerate(n.WAITS):
        if wait.rwsem is None or wait.writes:
            continue
        for which, sem in enumerate(lock_row(scene.record, kind)):
            writer = int(sem.writer)
            holders = [f"{scene.task(t)} (to read)" for t in tasks_of(scene.k) if _reads(scene.k, t, kind, which)]
            holders += [f"{scene.task(writer)} (to write)"] if writer != n.NONE else []
            waiters = scene.queue(sem.waiters)
            if holders or waiters:
                yield LockState(f"{wait.rwsem.name} of {_whose(scene, wait.of, which)}", tuple(holders), waiters)
    for mutex in scene.mutexes():
        if mutex.owner != n.FREE or mutex.waiters:
            holders = [scene.task(mutex.owner)] if mutex.owner != n.FREE else []
            yield LockState(mutex.title, tuple(holders), mutex.waiters)


def _whose(scene: CaseScene, of: str, which: int) -> str:
    """Whose an rwsem is: who runs in the address space, or the file."""
    if of != "mm":
        return scene.thing(of, which)
    users = [scene.task(t) for t in tasks_of(scene.k) if int(scene.k.state.tasks[t].mm) == which]
    return " and ".join(users) or "an address space"


def _reads(k: Any, t: int, kind: int, which: int) -> bool:
    """The task has this rwsem to read, or has been given it and takes it with its next move."""
    task, of = k.state.tasks[t], n.WAITS[kind].of
    frames = [task.frames[d] for d in range(int(task.depth))]
    if any(int(getattr(f, of)) == which and int(f.held) & n.HOLD_OF_WAIT[kind] for f in frames):
        return True
    if not frames or not task.granted or int(getattr(frames[-1], of)) != which or int(frames[-1].unwinding):
        return False
    step = int(k.books.paths[int(frames[-1].path)].steps[int(frames[-1].pc)])
    return bool(int(TAKES[step]) & n.HOLD_OF_WAIT[kind])


def _group(scene: CaseScene, number: int) -> GroupState:
    group = scene.k.state.groups[number]
    limit, memsw_limit = int(group.res.limit), int(group.memsw.limit)
    other = memsw_limit != limit or scene.case.case.machine.swap > 0
    return GroupState(
        name=scene.group(number),
        usage=int(group.res.usage),
        limit=None if limit >= n.UNLIMITED else limit,
        memsw=int(group.memsw.usage),
        memsw_limit=memsw_limit if memsw_limit < n.UNLIMITED and other else None,
        killer=not int(group.oom_kill_disable),
        under_oom=bool(int(group.under_oom)),
        oom_lock=int(group.oom_lock),
        waiters=scene.queue(group.oom_waiters),
    )
