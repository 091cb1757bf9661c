"""Programs written by hand: a file of commands, one per line. docs/programs.md is their reference.

mapf lib @lib 1024 rw private     # a mapping, called lib
loop i 1024
  touch lib i 1 1 w               # one access each to its pages
end
"""

from __future__ import annotations

from collections.abc import Sequence

from cowpath.kernel import names as n
from cowpath.kernel.kmem import PIPE_BUFFERS
from cowpath.kernel.records import REGISTERS
from cowpath.programs import written_tasks  # noqa: F401 - its commands enter themselves into the writer's table
from cowpath.programs.arguments import with_arguments
from cowpath.programs.lines import Line, choice, named, number, read_lines
from cowpath.programs.regions import Regions
from cowpath.programs.unit import FarRegion, Unit
from cowpath.programs.writer import COMMANDS, TASK_STARTS, Loop, Writer, command, started
from cowpath.units import parse_time
from cowpath.words import Word

__all__ = ["COMMANDS", "MOST_CALLS", "PROC_FILES", "compile_written"]

MOST_CALLS = 1 << 18  # read or write calls that one line may stand for
PROC_FILES = dict.fromkeys(("smaps", "cmdline", "exe", "environ", "numa_maps", "pagemap"), n.PROC_MMAP_SEM)
PROC_FILES |= {"maps": n.PROC_MAPS}
PROC_FILES |= dict.fromkeys(("stat", "statm", "status", "comm", "wchan", "auxv"), n.PROC_NO_LOCK)


def compile_written(text: str, file: str, name: str, arguments: tuple[Word, ...] = ()) -> Unit:
    """A written program. ``file`` is named in errors, ``name`` is what its task is called."""
    lines = with_arguments(read_lines(text, file), name, arguments)
    threads = started(lines, ("thread",))
    return Writer(name, Regions.of(lines), started(lines, TASK_STARTS), threads, groups={}).program(lines)


# --- mappings ------------------------------------------------------------------------------------


@command("anon REGION pages")
def _anon(w: Writer, line: Line) -> None:
    pages = number(line.arguments[1], 1)
    w.asm.emit(n.OP_MMAP, a=w.regions.place(line.arguments[0]), b=pages, c=n.NONE, bits=n.VM_WRITE)


@command("anonpop REGION pages")
def _anonpop(w: Writer, line: Line) -> None:
    pages = number(line.arguments[1], 1)
    bits = n.VM_WRITE | n.MAP_POPULATE
    w.asm.emit(n.OP_MMAP, a=w.regions.place(line.arguments[0]), b=pages, c=n.NONE, bits=bits)


@command("anonthp REGION pages")
def _anonthp(w: Writer, line: Line) -> None:
    bits = n.VM_WRITE | n.VM_HUGEPAGE
    w.asm.emit(n.OP_MMAP, a=w.regions.place(line.arguments[0]), b=number(line.arguments[1], 1), c=n.NONE, bits=bits)


@command("shm REGION pages")
def _shm(w: Writer, line: Line) -> None:
    pages = number(line.arguments[1], 1)
    w.asm.emit(n.OP_MMAP, a=w.regions.place(line.arguments[0]), b=pages, c=n.NONE, bits=n.VM_WRITE | n.VM_SHARED)


@command("mapf REGION @file pages r|rw private|shared [first]")
def _mapf(w: Writer, line: Line) -> None:
    region, file, size, access, sharing, *first = line.arguments
    pages, offset = number(size, 1), number(first[0]) if first else 0
    bits = choice(access, {"r": 0, "rw": n.VM_WRITE}) | choice(sharing, {"private": 0, "shared": n.VM_SHARED})
    w.asm.emit(n.OP_MMAP, a=w.regions.place(region), b=pages, c=w.file(file, offset + pages), d=offset, bits=bits)


@command("munmap REGION [first] [pages]")
def _munmap(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_MUNMAP, *_range(w, line))


@command("mlock REGION [first] [pages]")
def _mlock(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_MLOCK, *_range(w, line))


@command("mprotect REGION r|rw [first] [pages]")
def _mprotect(w: Writer, line: Line) -> None:
    region, access, *rest = line.arguments
    first, pages = _pages(w, region, rest)
    w.asm.emit(n.OP_MPROTECT, a=first, b=pages, c=n.VM_WRITE, bits=choice(access, {"r": 0, "rw": n.VM_WRITE}))


@command("pipe")
def _pipe(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_PIPE)


@command("pipew pages")
def _pipew(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_PIPE, a=number(line.arguments[0], 1, PIPE_BUFFERS))


@command("vmw TASK REGION [first] [pages]")
def _vmw(w: Writer, line: Line) -> None:
    _remote(w, line, n.REMOTE_WRITEV)


@command("vmr TASK REGION [first] [pages]")
def _vmr(w: Writer, line: Line) -> None:
    _remote(w, line, n.REMOTE_READV)


