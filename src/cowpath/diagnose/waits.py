"""One task: what it waits for, what it must hold, and for whose memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from cowpath.diagnose.release import Release
from cowpath.diagnose.tables import Holds, Tables, Taken, plain, tables
from cowpath.diagnose.task import HeldLock, Task

OVER_HIGH = {"mem_cgroup_handle_over_high", "__mem_cgroup_handle_over_high"}
ASLEEP_FOR_GOOD = ("S", "I", "T", "t", "Z", "X")  # interruptible, idle, stopped, gone: nobody waits for a lock so
ITS_OWN, THE_ONE_THAT_IS_SET = "its group", "the group whose limit it sets"  # where the log has no path
FOR_A_GROUP = ("OOM", "reclaim", "throttle", "charge", "limit")  # of what the table's [[memory]] says
ENDS = {  # waits of which no lock is at the end: what ends them has nothing to do with a group's memory
    "disk", "freezer", "RCU", "user lock", "user fault", "idle", "server", "dirty limit", "I/O throttle",
    "reclaim pacing",
}  # fmt: skip


@dataclass(frozen=True)
class Held:
    """A lock that a task holds, as its stack or lockdep says."""

    lock: str
    mode: str
    where: str
    certain: bool
    note: str = ""
    address: str = ""

    def __str__(self) -> str:
        return self.lock + (f" ({self.mode})" if self.mode else "")


@dataclass
class Judged:
    """What a task's stack says.

    ``waits_for``: a lock of the table, "memory: OOM", "memory: reclaim", "memory: throttle", "memory: charge", "memory:
    the host's", one of ``ENDS``, "nothing" (it runs) or "not known". ``inner``: for what it waits on the way, within
    reclaim. ``where`` is the function that told. ``group_memory``: it waits for the memory of a group.
    """

    task: Task
    waits_for: str = "not known"
    mode: str = ""
    where: str = ""
    inner: str = ""
    certain: bool = False
    group_memory: bool = False
    site: str = ""  # the function outside the memory controller that has asked
    asked: bool = False  # a reclaim that somebody asked for, or that a worker does: nobody lacks memory
    passing: bool = False  # it runs through a charge: every task does at times
    reenters: str = ""  # the function that reclaim has entered a second time
    teardown: str = ""
    held: list[Held] = field(default_factory=list)
    may_hold: list[Held] = field(default_factory=list)
    for_memory_of: str | None = None
    remote: bool = False  # it waits for the mmap lock of another process

    def holds(self, lock: str) -> list[Held]:
        """That lock, certain or possible."""
        return [held for held in (*self.held, *self.may_hold) if held.lock == lock]


def judge(task: Task, release: Release) -> Judged:
    """What the stack of a task says of it."""
    names = [plain(name) for name in task.names]
    told = Judged(task)
    at = wait_of(told, names, release)
    memory_of(told, names, at)
    hold(told, names, at, release)
    lockdep(told)
    return told


def wait_of(told: Judged, names: list[str], release: Release) -> int:
    """Find out what the task waits for; the place of the frame that says so, -1 where none does."""
    known = tables()
    at = 0
    while at < len(names) and names[at] in known.asleep:
        at += 1
    slept = at > 0
    kinds = []
    while at < len(names) and names[at] in known.primitive:
        kinds.append(known.primitive[names[at]])
        at += 1
    if at == len(names):
        if not names or kinds:
            told.waits_for = f"a lock ({kinds[-1]})" if kinds else "not known"
        return at - 1
    name = names[at]
    if "bit" in kinds:
        what = known.wait.get(name) or known.bit.get(name)
        if what is None:  # readers and writers of files have many names of their own
            what = next((known.bit[outer] for outer in names[at : at + 3] if outer in known.bit), None)
        set_wait(told, known, what or "a page: its lock, or its write-back", name, what is not None)
        return at
    if name in known.wait:
        set_wait(told, known, known.wait[name], name, True)
        if kinds or told.waits_for in ("mmap lock",):
            told.mode = mode_of(names[:at])
        last = last_alike(names, at, known)
        if known.wait[name] == "RCU" and known.primitive.get(next(iter(names[last + 1 :]), "")) == "rwsem":
            on_the_way(told, names, last + 1, release, known)  # percpu_down_write
        return last
    if "rwsem" in kinds or "mutex" in kinds:
        return locked(told, names, at, release, known)
    if "completion" in kinds:
        told.waits_for, told.where = "worker", name
        return at
    if told.task.state != "R" and name in known.innermost:
        set_wait(told, known, known.innermost[name], name, True)
        return at
    if told.task.state not in ("R", "S") and not slept and task_sleeps(told.task):
        taken = in_release(known.taken.get(name, []), release)
        if taken is not None and taken.alone:
            told.waits_for, told.mode, told.where, told.certain = taken.lock, taken.mode, name, False
            told.remote = taken.remote
            return at
    told.where = name
    if told.task.state == "R":
        told.waits_for, told.certain = "nothing", True
    elif told.task.state in ASLEEP_FOR_GOOD:
        told.waits_for = "idle"
    return at - 1


def task_sleeps(task: Task) -> bool:
    """Whether the report is one of tasks that sleep: no trap's, no running task's."""
    return task.kind in ("hung", "stack", "sysrq") and task.state not in ("R", "S")


def set_wait(told: Judged, known: Tables, what: str, name: str, certain: bool) -> None:
    """Note what is waited for."""
    told.waits_for, told.where, told.certain = known.same.get(what, what), name, certain
    if what == "page read":
        told.inner = "until the page is read"


def on_the_way(told: Judged, names: list[str], at: int, release: Release, known: Tables) -> None:
    """A percpu rwsem's writer waits for RCU before it waits for the readers."""
    while at < len(names) and names[at] in known.primitive:
        at += 1
    taken = in_release(known.taken.get(names[at], []), release) if at < len(names) else None
    if taken is not None:
        told.inner = f"on the way to {taken.lock}"


