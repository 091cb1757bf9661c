"""What a worker of a scenario is told, as instructions: most commands are those of written programs (docs/programs.md).

Each line says how the scenario's words become a line of a written program, or what instructions they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cowpath.engine.gate import FOREVER_NS
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.lines import Line, choice, every, number, read_lines
from cowpath.programs.regions import Regions
from cowpath.programs.writer import Writer
from cowpath.programs.written import COMMANDS as WRITTEN
from cowpath.validate.own_pages import OF, OwnPages, after_fork, born, program
from cowpath.validate.scenario import Step
from cowpath.words import Place, Word, nearest

PAGE = n.PAGE_SIZE
NS_PER_MS = 10**6
OPENED = n.NONE  # number of the OP_MARK behind an open(2)
HASH = 2654435761  # of touchperm: access j is to page (j * HASH + c) & (NP - 1)
TASK_AT = re.compile(r"@(\w+):(\w+)(?:\+(\d+)p)?")
PROC = re.compile(r"/proc/@(\w+)/(\w+)")


class NotModelled(Exception):  # noqa: N818 - no error: the model does not have it
    """A scenario asks for something that the model does not have: it says nothing about it."""


@dataclass
class Worker:
    """Writes the program of a process: its own steps and those of its threads and children."""

    writer: Writer
    regions: dict[str, Regions]  # by task: where its memory lies
    calls: int = 0  # of the step in hand: system calls that it consists of
    failed: list[int] = None  # type: ignore[assignment]  # jumps to its end
    opened: set[tuple[str, int]] = field(default_factory=set)  # by task and file
    own: OwnPages | None = None  # what it has of its own, if it forks

    def begin(self) -> None:
        """A step begins."""
        self.calls, self.failed = 0, []

    def end(self) -> None:
        """Who has failed goes on here."""
        for jump in self.failed:
            self.writer.asm.patch(jump, "a", self.writer.asm.here)

    def line(self, *words: str, place: Place) -> None:
        """A line of a written program."""
        first, *rest = (Word(word, place) for word in words)
        self.writer.lines([Line(first, tuple(rest))])

    def block(self, lines: Sequence[Line]) -> None:
        """Lines of a written program; tasks that they define come behind the process's own code."""
        for line in lines:
            if line.word.text == "task":
                self.writer.define(line)
            else:
                self.writer.lines([line])
            if self.writer.far or self.writer.calls:
                raise line.word.error(f"{line.word.text} speaks of another program", "a step of its own")

    def next_call(self) -> None:
        """A call of several is done: the next one only if it went well, and a mark between them."""
        asm = self.writer.asm
        self.failed.append(asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED))
        asm.emit(n.OP_MARK, a=self.calls)
        self.calls += 1

    def open(self, task: str, file: int) -> None:
        """open(2) of a file that a task has not used yet; it stays open. Its group pays for it, and it may sleep at the
        end of the call: a worker's clock starts after that.
        """
        if (task, file) not in self.opened:
            self.opened.add((task, file))
            self.writer.asm.emit(n.OP_OPEN, a=file)
            self.writer.asm.emit(n.OP_MARK, a=OPENED)

    def file(self, word: str) -> str:
        """A file's name as written programs have it."""
        return word if word.startswith("@") else f"@{word}"


Emit = Callable[[Worker, Step], None]
COMMANDS: dict[str, Emit] = {}


def command(*names: str) -> Callable[[Emit], Emit]:
    """Enter what a command emits."""

    def enter(emit: Emit) -> Emit:
        COMMANDS.update(dict.fromkeys(names, emit))
        return emit

    return enter


def emit(worker: Worker, step: Step) -> None:
    """The instructions of a worker's step. Raises InputError for what nobody knows, NotModelled for the rest."""
    if step.is_block:
        try:
            worker.block(block_lines(step))
        except InputError as error:
            raise step.place.error(f"step {step.text!r}: {error.problem}", error.hint) from None
        return
    if step.command not in COMMANDS:
        raise step.place.error(
            f"unknown command {step.command!r} in step {step.text!r}",
            nearest(step.command, COMMANDS, f"one of: {', '.join(sorted(COMMANDS))}"),
        )
    worker.begin()
    try:
        COMMANDS[step.command](worker, step)
    except (IndexError, ValueError):
        raise step.place.error(f"step {step.text!r} lacks a word, or has a wrong one", usage(step.command)) from None
    except InputError as error:
        raise step.place.error(f"step {step.text!r}: {error.problem}", error.hint) from None
    worker.end()


def usage(name: str) -> str | None:
    """How a command is written, if written programs have it."""
    return WRITTEN[name][0] if name in WRITTEN else None


@command("anon", "anonpop", "anonthp", "shm", "munmap", "mlock", "mprotect", "touch", "pipe")
def _as_written(worker: Worker, step: Step) -> None:
    worker.line(*step.words, place=step.place)


