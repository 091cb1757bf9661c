"""The linker: shell, programs and bystanders become one image of instructions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

import numpy as np

from cowpath.errors import Gathered, InputError
from cowpath.kernel import names as n
from cowpath.kernel.state import CLOCK
from cowpath.programs.code import COMMS, DENTRIES, FILES, SLOTS, TARGETS, FileUse, Ops, Region
from cowpath.programs.unit import FarRegion, Unit
from cowpath.session.plan import FilePlan
from cowpath.session.table import FileSettings
from cowpath.words import Word, nearest

Find = Callable[[Word, tuple[Word, ...]], Unit]  # a program by its name and arguments
DEEPEST = 16  # programs that run programs
GROUPS = {n.OP_ATTACH: "a", n.OP_CLASSIFY: "a"}  # which operand is a group, in programs that name some
OF_A_FILE = (n.OP_FSYNC, n.OP_FADVISE)  # with a file NONE: of every file


@dataclass
class Linker:
    """Puts units one behind the other and shifts what they count from 0 to where it has come to lie."""

    find: Find
    errors: Gathered | None = None  # where errors are put by; None: the first is raised
    groups: tuple[str, ...] = ()  # of the session
    length: int = 0
    chunks: list[Ops] = field(default_factory=list)
    comms: dict[str, int] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)
    files: dict[str, FileUse] = field(default_factory=dict)
    regions: list[Region] = field(default_factory=list)
    dentries: dict[str, int] = field(default_factory=dict)
    used_outside: set[str] = field(default_factory=set)  # files of programs that run outside every group
    _filled: set[str] = field(default_factory=set)  # slots that some program fills
    _wanted: list[Word] = field(default_factory=list)  # slots that one program wants of another
    _shared: dict[tuple[str, tuple[str, ...]], int] = field(default_factory=dict)
    _depth: int = 0
    _begins: dict[str, int] = field(default_factory=dict)  # uses of programs -> their first instruction
    cloned_into: list[Word] = field(default_factory=list)  # groups that programs start tasks in
    _far: list[tuple[Ops, FarRegion]] = field(default_factory=list)  # what lies in another program's memory

    def kept(self) -> AbstractContextManager[None]:
        """An error of the block is put by."""
        return nullcontext() if self.errors is None else self.errors.kept()

    def program(self, word: Word, arguments: tuple[Word, ...], use: str, outside: bool) -> int:
        """The first instruction of a program. ``use`` names this use of it: tasks that it starts are "use.name"."""
        unit = self.find(word, arguments)
        self._fill(use)
        if not unit.shareable:
            self._begins[use] = self.length
            return self.add(unit, use, outside)
        key = (word.text, tuple(argument.text for argument in arguments))
        if key not in self._shared:
            self._shared[key] = self.add(unit, use, outside)
        elif outside:
            self.used_outside.update(f.name for f in unit.code.files)
        self._begins[use] = self._shared[key]
        return self._shared[key]

    def add(self, unit: Unit, use: str, outside: bool) -> int:
        """Append a unit and all that it calls; the number of its first instruction."""
        base = self._append(unit, use, outside)
        ops = self.chunks[-1]
        self._depth += 1
        for call in unit.calls:
            with self.kept():
                if self._depth > DEEPEST:
                    raise call.program.error(
                        f"programs run each other without end: {call.program.text!r}", "a program may not run itself"
                    )
                inner = ".".join(filter(None, (use, call.slot)))
                stays_out = outside if call.outside is None else call.outside
                ops["a"][call.at] = self.program(call.program, call.arguments, inner, stays_out)
        self._depth -= 1
        return base

    def slot(self, name: str) -> int:
        """The number of a slot, by its name in the whole session."""
        return self.slots.setdefault(name, len(self.slots))

    def new_use(self, name: str) -> str:
        """A name that no task bears yet: ls, ls.2, ls.3."""
        number = 1
        while (use := name if number == 1 else f"{name}.{number}") in self._filled:
            number += 1
        return use

    def _fill(self, name: str) -> int:
        self._filled.add(name)
        return self.slot(name)

    def comm(self, name: str) -> int:
        """The number of a task's name."""
        return self.comms.setdefault(name, len(self.comms))

    def _append(self, unit: Unit, use: str, outside: bool) -> int:
        """Append a unit's own instructions."""
        code, base = unit.code, self.length
        if base + len(code.ops) > CLOCK.ops:
            raise InputError(
                f"the session's programs have more than {CLOCK.ops} instructions", hint="fewer programs or copies"
            )
        outer = {word.text for word in unit.outer}
        self._wanted.extend(unit.outer)
        slots = [
            self.slot(name) if name in outer else self._fill(f"{use}.{name}" if use else name) for name in code.slots
        ]
        ops = code.ops.copy()
        _shift(ops, TARGETS, np.arange(base, base + len(ops) + 1))
        _shift(ops, FILES, [self._file(use_of, outside) for use_of in code.files])
        _shift(ops, COMMS, [self.comm(name) for name in code.comms])
        _shift(ops, SLOTS, slots)
        if unit.groups:
            _shift(ops, GROUPS, [self._group(word) for word in unit.groups])
        self.regions += [replace(each, begin=base + each.begin, end=base + each.end) for each in code.regions]
        _shift(ops, DENTRIES, [self.dentries.setdefault(path, len(self.dentries)) for path in code.dentries])
        self.chunks.append(ops)
        self._far += [(ops, far) for far in unit.far]
        self.length += len(ops)
        return base

    def _group(self, word: Word) -> int:
        """The number of a group that a program names."""
        self.cloned_into.append(word)
        number = self.groups.index(word.text) if word.text in self.groups else None
        with self.kept():
            if number is None:
                hint = nearest(word.text, self.groups, "mkdir, cgcreate make them")
                raise word.error(f"the session makes no group {word.text!r}", hint)
        return number or 0

    def _place(self, ops: Ops, far: FarRegion) -> None:
        """Where a region of another task's program lies; a task that a program has started is in that program."""
        use = far.task.text
        while use and use not in self._begins:
            use = use.rpartition(".")[0]
        places = {each.name: each for each in self.regions if each.begin == self._begins.get(use)}
        if far.region.text not in places:
            raise far.region.error(
                f"task {far.task.text!r} has no region {far.region.text!r}",
                nearest(far.region.text, places, "anon, mapf and shm make regions"),
            )
        place, first = places[far.region.text], int(ops["b"][far.at])
        pages = far.pages or place.pages - first
        if first + pages > place.pages or pages <= 0:
            last = first + max(pages, 1) - 1
            whose = f"region {far.region.text!r} of {far.task.text!r}"
            raise far.region.error(
                f"page {last} is outside of {whose}, which has {place.pages} pages",
                f"pages 0 to {place.pages - 1}",
            )
        ops["b"][far.at] += place.first
        ops["c"][far.at] = pages

    def _file(self, use: FileUse, outside: bool) -> int:
        """The number of a file in the session; its size is the largest that any program asks for."""
        old = self.files.get(use.name, use)
        self.files[use.name] = FileUse(
            use.name, max(old.pages, use.pages), max(old.room, use.room), old.shmem or use.shmem, old.warm or use.warm
        )
        if outside:
            self.used_outside.add(use.name)
        return list(self.files).index(use.name)

    def image(self) -> Ops:
        """All instructions. Raises InputError for a task's name that nobody bears, or too many tasks' names."""
        for word in self._wanted:
            with self.kept():
                if word.text not in self._filled:
                    raise word.error(
                        f"no task of the session is called {word.text!r}",
                        nearest(word.text, self._filled, "a task bears its program's name: attacker, attacker.child"),
                    )
        for ops, far in self._far:
            if far.task.text in self._filled:
                with self.kept():
                    self._place(ops, far)
        if len(self.slots) > CLOCK.names:
            raise InputError(f"the session names more than {CLOCK.names} tasks", hint="fewer commands")
        if len(self.dentries) > CLOCK.dentries:
            raise InputError(f"the programs look up more than {CLOCK.dentries} names", hint="fewer names")
        return self._of_every_file(np.concatenate(self.chunks))

    def _of_every_file(self, image: Ops) -> Ops:
        """Instructions on every file (sync, drop_caches): which there are is known only now."""
        for at in np.flatnonzero(np.isin(image["code"], OF_A_FILE) & (image["a"] == n.NONE)):
            tail = np.zeros(len(self.files) + 1, image.dtype)
            tail[:-1] = image[at]
            tail["a"][:-1] = np.arange(len(self.files))
            tail["code"][-1], tail["a"][-1] = n.OP_JUMP, at + 1
            image["code"][at], image["a"][at], image["bits"][at] = n.OP_JUMP, len(image), n.JUMP_ALWAYS
            image = np.append(image, tail)
        return image

    def file_plans(self, settings: dict[str, FileSettings], cold: bool) -> tuple[FilePlan, ...]:
        """The machine's files: what the programs use, as far as the table does not say otherwise."""
        for name, chosen in settings.items():
            with self.kept():
                if name in self.files or chosen.included:
                    continue
                raise chosen.word.error(f"no program of the session uses the file {name!r}", nearest(name, self.files))
        plans = tuple(
            _plan(f, settings.get(f.name), (f.name in self.used_outside or f.warm) and not cold)
            for f in self.files.values()
        )
        if sum(plan.room for plan in plans) > CLOCK.slots or len(plans) > CLOCK.files:
            raise InputError(
                f"the session's files are too large: more than {CLOCK.slots} pages or {CLOCK.files} files",
                hint="smaller files",
            )
        return plans


def _plan(use: FileUse, chosen: FileSettings | None, warm: bool) -> FilePlan:
    pages, room, shmem = use.pages, use.room, use.shmem
    if chosen is not None:
        pages = pages if chosen.pages is None else chosen.pages
        room = max(room, chosen.room or 0)
        shmem = shmem if chosen.shmem is None else chosen.shmem
        warm = warm if chosen.warm is None else chosen.warm
    return FilePlan(use.name, pages, max(room, pages), shmem, warm and not shmem)


def _shift(ops: Ops, operands: dict[int, str], where: Iterable[int]) -> None:
    """Replace operands by where they have come to lie; negative ones (NONE, ANY_CHILD) stay."""
    table = np.asarray(where, dtype=np.int64)
    for code, operand in operands.items():
        rows = np.flatnonzero((ops["code"] == code) & (ops[operand] >= 0))
        ops[operand][rows] = table[ops[operand][rows]]