def last_alike(names: list[str], at: int, known: Tables) -> int:
    """The outermost of the frames that say the same: what it calls holds nothing of its own."""
    what = known.wait[names[at]]
    while at + 1 < len(names) and known.wait.get(names[at + 1]) == what:
        at += 1
    return at


def mode_of(inner: list[str]) -> str:
    """Read or write, from the names of the rwsem's functions."""
    for name in inner:
        if "read" in name:
            return "read"
        if "write" in name:
            return "write"
    return ""


def in_release(taken: list[Taken], release: Release) -> Taken | None:
    """The first that holds in that release."""
    for each in taken:
        if release.since(each.since) is not False and release.before(each.before) is not False:
            return each
    return None


def locked(told: Judged, names: list[str], at: int, release: Release, known: Tables) -> int:
    """An rwsem or a mutex: which one tells the function that takes it."""
    mode = mode_of(names[:at])
    name = names[at]
    of_name = known.taken.get(name, [])
    same_mode = [each for each in of_name if not mode or not each.mode or each.mode == mode]
    taken = in_release(same_mode, release) or in_release(of_name, release)
    told.where, told.mode = name, mode
    if taken is None:
        told.waits_for = f"a lock that {name} takes"
        return at
    told.waits_for, told.certain = taken.lock, True
    told.mode = mode or taken.mode
    told.remote = taken.remote
    return at