@command("mapf")
def _mapf(worker: Worker, step: Step) -> None:
    region, file, *rest = step.words[1:]
    worker.open(step.who, worker.writer.file(Word(worker.file(file), step.place), 0))
    worker.line("mapf", region, worker.file(file), *rest, place=step.place)


@command("touchperm")
def _touchperm(worker: Worker, step: Step) -> None:
    region, pages, count, offset, access = (Word(word, step.place) for word in step.words[1:])
    size, start = number(pages, 1), worker.writer.regions.place(region)
    if size & (size - 1):
        raise pages.error(f"{size} pages: not a power of two")
    worker.writer.regions.check(region, 0, size - 1, pages)
    bits = choice(access, {"r": 0, "w": n.F_WRITE})
    for j in range(number(count, 0, MOST_CALLS)):
        worker.writer.asm.emit(n.OP_TOUCH, a=start + (j * HASH + number(offset) & size - 1), b=1, c=1, bits=bits)
        worker.writer.asm.emit(n.OP_MARK, a=j)


@command("readf", "writef")
def _calls(worker: Worker, step: Step) -> None:
    name, *numbers = step.words[1:]
    start, pages, *rest = (number(Word(word, step.place)) for word in numbers)
    chunk = max(1, rest[0]) if rest else pages
    code = n.OP_READ if step.command == "readf" else n.OP_WRITE
    if pages > chunk * MOST_CALLS:
        raise step.place.error(f"more than {MOST_CALLS} calls", "a larger chunk")
    room = start + -(-pages // chunk) * chunk  # whole chunks
    word = Word(worker.file(name), step.place)
    file = worker.writer.file(word, 0, room if code == n.OP_WRITE else 0)
    worker.open(step.who, file)
    for at in range(start, room, chunk):
        worker.writer.asm.emit(code, a=file, b=at, c=chunk, d=n.NONE)
        worker.next_call()


MOST_CALLS = 1 << 16
MOST_MS = 3_600_000


@command("readinto")
def _readinto(worker: Worker, step: Step) -> None:
    region, name, pages = (Word(word, step.place) for word in step.words[1:4])
    count = number(pages, 1, MOST_CALLS)
    worker.writer.regions.check(region, 0, count - 1, pages)
    buffer = worker.writer.regions.place(region)
    file = worker.writer.file(Word(worker.file(name.text), step.place), 0)
    worker.open(step.who, file)
    for page in range(count):
        worker.writer.asm.emit(n.OP_READ, a=file, b=page, c=1, d=buffer + page)
        worker.next_call()


@command("madv")
def _madv(worker: Worker, step: Step) -> None:
    region, kind, *rest = step.words[1:]
    if kind in MADV_NOT_MODELLED:
        raise NotModelled(f"madv {kind}")
    if kind == "willneed":
        _madv_willneed(worker, step, region, *rest)
    elif kind not in MADV_NOTHING:
        worker.line(*step.words, place=step.place)


MADV_NOTHING = ("dontdump", "dodump", "dofork", "keeponfork", "unmergeable")  # a group sees nothing of them
MADV_NOT_MODELLED = ("free", "sequential", "remove", "dontfork", "wipeonfork", "mergeable", "collapse", "soft_offline")


def _madv_willneed(worker: Worker, step: Step, region: str, first: str = "0", pages: str = "") -> None:
    """MADV_WILLNEED of a mapping of a file: as POSIX_FADV_WILLNEED of that."""
    start = worker.writer.regions.place(Word(region, step.place))
    made = [row for row in worker.writer.asm.rows if row[0] == n.OP_MMAP and row[2] == start]
    if not made or made[-1][4] == n.NONE:
        raise NotModelled("madv willneed of anonymous memory")
    file, offset, size = made[-1][4], made[-1][5], made[-1][3]
    count = int(pages) if pages else size - int(first)
    worker.writer.asm.emit(n.OP_FADVISE, a=file, b=offset + int(first), c=count, bits=n.FADV_WILLNEED)


@command("fadv")
def _fadv(worker: Worker, step: Step) -> None:
    name, kind, *rest = step.words[1:]
    if kind in ("sequential", "random"):  # of this one open file: whether later calls have the same is not known
        raise NotModelled(f"fadv {kind}")
    worker.open(step.who, worker.writer.file(Word(worker.file(name), step.place), 0))
    if kind not in ("normal", "noreuse"):
        worker.line("fadv", worker.file(name), kind, *rest, place=step.place)


@command("fsync")
def _fsync(worker: Worker, step: Step) -> None:
    worker.open(step.who, worker.writer.file(Word(worker.file(step.words[1]), step.place), 0))
    worker.line("fsync", worker.file(step.words[1]), place=step.place)


@command("msync")
def _msync(worker: Worker, step: Step) -> None:
    """msync(MS_SYNC) of a mapping: its file's dirty pages are written, and waited for."""
    region = step.words[1]
    files = [row for row in worker.writer.asm.rows if row[0] == n.OP_MMAP and row[2] == _place(worker, step, region)]
    if files and files[-1][4] != n.NONE:
        worker.writer.asm.emit(n.OP_FSYNC, a=files[-1][4])


def _place(worker: Worker, step: Step, region: str) -> int:
    return worker.writer.regions.place(Word(region, step.place))


@command("unlink")
def _unlink(worker: Worker, step: Step) -> None:
    """The last name of a file: its pages go with it (evict_inode), or, if the worker has it open, when that ends."""
    if step.words[1].lstrip("@") not in worker.writer.asm.files:
        worker.line("truncate", worker.file(step.words[1]), "0", place=step.place)


@command("pid", "alive")
def _pid(worker: Worker, step: Step) -> None:
    """Nothing that a group would see."""


@command("exit")
def _exit(worker: Worker, step: Step) -> None:
    status = number(Word(step.words[1], step.place), 0, 255) if len(step.words) > 1 else 0
    worker.writer.asm.emit(n.OP_EXIT, a=status)


@command("reap")
def _reap(worker: Worker, step: Step) -> None:
    worker.writer.asm.emit(n.OP_WAIT, a=n.ANY_CHILD)


@command("fork")
def _fork(worker: Worker, step: Step) -> None:
    """So many children, which stay until their parent dies."""
    asm = worker.writer.asm
    for _ in range(number(Word(step.words[1], step.place), 1, 1000) if len(step.words) > 1 else 1):
        fork = asm.emit(n.OP_FORK, b=n.NONE, c=asm.comm(worker.writer.name), bits=n.FORK_DIES_TOO)
        over = _parent_goes_on(worker, OF["fork"])
        asm.patch(fork, "a", asm.here)
        born(asm, OF["fork"])
        asm.emit(n.OP_SLEEP, a=FOREVER_NS)
        asm.emit(n.OP_EXIT)
        asm.patch(over, "a", asm.here)


@command("true")
def _true(worker: Worker, step: Step) -> None:
    """fork, exec of a small program that ends at once, wait."""
    asm = worker.writer.asm
    fork = asm.emit(n.OP_FORK, b=n.NONE, c=asm.comm("true"))
    over = _parent_goes_on(worker, OF["v2"])
    asm.patch(fork, "a", asm.here)
    born(asm, OF["v2"])
    asm.emit(n.OP_EXEC, a=asm.here + 1, c=asm.comm("true"))
    program(asm)
    asm.emit(n.OP_EXIT)
    asm.patch(over, "a", asm.here)
    asm.emit(n.OP_WAIT, a=n.ANY_CHILD)


FORKS = ("fork", "true")  # commands of a worker that make children


def _parent_goes_on(worker: Worker, own: OwnPages) -> int:
    """Behind a fork: to the command's end if that has failed, else over the child's instructions, by a jump that has
    no aim yet.
    """
    asm = worker.writer.asm
    worker.failed.append(asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED))
    after_fork(asm, own)
    return asm.emit(n.OP_JUMP)


