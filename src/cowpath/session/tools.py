"""Programs that are known by what they do to memory: dd, cat of a file, rm, sync, stress, stress-ng.

Each reads its arguments as the real one does, and has no weight of its own but the buffer or memory that it is about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cowpath.kernel import names as n
from cowpath.programs.code import Assembler
from cowpath.programs.regions import FIRST_PAGE
from cowpath.programs.unit import Unit
from cowpath.session import sizes
from cowpath.session.table import FileSettings
from cowpath.units import parse_time
from cowpath.words import Word

PAGE = n.PAGE_SIZE
MOST_CALLS = 1 << 16
CAT_BUFFER = 32  # pages: 128 KiB, as coreutils has it
ZEROES = ("/dev/zero", "/dev/urandom", "/dev/random")
MOST_WORKERS = 100
VM_BYTES = {"stress": 256 << 20, "stress-ng": 256 << 20}  # if it is not said
LEAST_VM_BYTES = 4096
HOUR_NS = 3600 * 10**9
RESPAWN_NS = 100_000  # until a worker has noticed that its child is gone


@dataclass(frozen=True)
class Around:
    """What a tool knows besides its arguments."""

    memory: int  # of the machine, in bytes
    files: Mapping[str, FileSettings]  # of the table

    def pages_of(self, word: Word, name: str, need: str) -> int:
        """How large a file is."""
        settings = self.files.get(name)
        if settings is None or not settings.pages:
            raise word.error(
                f"how large {name!r} is is not known", f'[files."{name}"] with pages = N in the session\'s table{need}'
            )
        return settings.pages


def unit(name: str, word: Word, arguments: tuple[Word, ...], around: Around) -> Unit:
    """A tool's program. Raises InputError at a word that it does not understand."""
    asm = Assembler(name)
    asm.emit(n.OP_EXEC, a=1, c=asm.comm(name))
    TOOLS[name](asm, word, arguments, around)
    return Unit(asm.code())


def _file(asm: Assembler, name: str, pages: int, room: int = 0) -> int:
    return asm.file(name, pages, room, shmem=name.startswith("/dev/shm/"))


def _buffer(asm: Assembler, pages: int) -> int:
    """Memory of its own, written once; its first page."""
    asm.emit(n.OP_MMAP, a=FIRST_PAGE, b=pages, c=n.NONE, bits=n.VM_WRITE)
    asm.emit(n.OP_TOUCH, a=FIRST_PAGE, b=pages, c=1, bits=n.F_WRITE)
    return FIRST_PAGE


# --- files -----------------------------------------------------------------------------------------
def _dd(asm: Assembler, word: Word, arguments: tuple[Word, ...], around: Around) -> None:
    """dd if= of= bs= count= [seek=] [skip=] [conv=fsync|fdatasync|notrunc]: whole pages a call."""
    given: dict[str, Word] = {}
    for argument in arguments:
        key, equals, value = argument.text.partition("=")
        if not equals or key not in ("if", "of", "bs", "count", "seek", "skip", "conv", "status", "oflag", "iflag"):
            raise argument.error(
                f"unknown operand of dd: {argument.text!r}", "if=, of=, bs=, count=, seek=, skip=, conv=fsync, status="
            )
        given[key] = Word(value, argument.place.after(len(key) + 1))
    for key in ("if", "of"):
        if key not in given:
            raise word.error(f"dd needs {key}=", "dd if=/dev/zero of=/tmp/big bs=1M count=64")
    for key in ("oflag", "iflag"):
        if key in given and given[key].text != "fullblock":
            raise given[key].error(f"{key}={given[key].text} is not understood", "the page cache is what is modelled")
    conv = given["conv"].text.split(",") if "conv" in given else []
    for each in conv:
        if each not in ("fsync", "fdatasync", "notrunc"):
            raise given["conv"].error(f"conv={each} is not understood", "fsync, fdatasync, notrunc")
    bs = given["bs"].place.of(sizes.dd, given["bs"].text) if "bs" in given else 512
    if bs % PAGE or not bs:
        raise given.get("bs", word).error(f"dd with blocks of {bs} bytes: whole pages are modelled", "bs=4k, bs=1M")
    chunk, source, goal = bs // PAGE, given["if"], given["of"]
    seek, skip = (chunk * _count(given[key]) if key in given else 0 for key in ("seek", "skip"))
    if "count" in given:
        pages = chunk * _count(given["count"])
    elif source.text in ZEROES:
        raise word.error("dd would go on until the disk is full", "count=64")
    else:
        pages = around.pages_of(source, source.text, "; or count=") - skip
    if pages > chunk * MOST_CALLS:
        raise word.error(f"dd would be more than {MOST_CALLS} calls", "a larger bs=")
    buffer = _buffer(asm, chunk)
    reads = None if source.text in ZEROES else _file(asm, source.text, skip + pages)
    writes = None if goal.text == "/dev/null" else _file(asm, goal.text, 0, seek + pages)
    if writes is not None and "notrunc" not in conv:
        asm.emit(n.OP_TRUNCATE, a=writes, b=seek)
    for at in range(0, pages, chunk):
        size = min(chunk, pages - at)
        if reads is not None:
            asm.emit(n.OP_READ, a=reads, b=skip + at, c=size, d=buffer)
        elif at and writes is None:
            asm.emit(n.OP_TOUCH, a=buffer, b=size, c=1, bits=n.F_WRITE)
        if writes is not None:
            asm.emit(n.OP_WRITE, a=writes, b=seek + at, c=size, d=buffer)
    if writes is not None and {"fsync", "fdatasync"} & set(conv):
        asm.emit(n.OP_FSYNC, a=writes)
    asm.emit(n.OP_EXIT, a=n.EXIT_ERRNO)