def memory_of(told: Judged, names: list[str], at: int) -> None:
    """Whether the task is at work for memory: the innermost frame says how, the outer ones for whom."""
    known = tables()
    places = [(place, known.memory[name]) for place, name in enumerate(names) if name in known.memory]
    if not places:
        return None
    kinds = [kind for _, kind in places]
    killing = "OOM" in kinds
    groups = [(place, kind) for place, kind in places if kind in FOR_A_GROUP]
    told.asked = "asked" in kinds and not any(kind in ("charge", "limit", "throttle") for kind in kinds)
    if not groups or told.asked:
        if "teardown" in kinds:
            told.teardown = next(names[place] for place, kind in places if kind == "teardown")
        elif "host" in kinds:
            beneath(told, "memory: the host's")
        elif told.asked:
            beneath(told, "memory: reclaim")
        return None
    place, kind = groups[0]
    if kind == "limit" and places[0] == groups[0] and told.waits_for in known.locks:
        return None  # another one sets a limit
    if kind == "limit":
        kind = "reclaim"
    outer = groups[-1][0]
    again = set(names[:place]) & set(names[outer + 1 :]) - set(known.asleep)
    if again and kind != "OOM":
        told.reenters = next(name for name in names if name in again)
    told.group_memory = True
    told.for_memory_of = THE_ONE_THAT_IS_SET if groups[-1][1] == "limit" else told.task.group or ITS_OWN
    told.site = next((name for name in names[outer + 1 :] if name not in known.memory), "")
    if kind == "charge" and not killing:
        told.passing = told.task.state == "R" or told.task.kind in ("warning", "oom")
        if told.waits_for in known.locks and at >= 0:  # a lock within the charge
            return beneath(told, "memory: charge")
    beneath(told, f"memory: {kind}")
    return None


def beneath(told: Judged, what: str) -> None:
    """The task waits for memory; what it waits for just now is on the way to that."""
    if told.waits_for not in ("not known", "nothing") and not told.waits_for.startswith("memory"):
        told.inner = told.waits_for
    told.waits_for, told.certain = what, True


def hold(told: Judged, names: list[str], at: int, release: Release) -> None:
    """The locks of the functions further out than the one that waits."""
    known = tables()
    for place in range(at + 1, len(names)):
        inner, outer = names[:place], names[place + 1 :]
        for holds in known.held.get(names[place], ()):
            since, before = release.since(holds.since), release.before(holds.before)
            if since is False or before is False or not fits(holds, inner, outer):
                continue
            sure = holds.certain and since is True and before is True and not holds.dropped.intersection(inner)
            add(told, Held(holds.lock, holds.mode, names[place], sure, holds.note))


def fits(holds: Holds, inner: list[str], outer: list[str]) -> bool:
    """Whether what stands further in and out is what a table's line asks for."""
    return (
        (not holds.next or (bool(inner) and inner[-1] in holds.next))
        and (not holds.over or not holds.over.isdisjoint(inner))
        and (not holds.under or not holds.under.isdisjoint(outer))
        and holds.unless_under.isdisjoint(outer)
    )


def add(told: Judged, held: Held) -> None:
    """A lock once: the certain, the stronger, the one with an address is kept."""
    for kept in (told.held, told.may_hold):
        for place, other in enumerate(kept):
            if other.lock == held.lock:
                if rank(held) <= rank(other):
                    return
                del kept[place]
                break
    (told.held if held.certain else told.may_hold).append(held)


def rank(held: Held) -> tuple[bool, bool, bool]:
    """Of two words on one lock the better one."""
    return held.certain, bool(held.address), held.mode == "write"


def lockdep(told: Judged) -> None:
    """What lockdep lists: certain, and with an address. The last one may be the one that is waited for."""
    task = told.task
    waited = task.asks
    if waited is None and task.kind != "lockdep" and task.held and told.waits_for == lock_of(task.held[-1]):
        waited = task.held[-1]
    if task.asks is not None and not task.frames:
        told.waits_for, told.where, told.certain = lock_of(task.asks) or task.asks.name, task.asks.at, True
    for lock in task.held:
        name = lock_of(lock)
        if name and lock is not waited:
            add(told, Held(name, "", lock.at, True, f"lockdep: {lock.name}", lock.address))


def lock_of(lock: HeldLock) -> str:
    """The table's name of a lock of lockdep's; "" for what is none (fs_reclaim); its own name if it is not known."""
    return next((name for part, name in tables().lockdep if part in lock.name), lock.name)