@command("sleepms")
def _sleepms(worker: Worker, step: Step) -> None:
    ms = number(Word(step.words[1], step.place), 0, MOST_MS)
    worker.writer.asm.emit(n.OP_SLEEP, a=ms * NS_PER_MS)


@command("mmaploop")
def _mmaploop(worker: Worker, step: Step) -> None:
    """mmap + munmap of one page that nobody touches, so many times, so many ms apart."""
    count = number(Word(step.words[1], step.place), 0, MOST_CALLS)
    ms = number(Word(step.words[2], step.place), 0, MOST_MS)
    asm = worker.writer.asm
    for _ in range(count):
        asm.emit(n.OP_MMAP, a=LOOP_PAGE, b=1, c=n.NONE, bits=n.VM_WRITE)
        worker.failed.append(asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED))
        asm.emit(n.OP_MUNMAP, a=LOOP_PAGE, b=1)
        worker.next_call()
        if ms:
            asm.emit(n.OP_SLEEP, a=ms * NS_PER_MS)


LOOP_PAGE = 1 << 12  # below all regions


@command("readproc")
def _readproc(worker: Worker, step: Step) -> None:
    match = PROC.fullmatch(step.words[1])
    if match is None:
        raise step.place.error(f"{step.words[1]!r} is no file of a task", "/proc/@TASK/maps")
    worker.line("readproc", match[1], match[2], place=step.place)