@command("pmem TASK REGION [first] [pages]")
def _pmem(w: Writer, line: Line) -> None:
    _remote(w, line, n.REMOTE_MEM)


@command("ptr TASK REGION [page]")
def _ptr(w: Writer, line: Line) -> None:
    _remote(w, line, n.REMOTE_POKE)


def _remote(w: Writer, line: Line, kind: int) -> None:
    """Pages of another task: the region is of this program, if the task is one of its own, else of that task's."""
    task, region, *rest = line.arguments
    if task.text in w.tasks:
        first, pages = _pages(w, region, rest)
        w.asm.emit(n.OP_REMOTE, a=w.slot(task), b=first, c=1 if kind == n.REMOTE_POKE else pages, bits=kind)
        return
    first = number(rest[0]) if rest else 0
    pages = 1 if kind == n.REMOTE_POKE else number(rest[1], 1) if len(rest) > 1 else 0
    at = w.asm.emit(n.OP_REMOTE, a=w.slot(task), b=first, c=pages, bits=kind)
    w.far.append(FarRegion(at, task, region, pages))


ADVICE = {  # of OP_MADVISE: its c and its bits
    "populate_read": (n.MADV_POPULATE, 0), "populate_write": (n.MADV_POPULATE, n.F_WRITE),
    "dontneed": (n.MADV_DONTNEED, 0), "cold": (n.MADV_COLD, 0), "pageout": (n.MADV_PAGEOUT, 0),
}  # fmt: skip
BEHAVIORS = {  # madvise_behavior: of the mapping's flags which, and what they are from now on
    "hugepage": (n.VM_HUGEPAGE, n.VM_HUGEPAGE), "nohugepage": (n.VM_HUGEPAGE, 0),
    "random": (n.VM_RAND_READ, n.VM_RAND_READ), "normal": (n.VM_RAND_READ, 0),
}  # fmt: skip


@command("userfaultfd REGION [first] [pages]")
def _userfaultfd(w: Writer, line: Line) -> None:
    first, pages = _range(w, line)
    w.asm.emit(n.OP_MPROTECT, a=first, b=pages, c=n.VM_UFFD_MISSING, bits=n.VM_UFFD_MISSING)


@command("uffdcopy TASK REGION [first] [pages]")
def _uffdcopy(w: Writer, line: Line) -> None:
    _remote(w, line, n.REMOTE_COPY)


@command(f"madv REGION {'|'.join([*ADVICE, *BEHAVIORS])} [first] [pages]")
def _madv(w: Writer, line: Line) -> None:
    region, kind, *rest = line.arguments
    choice(kind, dict.fromkeys([*ADVICE, *BEHAVIORS], 0))
    first, pages = _pages(w, region, rest)
    if kind.text in BEHAVIORS:
        which, value = BEHAVIORS[kind.text]
        w.asm.emit(n.OP_MPROTECT, a=first, b=pages, c=which, bits=value)
        return
    advice, bits = ADVICE[kind.text]
    w.asm.emit(n.OP_MADVISE, a=first, b=pages, c=advice, bits=bits)


def _range(w: Writer, line: Line) -> tuple[int, int]:
    """The pages of a region that a line speaks of: all, or those named."""
    return _pages(w, line.arguments[0], line.arguments[1:])


def _pages(w: Writer, region: Word, rest: Sequence[Word]) -> tuple[int, int]:
    """The same, with the words behind the region."""
    start, size = w.regions.place(region), w.regions.size(region)
    first = number(rest[0]) if rest else 0
    pages = number(rest[1], 1) if len(rest) > 1 else size - first
    w.regions.check(region, first, first + pages - 1, rest[-1] if rest else region)
    return start + first, pages


# --- accesses ------------------------------------------------------------------------------------


@command("touch REGION first count step r|w")
def _touch(w: Writer, line: Line) -> None:
    region, first, count, step, access = line.arguments
    least, most, register = w.touched(first)
    times, stride = number(count, 1), number(step, 1)
    w.regions.check(region, least, most + (times - 1) * stride, first)
    bits = choice(access, {"r": 0, "w": n.F_WRITE})
    w.asm.emit(n.OP_TOUCH, a=w.regions.place(region) + least, b=times, c=stride, d=register, bits=bits)


@command("fill REGION")
def _fill(w: Writer, line: Line) -> None:
    region = line.arguments[0]
    w.asm.emit(n.OP_FILL, a=w.regions.place(region), b=w.regions.size(region), c=1)


@command("readf @file first pages [chunk]")
def _readf(w: Writer, line: Line) -> None:
    _calls(w, line, n.OP_READ)


@command("writef @file first pages [chunk]")
def _writef(w: Writer, line: Line) -> None:
    _calls(w, line, n.OP_WRITE)


