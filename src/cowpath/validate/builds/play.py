"""Plays a recorded build under a limit, as it was run on the real machine, and says what became of it.

The real machine: two CPUs, no swap, cgroup v1 with the same limit for memory and for memory + swap. What the
recorded commands have found in the page cache is there and charged to nobody; all else is cold. 0.3 s after the build,
tasks outside begin to use the compiler and the C library: each maps the file, reads 8 pages, writes to its own copies
of 128 more, unmaps it, and sleeps for 8 ms. Which pages they were is not known: here, of the first 4,096 of the file,
others in each pass.
"""

from __future__ import annotations

import atexit
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cowpath import api
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs import library
from cowpath.programs.recording import SUFFIX, Recording, load, write
from cowpath.session.load import plan_session
from cowpath.session.plan import MachineSettings
from cowpath.session.table import Entry, FileSettings, Table
from cowpath.words import Place, Word, nearest

from .rows import COUNTERS, FINISHED, KILLED, THRASHING, Outcome, Setup

if TYPE_CHECKING:
    from cowpath.designs import Design
    from cowpath.session.plan import Plan

TIMEOUT_NS = 30 * 10**9  # the real runs were stopped then
FETCHES = 65_536  # of code per recorded touch: docs/recordings.md says why so many
READS, WRITES = 8, 128  # of a pass of a task outside, in pages
MOST_USED = 4096  # pages of a file
LEAP = 2_654_435_761  # odd: a power of two has no divisor in common with it
GROUP, DONE = "A", "finished"
COSTS = "bare"  # of a machine of today


@dataclass(frozen=True)
class Build:
    """A setup with all that it takes to play it."""

    setup: Setup
    design: Design
    source: str  # its recording: a file's path, or a packaged name
    fetches: int = FETCHES
    seed: int = 0

    @property
    def name(self) -> str:
        """What it is called while it runs."""
        return f"{self.setup.name} on {self.design.name}"


def find_recording(name: str, folder: Path | None) -> str:
    """Where a recording is: a file in the folder that was given, or the name of a packaged one. Raises InputError.

    A folder of recorded tables is imported, into a file that this process's end removes.
    """
    if folder is None:
        packaged = library.packaged()
        if name not in packaged:
            hint = "--recordings DIR, where NAME.recording or a folder NAME of recorded tables lies"
            raise InputError(f"there is no packaged recording {name!r}", hint=hint)
        return name
    if not folder.is_dir():
        raise InputError("--recordings: no such folder", file=folder, hint="a folder with recordings")
    if (folder / f"{name}{SUFFIX}").is_file():
        return str(folder / f"{name}{SUFFIX}")
    if (folder / name).is_dir():
        return imported(folder / name, name)
    there = [entry.name.removesuffix(SUFFIX) for entry in folder.iterdir()]
    near = nearest(name, there, f"{name}{SUFFIX}, or a folder {name} of recorded tables")
    raise InputError(f"no recording {name!r} lies there", file=folder, hint=near)


@cache
def workshop() -> Path:
    """A folder for what is made from the input, until the process ends."""
    folder = TemporaryDirectory(prefix="cowpath-builds-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def imported(folder: Path, name: str) -> str:
    """A folder of tables as a recording's file."""
    from cowpath.programs.importer import import_recording

    file = workshop() / f"{name}{SUFFIX}"
    write(import_recording(folder, name), file)
    return str(file)


@cache
def recording_of(source: str) -> Recording:
    """A recording as ``find_recording`` names it."""
    return load(library.packaged().get(source) or Path(source))


def play(build: Build) -> Outcome:
    """What becomes of it. Raises InputError where the recording is not of a build."""
    from cowpath.engine.ready import ready

    plan = plan_of(build).on(build.design)
    k = api.build_machine(plan, build.design, api.Options(seed=build.seed))
    clock = api.make_clock(k, plan, build.design, lambda events: None)
    ready(k)
    ending = clock.run(TIMEOUT_NS)
    if ending.exhausted is not None:
        raise InputError(f"{build.name}: the machine has run out of {ending.exhausted.what}")
    ended = int(k.books.now) < TIMEOUT_NS
    verdict = THRASHING if not ended else FINISHED if DONE in clock.output else KILLED
    return Outcome(verdict, int(k.books.now) / 1e9, counters(k, plan), int(k.books.groups[0].pgmajfault))


def counters(k: Any, plan: Plan) -> dict[str, int]:
    """The group's, as the real rows have them."""
    books = k.books.groups[plan.groups.index(GROUP)]
    values = (int(k.books.n_kills), int(books.max_usage) * n.PAGE_SIZE, *(int(books[name]) for name in COUNTERS[2:]))
    return dict(zip(COUNTERS, values, strict=True))


def plan_of(build: Build) -> Plan:
    """The session in which it is played."""
    recording = recording_of(build.source)
    programs = {"make": _entry("make", "build", build.source)}
    for victim in build.setup.victims:
        file = workshop() / f"{victim}.prog"
        file.write_text(victim_program(victim, recording), encoding="utf-8")
        programs[victim] = _entry(victim, "written", str(file))
    settings = MachineSettings(
        cpus=2, fetches=build.fetches, costs=COSTS,
        readahead=build.setup.read_ahead_kb * 1024 // n.PAGE_SIZE,
    )  # fmt: skip
    states = {file.name: FileSettings(Word(file.name, Place("")), warm=file.warm) for file in recording.files}
    table = Table(programs=programs, files=states, settings=settings, bystanders=())
    return plan_session(session(build.setup), build.name, table)


def session(setup: Setup) -> str:
    """Its script."""
    limits = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
    lines = [f"cgcreate -g memory:{GROUP}"]
    lines += [f"cgset -r {file}={setup.limit} {GROUP}" for file in limits if setup.limit is not None]
    lines += [f"cgexec -g memory:{GROUP} make {setup.jobs_text} &", "sleep 300ms"]
    lines += [f"{victim} &" for victim in setup.victims]
    return "\n".join([*lines, f"wait %1 && echo {DONE}", ""])


def victim_program(victim: str, recording: Recording) -> str:
    """A task outside that uses a file of the recording again and again: the first that is called so."""
    named = [file for file in recording.files if file.name.rpartition("/")[2].split(".")[0] == victim and file.pages]
    if not named:
        return "loop forever\n sleep 1s\nend\n"
    file = named[0]
    pages = permutation(file.pages)
    lines = ["loop forever"]
    for begin in range(0, len(pages), READS + WRITES):
        lines.append(f"mapf it @{file.name} {file.pages} rw private")
        for number, page in enumerate(pages[begin : begin + READS + WRITES]):
            lines.append(f"touch it {page} 1 1 {'r' if number < READS else 'w'}")
        lines += ["munmap it", "sleep 8ms"]
    return "\n".join([*lines, "end", ""])


def permutation(pages: int) -> list[int]:
    """The first pages of a file, each once, in an order that leaps about."""
    room = 1 << min(pages - 1, MOST_USED - 1).bit_length()
    return [page for number in range(room) if (page := number * LEAP % room) < pages]


def _entry(name: str, kind: str, source: str) -> Entry:
    return Entry(name, kind, source, "", Path(source), Word(name, Place(source)))
