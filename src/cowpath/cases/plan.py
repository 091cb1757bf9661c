"""What a case is compiled to: the programs of its tasks, who is who, and the moves of the outside in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.engine import moves as m
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernel.state import EXPLORE
from cowpath.programs import written  # noqa: F401 - its commands enter themselves into the writer's table
from cowpath.programs.code import Assembler
from cowpath.programs.lines import Line, read_lines
from cowpath.programs.regions import Regions
from cowpath.programs.writer import TASK_STARTS, Writer, started
from cowpath.session.plan import FilePlan, MachineSettings, Plan, Start
from cowpath.words import nearest

from .case import Case, TaskSpec

TABLES = 3  # page tables of one address space
PARKED_NS = 1_000_000_000  # in the clock, who is parked sleeps so long again and again
USAGES = {
    "raise": "raise GROUP pages", "kill": "kill TASK", "killer": "killer GROUP on|off", "fail-reads": "fail-reads FILE",
    "truncate": "truncate FILE pages", "start": "start TASK", "reclaim": "reclaim [GROUP]",
}  # fmt: skip


@dataclass(frozen=True)
class Player:
    """A task of the case. ``go``: the instruction at which the exploration finds it."""

    name: str
    spec: TaskSpec | None  # None: made for a move of the outside
    number: int
    go: int
    alike: int  # players with the same number here are alike


@dataclass(frozen=True)
class Outside:
    """A move of the outside: ``moves.DO_*`` and its operands."""

    words: str
    what: int
    a: int = 0
    b: int = 0


@dataclass(frozen=True)
class CasePlan:
    """``plan`` boots the machine; ``setup`` and ``outside`` are moves; ``order``: who runs first before the start."""

    case: Case
    plan: Plan
    players: tuple[Player, ...]  # by number
    setup: tuple[Outside, ...]
    outside: tuple[Outside, ...]
    order: tuple[int, ...]


def compile_case(case: Case) -> CasePlan:
    """Check and assemble a case. Raises InputError."""
    return _Compiler(case).compile()


class _Compiler:
    def __init__(self, case: Case) -> None:
        self.case = case
        self.asm = Assembler(case.name)
        self.specs = {spec.name: spec for spec in case.tasks}
        self.groups = ["", *(group.name for group in case.groups)]
        for file in case.files:
            self.asm.file(file.name, file.pages)
        self.lines = {spec.name: (self._read(spec, "before"), self._read(spec, "does")) for spec in case.tasks}
        self.names = self._player_names()
        self.players: dict[str, Player] = {}
        self.starts: list[Start] = []
        self.setup_reclaimer = n.NONE  # moves of the set-up are made one after the other: one task is enough

    def wrong(self, problem: str, hint: str | None = None) -> InputError:
        return InputError(problem, file=self.case.source, hint=hint)

    def _read(self, spec: TaskSpec, which: str) -> tuple[Line, ...]:
        return read_lines(getattr(spec, which), f"{self.case.source}: {spec.name}.{which}")

    def _player_names(self) -> list[str]:
        found: list[str] = []
        for spec in self.case.tasks:
            found += [spec.name] if spec.count == 1 else [f"{spec.name}.{i + 1}" for i in range(spec.count)]
        return found

    # --- the whole
    def compile(self) -> CasePlan:
        self._check()
        booted = [spec for spec in self.case.tasks if spec.thread_of is None and spec.child_of is None]
        places: dict[str, tuple[int, int, list[int]]] = {}  # entry, go, forks that are still open
        for spec in booted:
            places[spec.name] = self._program(spec)
        number = 0
        for spec in booted:
            entry, go, _ = places[spec.name]
            for name in self._copies(spec):
                self._enter(name, spec, number, go)
                self._start(name, entry, spec)
                number += 1
        setup = tuple(self._outside(words, in_setup=True) for words in self.case.setup)
        outside = tuple(self._outside(words) for words in self.case.outside)
        number = len(self.starts)
        order = [player.number for player in self.players.values() if player.spec is not None]
        for spec in booted:
            number = self._family(spec, places[spec.name][2], number, order)
        if number > EXPLORE.tasks:
            raise self.wrong(f"{number} tasks, with those that moves of the outside need", f"{EXPLORE.tasks} at most")
        return CasePlan(self.case, self._plan(), self._numbered(), self._resolve(setup), self._resolve(outside),
                        tuple(order))  # fmt: skip

    def _check(self) -> None:
        case = self.case
        if len(case.groups) + 1 > EXPLORE.groups:
            raise self.wrong(f"{len(case.groups)} groups", f"{EXPLORE.groups - 1} at most")
        if len(case.files) > EXPLORE.files or sum(file.pages for file in case.files) > EXPLORE.slots:
            raise self.wrong("the files are too many or too large", f"{EXPLORE.files} files, {EXPLORE.slots} pages")
        for at, group in enumerate(case.groups):
            earlier = [other.name for other in case.groups[:at]]
            if group.parent is not None and group.parent not in earlier:
                hint = nearest(group.parent, earlier, "a parent stands before its children")
                raise self.wrong(f"[groups.{group.name}]: parent = {group.parent!r}", hint)
        for spec in case.tasks:
            self._check_task(spec)

    def _check_task(self, spec: TaskSpec) -> None:
        if spec.group is not None and spec.group not in self.groups:
            hint = nearest(spec.group, self.groups[1:], "groups stand in [groups.NAME]")
            raise self.wrong(f"[tasks.{spec.name}]: no group {spec.group!r}", hint)
        of = spec.thread_of or spec.child_of
        if of is None:
            return
        where = f"[tasks.{spec.name}]: "
        if spec.thread_of and spec.child_of:
            raise self.wrong(f"{where}both thread_of and child_of", "one of them")
        parent = self.specs.get(of)
        if parent is None or parent is spec:
            raise self.wrong(f"{where}no task {of!r}", nearest(of, self.specs, "another task of the case"))
        if parent.thread_of or parent.child_of or parent.count > 1 or spec.count > 1:
            raise self.wrong(f"{where}{of!r} cannot start it", "a task of its own, with count = 1 for both")

    # --- programs
    def _program(self, spec: TaskSpec) -> tuple[int, int, list[int]]:
        """Emit a task's program: its entry, where the exploration finds it, and forks whose targets are open."""
        asm = self.asm
        entry = asm.here
        if spec.group is not None:
            asm.emit(n.OP_ATTACH, self.groups.index(spec.group))
        before, does = self.lines[spec.name]
        writer = Writer(spec.name, self._regions(spec), started(before + does, TASK_STARTS), set())
        writer.asm = asm
        writer.numbered = tuple(self.groups)
        writer.lines(before)
        forks = []
        for other in self._started_by(spec):
            bits = n.FORK_THREAD if other.thread_of else 0
            forks.append(asm.emit(n.OP_FORK, 0, asm.slot(other.name), asm.comm(other.name), bits=bits))
        go = asm.here
        if spec.starts == "outside":
            self._park()
        writer.lines(does)
        if spec.then == "stay":
            self._park()
        asm.emit(n.OP_EXIT)
        for name, word in writer.outer.items():
            if name not in self.specs or self.specs[name].count > 1:
                raise word.error(f"no task {name!r}", nearest(name, self.specs, "a task of the case, with count = 1"))
        asm.name_regions(entry, writer.regions.places)
        if writer.calls:
            raise writer.calls[0].program.error("run and exec start programs of a table", "a case has none")
        return entry, go, forks

    def _park(self) -> None:
        here = self.asm.emit(n.OP_SLEEP, PARKED_NS, bits=n.SLEEP_PARKED)
        self.asm.emit(n.OP_JUMP, here)

    def _started_by(self, spec: TaskSpec) -> list[TaskSpec]:
        return [other for other in self.case.tasks if spec.name in (other.thread_of, other.child_of)]

    def _regions(self, spec: TaskSpec) -> Regions:
        """The regions of a task and of all that share, or inherit, its memory: one layout for all."""
        head = self.specs[spec.thread_of or spec.child_of or spec.name]
        lines = [line for each in (head, *self._started_by(head)) for part in self.lines[each.name] for line in part]
        regions = Regions.of(tuple(lines), packed=True)
        pages = max((first + size for first, size in regions.places.values()), default=0)
        if pages > TABLES * EXPLORE.entries:
            raise self.wrong(f"task {spec.name!r} maps {pages} pages", f"{TABLES * EXPLORE.entries} at most")
        return regions

    def _family(self, spec: TaskSpec, forks: list[int], number: int, order: list[int]) -> int:
        """The threads and children that a task has made before the start; each runs right after it."""
        at = order.index(self.players[self._copies(spec)[0]].number) + 1
        for fork, other in zip(forks, self._started_by(spec), strict=True):
            entry, go, _ = self._program(other)
            self.asm.patch(fork, "a", entry)
            self._enter(other.name, other, number, go)
            order.insert(at, number)
            at, number = at + 1, number + 1
        return number

    # --- who is who
    def _copies(self, spec: TaskSpec) -> list[str]:
        return [spec.name] if spec.count == 1 else [f"{spec.name}.{i + 1}" for i in range(spec.count)]

    def _enter(self, name: str, spec: TaskSpec | None, number: int, go: int) -> None:
        if name in self.players:
            raise self.wrong(f"two tasks are called {name!r}", "a name for each")
        self.players[name] = Player(name, spec, number, go, go)

    def _start(self, name: str, entry: int, spec: TaskSpec | None) -> None:
        alike = spec is not None and spec.count > 1  # tasks that are alike cannot be named by others
        slot = n.NONE if alike else self.asm.slot(name)
        self.starts.append(Start(entry, self.asm.comm(name), slot, n.NONE, False))

    def _helper(self, name: str, emit: tuple[int, int, int] | None) -> int:
        """A task that waits for a move of the outside, and then makes one system call (or reclaims)."""
        for count in range(1, EXPLORE.tasks + 1):
            label = name if count == 1 else f"{name}.{count}"
            if label not in self.players and label not in self.names:
                break
        entry = self.asm.here
        self._park()
        if emit is not None:
            self.asm.emit(*emit)
        self._park()
        self._enter(label, None, len(self.starts), entry)
        self._start(label, entry, None)
        return self.players[label].number

    def _numbered(self) -> tuple[Player, ...]:
        return tuple(sorted(self.players.values(), key=lambda player: player.number))

    # --- moves of the outside
    def _outside(self, words: str, in_setup: bool = False) -> tuple[str, list[str], int]:
        """Check the words of a move; the tasks that it needs are made."""
        verb, *rest = words.split() or [""]
        if verb not in USAGES:
            raise self.wrong(f"no move of the outside {words!r}", nearest(verb, USAGES, "; ".join(USAGES.values())))
        least = sum(not word.startswith("[") for word in USAGES[verb].split()[1:])
        if not least <= len(rest) <= len(USAGES[verb].split()) - 1:
            raise self.wrong(f"outside move {words!r}", USAGES[verb])
        helper = n.NONE
        if verb == "truncate":
            file = self._named(rest[0], [file.name for file in self.case.files], words, "file")
            helper = self._helper("truncate", (n.OP_TRUNCATE, file, self._number(rest[1], words)))
        elif verb == "reclaim":
            helper = self.setup_reclaimer if in_setup else n.NONE
            if helper == n.NONE:
                helper = self._helper("reclaim", None)
            if in_setup:
                self.setup_reclaimer = helper
        return words, [verb, *rest], helper

    def _resolve(self, found: tuple[tuple[str, list[str], int], ...]) -> tuple[Outside, ...]:
        return tuple(self._in_numbers(words, *parts, helper=helper) for words, parts, helper in found)

    def _in_numbers(self, words: str, verb: str, *rest: str, helper: int) -> Outside:
        players, groups = self.players, self.groups[1:]
        match verb:
            case "raise":
                return Outside(words, m.DO_RAISE, self._named(rest[0], groups, words, "group") + 1,
                               self._number(rest[1], words))  # fmt: skip
            case "kill":
                names = list(players)
                return Outside(words, m.DO_KILL, players[names[self._named(rest[0], names, words, "task")]].number)
            case "killer":
                value = self._named(rest[1], ["on", "off"], words, "word")
                return Outside(words, m.DO_KILLER, self._named(rest[0], groups, words, "group") + 1, value)
            case "fail-reads":
                files = [file.name for file in self.case.files]
                return Outside(words, m.DO_FAIL_READS, self._named(rest[0], files, words, "file"))
            case "truncate":
                return Outside(words, m.DO_START, helper)
            case "start":
                waiting = [name for name, player in players.items() if player.spec and player.spec.starts == "outside"]
                return Outside(words, m.DO_START, players[waiting[self._named(rest[0], waiting, words, "task")]].number)
            case _:
                group = self._named(rest[0], groups, words, "group") + 1 if rest else 0
                return Outside(words, m.DO_RECLAIM, helper, group)

    def _named(self, word: str, known: list[str], words: str, what: str) -> int:
        if word not in known:
            raise self.wrong(f"outside move {words!r}: no {what} {word!r}", nearest(word, known, ", ".join(known)))
        return known.index(word)

    def _number(self, word: str, words: str) -> int:
        if not word.isdecimal() or int(word) > EXPLORE.pages:
            raise self.wrong(f"outside move {words!r}: {word!r}", f"a number of pages from 0 to {EXPLORE.pages}")
        return int(word)

    def _plan(self) -> Plan:
        case, code = self.case, self.asm.code()
        known = {file.name: file for file in case.files}
        for file in code.files:
            if file.name not in known or file.room > known[file.name].pages:
                hint = f"[files.{file.name}] with pages = {file.room}"
                raise self.wrong(f"the tasks use {file.room} pages of file {file.name!r}", hint)
        if len(code.ops) > EXPLORE.ops or len(code.slots) > EXPLORE.names:
            raise self.wrong("the tasks do too much", f"{EXPLORE.ops} instructions, {EXPLORE.names} names at most")
        if len(code.dentries) > EXPLORE.dentries:
            raise self.wrong(f"the tasks look up {len(code.dentries)} names", f"{EXPLORE.dentries} at most")
        return Plan(
            name=case.source,
            source=case.text,
            ops=code.ops,
            comms=code.comms,
            slots=code.slots,
            files=tuple(FilePlan(f.name, f.pages, f.pages, False, f.warm) for f in case.files),
            groups=tuple(self.groups),
            parents=(n.NONE, *(self.groups.index(g.parent or "") for g in case.groups)),
            starts=tuple(self.starts),
            shell=0,
            texts=(),
            settings=MachineSettings(cpus=case.machine.cpus, readahead=case.machine.readahead, reuse=0),
            regions=code.regions,
        )