def _calls(w: Writer, line: Line, code: int) -> None:
    """One call for each chunk of the pages."""
    name, start, size, *rest = line.arguments
    first, pages = number(start), number(size, 1)
    chunk = number(rest[0], 1) if rest else pages
    if pages > chunk * MOST_CALLS:
        raise size.error(f"{line.word.text} would be more than {MOST_CALLS} calls", "a larger chunk")
    end = first + pages
    file = w.file(name, end) if code == n.OP_READ else w.file(name, 0, end)
    for at in range(first, end, chunk):
        w.asm.emit(code, a=file, b=at, c=min(chunk, end - at), d=n.NONE)


@command("readinto REGION @file pages [first]")
def _readinto(w: Writer, line: Line) -> None:
    region, name, size, *rest = line.arguments
    pages, first = number(size, 1, MOST_CALLS), number(rest[0]) if rest else 0
    w.regions.check(region, first, first + pages - 1, size)
    buffer, file = w.regions.place(region) + first, w.file(name, pages)
    for page in range(pages):
        w.asm.emit(n.OP_READ, a=file, b=page, c=1, d=buffer + page)


@command("fadv @file dontneed|willneed [first] [pages]")
def _fadv(w: Writer, line: Line) -> None:
    name, kind, *rest = line.arguments
    bits = choice(kind, {"dontneed": n.FADV_DONTNEED, "willneed": n.FADV_WILLNEED})
    first = number(rest[0]) if rest else 0
    pages = number(rest[1], 1) if len(rest) > 1 else n.NONE
    w.asm.emit(n.OP_FADVISE, a=w.file(name, first + max(pages, 0)), b=first, c=pages, bits=bits)


@command("truncate @file pages")
def _truncate(w: Writer, line: Line) -> None:
    pages = number(line.arguments[1])
    w.asm.emit(n.OP_TRUNCATE, a=w.file(line.arguments[0], 0, pages), b=pages)


@command("fsync @file")
def _fsync(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_FSYNC, a=w.file(line.arguments[0], 0))


@command("open @file")
def _open(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_OPEN, a=w.file(line.arguments[0], 0))


@command("lseek @file set|cur|end")
def _lseek(w: Writer, line: Line) -> None:
    choice(line.arguments[1], {"set": 0, "cur": 0, "end": 0})  # all the same to 3.0: generic_file_llseek
    w.asm.emit(n.OP_LSEEK, a=w.file(line.arguments[0], 0))


@command("stat @dir/name")
def _stat(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_STAT, *w.dentry(line.arguments[0]))


@command("creat @dir/name")
def _creat(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_CREAT, *w.dentry(line.arguments[0]))


@command("readdir @dir/")
def _readdir(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_READDIR, a=w.directory(line.arguments[0]))


@command("failreads @file first pages")
def _failreads(w: Writer, line: Line) -> None:
    name, first, pages = line.arguments
    w.asm.emit(n.OP_FAIL_READS, a=w.file(name, 0), b=number(first), c=number(pages))


@command("readproc TASK|all [file]")
def _readproc(w: Writer, line: Line) -> None:
    task, *file = line.arguments
    bits = choice(file[0], PROC_FILES) if file else n.PROC_MMAP_SEM
    w.asm.emit(n.OP_READ_PROC, a=n.ALL_TASKS if task.text == "all" else w.slot(task), bits=bits)


# --- time and control ----------------------------------------------------------------------------


@command("sleep time")
def _sleep(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_SLEEP, a=line.arguments[0].place.of(parse_time, line.arguments[0].text))


@command("compute time")
def _compute(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_COMPUTE, a=line.arguments[0].place.of(parse_time, line.arguments[0].text))


@command("loop [variable] rounds|forever")
def _loop(w: Writer, line: Line) -> None:
    *variable, count = line.arguments
    if len(w.loops) == REGISTERS:
        raise line.word.error(f"more than {REGISTERS} loops within each other", f"at most {REGISTERS}")
    rounds = n.NONE if count.text == "forever" else number(count, 1, (1 << 31) - 1)
    register = len(w.loops)
    w.asm.emit(n.OP_LOOP, a=register)
    w.loops.append(Loop(named(variable[0], "a variable") if variable else None, rounds))
    back = w.asm.here
    w.lines(line.body)
    w.loops.pop()
    if rounds == n.NONE and not variable:  # nobody asks how often: it comes back to the state that it was in
        w.asm.emit(n.OP_JUMP, a=back)
    else:
        w.asm.emit(n.OP_NEXT, a=register, b=rounds, c=back)


@command("exit [status|errno]")
def _exit(w: Writer, line: Line) -> None:
    errno = bool(line.arguments) and line.arguments[0].text == "errno"
    status = number(line.arguments[0], 0, 255) if line.arguments and not errno else 0
    w.asm.emit(n.OP_EXIT, a=n.EXIT_ERRNO if errno else status)


@command("mark")
def _mark(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_MARK, a=w.asm.jobs)
    w.asm.jobs += 1