@command("vmw", "vmr", "pmem")
def _remote(worker: Worker, step: Step) -> None:
    """The memory of another task: @TASK @TASK:REGION+Np BYTES."""
    kind = {"vmw": n.REMOTE_WRITEV, "vmr": n.REMOTE_READV, "pmem": n.REMOTE_MEM}[step.command]
    pages = -(-number(Word(step.words[3], step.place), 1) // PAGE)
    worker.writer.asm.emit(n.OP_REMOTE, a=_task(worker, step), b=_page(worker, step, step.words[2]), c=pages, bits=kind)


@command("ptr")
def _ptr(worker: Worker, step: Step) -> None:
    """PTRACE_ATTACH, wait for the stop, PTRACE_POKEDATA at an address (0: nowhere), PTRACE_DETACH."""
    asm, slot = worker.writer.asm, _task(worker, step)
    asm.emit(n.OP_KILL, a=slot, bits=n.KILL_STOP)
    asm.emit(n.OP_WAIT, a=slot, bits=n.WAIT_STOPPED)
    gone = asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED)
    poked = None
    if step.words[2] != "0":
        asm.emit(n.OP_REMOTE, a=slot, b=_page(worker, step, step.words[2]), c=1, bits=n.REMOTE_POKE)
        poked = asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED)
    asm.emit(n.OP_KILL, a=slot, bits=n.KILL_CONT)
    over = [asm.emit(n.OP_JUMP)]
    if poked is not None:
        asm.patch(poked, "a", asm.here)
        asm.emit(n.OP_KILL, a=slot, bits=n.KILL_CONT)
        asm.emit(n.OP_STATUS, a=EIO)
        over.append(asm.emit(n.OP_JUMP))
    asm.patch(gone, "a", asm.here)
    asm.emit(n.OP_STATUS, a=ESRCH)
    for jump in over:
        asm.patch(jump, "a", asm.here)


ESRCH, EIO = 3, 5


@command("uffdreg")
def _uffdreg(worker: Worker, step: Step) -> None:
    """A userfaultfd for what is missing in a region, or in so many pages of it."""
    worker.line("userfaultfd", *step.words[1:], place=step.place)


@command("uffdcopy")
def _uffdcopy(worker: Worker, step: Step) -> None:
    """UFFDIO_COPY: @TASK, its userfaultfd ($FD: it has one), @TASK:REGION+Np, pages."""
    pages = number(Word(step.words[4], step.place), 1) if len(step.words) > 4 else 1
    at = _page(worker, step, step.words[3])
    worker.writer.asm.emit(n.OP_REMOTE, a=_task(worker, step), b=at, c=pages, bits=n.REMOTE_COPY)


def _task(worker: Worker, step: Step) -> int:
    """The slot of the task that a command names first."""
    task = step.words[1].removeprefix("@")
    if task not in worker.regions:
        raise step.place.error(f"no task {step.words[1]!r}", ", ".join(f"@{each}" for each in worker.regions))
    return worker.writer.slot(Word(task, step.place))


def _page(worker: Worker, step: Step, at: str) -> int:
    """The page of an address in another task's memory."""
    match = TASK_AT.fullmatch(at)
    if match is None:
        raise step.place.error(f"{at!r} is no place in memory", "@TASK:REGION+Np")
    whose, region, page = match[1], match[2], int(match[3] or 0)
    if whose not in worker.regions or region not in worker.regions[whose].places:
        raise step.place.error(f"{at!r}: task {whose!r} has no region {region!r}", "anon, mapf and shm make regions")
    return worker.regions[whose].places[region][0] + page


@command("pipew")
def _pipew(worker: Worker, step: Step) -> None:
    """A new pipe, and a write(2) of so many bytes into it."""
    worker.line("pipe", place=step.place)
    worker.failed.append(worker.writer.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED))
    worker.line("pipew", str(max(1, -(-int(step.words[1]) // PAGE))), place=step.place)


def block_lines(step: Step) -> tuple[Line, ...]:
    """The lines of a step that has several, with ";" between them. Raises InputError."""
    try:
        lines = read_lines(step.text.replace(";", "\n"), str(step.place.file))
        for line in every(lines):
            if line.word.text in ELSEWHERE:
                raise line.word.error(f"{line.word.text} in a step of several lines", "a step of its own")
    except InputError as error:
        raise step.place.error(f"step {step.text!r}: {error.problem}", error.hint) from None
    return lines


ELSEWHERE = (
    "vmw",
    "vmr",
    "pmem",
    "ptr",
    "readproc",
    "kill",
    "run",
    "exec",
)  # of written programs: speak of other programs


def lines_of(steps: Sequence[Step]) -> tuple[Line, ...]:
    """The lines of a process, for what they map and whom they start."""
    found: list[Line] = []
    for step in steps:
        if step.is_block:
            found += block_lines(step)
        else:
            first, *rest = (Word(word, step.place) for word in step.words)
            found.append(Line(first, tuple(rest)))
    return tuple(found)