def _count(word: Word) -> int:
    if re.fullmatch("[0-9]{1,9}", word.text) is None:
        raise word.error(f"{word.text!r} is not a number of blocks", "count=64")
    return int(word.text)


def _cat(asm: Assembler, word: Word, arguments: tuple[Word, ...], around: Around) -> None:
    """cat FILES > /dev/null: each is read with calls of 128 KiB."""
    buffer = _buffer(asm, CAT_BUFFER)
    for argument in arguments:
        pages = around.pages_of(argument, argument.text, "")
        file = _file(asm, argument.text, pages)
        for at in range(0, pages, CAT_BUFFER):
            asm.emit(n.OP_READ, a=file, b=at, c=min(CAT_BUFFER, pages - at), d=buffer)
    asm.emit(n.OP_EXIT, a=n.EXIT_ERRNO)


def _rm(asm: Assembler, word: Word, arguments: tuple[Word, ...], around: Around) -> None:
    """rm [-f] FILES: their pages go."""
    files = [argument for argument in arguments if argument.text not in ("-f", "--")]
    for argument in files:
        if argument.text.startswith("-"):
            raise argument.error(f"unknown option of rm: {argument.text!r}", "understood: -f")
        asm.emit(n.OP_TRUNCATE, a=_file(asm, argument.text, 0), b=0)
    asm.emit(n.OP_EXIT)


def _sync(asm: Assembler, word: Word, arguments: tuple[Word, ...], around: Around) -> None:
    """sync [FILES]: what is dirty is written, and waited for."""
    if any(argument.text.startswith("-") and argument.text != "-d" for argument in arguments):
        raise arguments[0].error(f"unknown option of sync: {arguments[0].text!r}", "sync, sync FILE")
    files = [argument for argument in arguments if argument.text != "-d"]
    for argument in files:
        asm.emit(n.OP_FSYNC, a=_file(asm, argument.text, 0))
    if not files:
        asm.emit(n.OP_FSYNC, a=n.NONE)  # the linker: of every file
    asm.emit(n.OP_EXIT)


def _drop_caches(asm: Assembler, word: Word, arguments: tuple[Word, ...], around: Around) -> None:
    """What a write to /proc/sys/vm/drop_caches does: clean pages that nobody has mapped go."""
    asm.emit(n.OP_FADVISE, a=n.NONE, c=n.NONE, bits=n.FADV_DONTNEED)
    asm.emit(n.OP_EXIT)


# --- stress ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Stress:
    workers: int
    pages: int  # of each
    keep: bool
    hang_ns: int | None  # after each round; 0: for ever
    timeout_ns: int | None


def _arguments(name: str, word: Word, arguments: tuple[Word, ...], around: Around) -> _Stress:
    values: dict[str, Word] = {}
    words = list(arguments)
    takes = ("--vm", "-m", "--vm-bytes", "--vm-hang", "--timeout", "-t", "--vm-method", "--oomable")
    quiet = ("--vm-keep", "-q", "--quiet", "-v", "--verbose", "--metrics-brief", "--metrics", "--oomable", "--verify")
    while words:
        option = words.pop(0)
        key, equals, value = option.text.partition("=")
        if key in quiet:
            values[key] = option
        elif key in takes and (equals or words):
            values[key] = Word(value, option.place.after(len(key) + 1)) if equals else words.pop(0)
        else:
            raise option.error(
                f"{name}: {option.text!r} is not understood here",
                "--vm N --vm-bytes SIZE [--vm-keep] [--vm-hang SECONDS] [--timeout TIME]",
            )
    workers = values.get("--vm") or values.get("-m")
    if workers is None or re.fullmatch("[1-9][0-9]?", workers.text) is None:
        raise (workers or word).error(
            f"{name} needs --vm N, from 1 to {MOST_WORKERS - 1}", f"{name} --vm 2 --vm-bytes 64M"
        )
    count, size = int(workers.text), VM_BYTES[name]
    if (given := values.get("--vm-bytes")) is not None:
        size = given.place.of(lambda text: sizes.stress(text, around.memory), given.text)
    if name == "stress-ng":  # stress-vm.c: all of them together have so much
        size = max(size // count, LEAST_VM_BYTES)
    hang = values.get("--vm-hang")
    timeout = values.get("--timeout") or values.get("-t")
    return _Stress(
        count,
        size // PAGE,
        "--vm-keep" in values,
        None if hang is None else hang.place.of(parse_time, hang.text),
        None if timeout is None or timeout.text == "0" else timeout.place.of(parse_time, timeout.text),
    )


def _stress(asm: Assembler, word: Word, arguments: tuple[Word, ...], around: Around) -> None:
    """stress: workers that allocate, write and free memory. If one is killed, all end, and stress fails."""
    chosen = _arguments("stress", word, arguments, around)
    forks = _workers(asm, chosen, "stress")
    alarm = _alarm(asm, chosen, "stress")
    asm.emit(n.OP_WAIT, a=n.ANY_CHILD)
    failed = asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED)
    for status in (0, 1):
        for number in range(chosen.workers):
            asm.emit(n.OP_KILL, a=asm.slot(f"vm{number}"), bits=n.KILL_TREE)
        if alarm is not None:
            asm.emit(n.OP_KILL, a=asm.slot("alarm"))
        asm.emit(n.OP_EXIT, a=status)
        if not status:
            asm.patch(failed, "a", asm.here)
    for fork in forks:
        asm.patch(fork, "a", asm.here)
    _rounds(asm, chosen)
    _ring(asm, alarm, chosen)


