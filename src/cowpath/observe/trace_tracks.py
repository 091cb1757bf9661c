"""The tracks of a trace: what each is called, whose child it is, and in which order they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cowpath.kernel import names as n
from cowpath.kernel.places import UNKNOWN
from cowpath.observe import lanes
from cowpath.observe.scene import Scene
from cowpath.observe.trace_file import Key, Name, Track

OUTSIDE = "outside every group"
LIMITS = (n.CG_LIMIT, n.CG_MEMSW_LIMIT, n.CG_MAX, n.CG_HIGH)  # that have a counter
FAILCNTS = (n.CG_FAILCNT, n.CG_MEMSW_FAILCNT)
SIZES = ("memory.usage_in_bytes", "memory.current", *(n.CG_FILES[file] for file in LIMITS))
REFUSED = "charges refused at memory.max"  # v2 has no file for it: in memory.events reclaim is counted
COUNTERS = (*SIZES, *(n.CG_FILES[file] for file in FAILCNTS), REFUSED)

TITLES = {
    "cpus": "CPUs",
    "pages": "page locks",
    "locks": "other locks",
    "quiet": "page locks that nobody waited for",
    "faults": "page faults",
    "reclaim": "reclaim",
    "memory": "waits for memory",
}
MUTEXES = {wait.name: wait.of for wait in n.WAITS if wait.mutex is not None}  # and whose they are
RWSEMS = {wait.rwsem.name: wait.of for wait in n.WAITS if wait.rwsem is not None}
OTHER_LOCKS = (*RWSEMS, *MUTEXES)
ROOTS = ("cpus", "group", "pages", "locks", "quiet")
IN_A_GROUP = ("counter", "reclaim", "memory", "task")


class Tracks:
    """Knows them by their keys: ("cpu", 0), ("task", its life), ("page", place in its file, page frame) and so on.

    ``waited`` has the ns for which tasks have waited for each lock.
    """

    def __init__(self, scene: Scene, lives: lanes.Lives, waited: Mapping[Key, int]) -> None:
        self._scene = scene
        self._lives = lives
        self._waited = waited

    def described(self, keys: Iterable[Key]) -> list[Track]:
        """These tracks and those above them: parents first, siblings in their order."""
        depths: dict[Key, int] = {}
        for key in keys:
            self._depth(key, depths)
        ordered = sorted(depths, key=lambda key: (depths[key], self._order(key)))
        return [Track(key, self.parent(key), self.name(key), self._unit(key)) for key in ordered]

    def _depth(self, key: Key, depths: dict[Key, int]) -> int:
        if key not in depths:
            above = self.parent(key)
            depths[key] = 0 if above is None else 1 + self._depth(above, depths)
        return depths[key]

    def parent(self, key: Key) -> Key | None:
        """The track above this one."""
        match key:
            case ("cpu", _):
                return ("cpus",)
            case ("task", life):
                return ("group", int(self._lives[life]["group"]))
            case ("faults", life):
                return ("task", life)
            case ("counter" | "reclaim" | "memory", group, *_):
                return ("group", group)
            case ("page", _, _):
                return ("pages",) if key in self._waited else ("quiet",)
            case (kind, _) if kind in OTHER_LOCKS:
                return ("locks",)
            case ("wait", lock, _):
                return tuple(lock)
            case _:
                return None

    def name(self, key: Name) -> str:
        """What a thing is called. Safe to show: names from outside have lost what they might do."""
        match key:
            case str():
                return key
            case ("cpu", cpu):
                return f"CPU {cpu}"
            case ("group", group):
                return self._group(group)
            case ("comm", comm):
                return self._scene.comm(comm)
            case ("task", life) | ("wait", _, life):
                return self._task(life)
            case ("counter", _, file):
                return str(file)
            case (kind, *_) if kind == "page" or kind in OTHER_LOCKS:
                return lock_name(self._scene, key)
            case _:
                return TITLES[key[0]]

    def _group(self, group: int) -> str:
        if group == n.NONE:
            return "kernel threads"
        return OUTSIDE if group == 0 else self._scene.group(group)

    def _task(self, life: int) -> str:
        if life < 0:
            return "the disk"
        return self._scene.label(int(self._lives[life]["comm"]), int(self._lives[life]["task"]))

    def _order(self, key: Key) -> tuple[int, ...]:
        """Where it stands among its siblings: locks by how long they were waited for, all else by number."""
        match key:
            case ("group", group) if group == n.NONE:
                return (len(ROOTS),)
            case (kind, *numbers) if kind == "page" or kind in OTHER_LOCKS:
                return (-self._waited.get(key, 0), OTHER_LOCKS.index(kind) if kind in OTHER_LOCKS else 0, *numbers)
            case ("counter", group, file):
                return (IN_A_GROUP.index("counter"), COUNTERS.index(file))
            case ("wait", _, life):
                return (life,)
            case (kind, *numbers) if kind in ROOTS:
                return (ROOTS.index(kind), *numbers)
            case (kind, *numbers) if kind in IN_A_GROUP:
                return (IN_A_GROUP.index(kind), *numbers)
            case _:
                return tuple(key[1:])

    @staticmethod
    def _unit(key: Key) -> str:
        if key[0] != "counter":
            return ""
        return "bytes" if key[2] in SIZES else "count"


def lock_name(scene: Scene, key: Key) -> str:
    """What a lock, or a group's memory, is called; the scene needs no machine."""
    match key:
        case ("page", place, frame):
            return scene.place(place) if place != UNKNOWN or frame == n.NONE else f"page frame {frame}"
        case ("memory", group):
            return f"{scene.group(group)}'s memory"
        case (kind, which) if kind in RWSEMS:
            of = RWSEMS[kind]
            return f"{kind} {which}" if of == "mm" else f"{kind} of {scene.thing(of, which)}"
        case (kind, which):
            of = MUTEXES[kind]
            return kind if of == "machine" else f"{kind} of {scene.thing(of, which)}"
    raise ValueError(key)


def lock_of(kind: int, which: int) -> Key | None:
    """The track of what is waited for; page locks have events of their own."""
    rwsem = n.WAITS[kind].rwsem
    if rwsem is not None:
        return (rwsem.name, which)
    match kind:
        case n.W_OOM:
            return ("memory", which)
        case _:
            return (n.WAIT_NAMES[kind], which) if n.IS_MUTEX[kind] else None


def what_for(kind: int, what: int) -> Name:
    """What a task waits for, from its lane's piece."""
    match kind:
        case n.W_PAGE_LOCK:
            return ("page", what, n.NONE)
        case n.W_OOM | n.W_THROTTLE:
            return ("group", what)
        case _:
            return (n.WAIT_NAMES[kind], what) if n.IS_MUTEX[kind] else n.WAIT_NAMES[kind]