def _stress_ng(asm: Assembler, word: Word, arguments: tuple[Word, ...], around: Around) -> None:
    """stress-ng: each worker has a child that the OOM killer may take, and starts another when it has."""
    chosen = _arguments("stress-ng", word, arguments, around)
    forks = _workers(asm, chosen, "stress-ng-vm")
    alarm = _alarm(asm, chosen, "stress-ng")
    asm.emit(n.OP_WAIT, a=asm.slot("alarm") if alarm is not None else n.ALL_CHILDREN)
    for number in range(chosen.workers):
        asm.emit(n.OP_KILL, a=asm.slot(f"vm{number}"), bits=n.KILL_TREE)
    asm.emit(n.OP_EXIT)
    for number, fork in enumerate(forks):
        asm.patch(fork, "a", asm.here)
        top = asm.here
        child = asm.emit(n.OP_FORK, b=asm.slot(f"vm{number}.mem"), c=asm.comm("stress-ng-vm"), bits=n.FORK_ANEW)
        asm.emit(n.OP_WAIT, a=asm.slot(f"vm{number}.mem"))
        asm.emit(n.OP_COMPUTE, a=RESPAWN_NS)
        asm.emit(n.OP_JUMP, a=top)
        asm.patch(child, "a", asm.here)
        asm.emit(n.OP_OOM_ADJ, a=1000)
        _rounds(asm, chosen)
    _ring(asm, alarm, chosen)


def _workers(asm: Assembler, chosen: _Stress, name: str) -> list[int]:
    """Start them; where they begin is still open."""
    return [asm.emit(n.OP_FORK, b=asm.slot(f"vm{number}"), c=asm.comm(name)) for number in range(chosen.workers)]


def _alarm(asm: Assembler, chosen: _Stress, name: str) -> int | None:
    """A child that ends when the time is over."""
    return None if chosen.timeout_ns is None else asm.emit(n.OP_FORK, b=asm.slot("alarm"), c=asm.comm(name))


def _ring(asm: Assembler, alarm: int | None, chosen: _Stress) -> None:
    if alarm is not None and chosen.timeout_ns is not None:
        asm.patch(alarm, "a", asm.here)
        asm.emit(n.OP_SLEEP, a=chosen.timeout_ns)
        asm.emit(n.OP_EXIT)


def _rounds(asm: Assembler, chosen: _Stress) -> None:
    """A worker: memory is mapped, written and, if it is not kept, given back, again and again."""
    top = asm.here
    asm.emit(n.OP_MMAP, a=FIRST_PAGE, b=chosen.pages, c=n.NONE, bits=n.VM_WRITE)
    again = asm.here
    asm.emit(n.OP_TOUCH, a=FIRST_PAGE, b=chosen.pages, c=1, bits=n.F_WRITE)
    if chosen.hang_ns is not None:
        asm.emit(n.OP_SLEEP, a=chosen.hang_ns or HOUR_NS)
    if chosen.hang_ns == 0:
        asm.emit(n.OP_JUMP, a=asm.here - 1)
    elif chosen.keep:
        asm.emit(n.OP_JUMP, a=again)
    else:
        asm.emit(n.OP_MUNMAP, a=FIRST_PAGE, b=chosen.pages)
        asm.emit(n.OP_JUMP, a=top)


TOOLS: dict[str, Callable[[Assembler, Word, tuple[Word, ...], Around], None]] = {
    "dd": _dd, "cat": _cat, "rm": _rm, "sync": _sync, "drop_caches": _drop_caches, "stress": _stress,
    "stress-ng": _stress_ng,
}  # fmt: skip
