"""How long a task sleeps over memory.high, held against measured sleeps (a table with a line per excess).

Each line is a charge of one batch: how many pages the group was over its mark after it, and how long the task slept
then, in each run. Sleeps of the longest length tell nothing of the formula, and are not compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from cowpath import designs
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.words import Place, read_text

from .play import play
from .scenario import scenario_of

COLUMNS = ("kernel", "high_pages", "excess_pages")
RUNS = "measured_s_per_run"
BATCH = 64  # pages of a charge
CAP_S = 2.0  # no sleep of one charge is longer
US_PER_S = 1e6


@dataclass(frozen=True)
class Line:
    """A measured sleep."""

    kernel: str
    high: int  # pages
    excess: int  # pages
    runs: tuple[float, ...]  # seconds
    place: Place

    @property
    def measured(self) -> float:
        """The run in the middle, in seconds: load makes a sleep longer."""
        return median(self.runs)


@dataclass(frozen=True)
class Slept:
    """A line, and how long the model sleeps; None if it never charges at that excess."""

    line: Line
    design: str
    simulated: float | None  # seconds

    @property
    def error(self) -> float:
        """How far off, as a part of the measured time."""
        return 1.0 if self.simulated is None else abs(self.simulated / self.line.measured - 1)


@dataclass(frozen=True)
class Errors:
    """Of the lines of one kernel below the cap."""

    design: str
    lines: int
    median: float
    p90: float

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {"kernel": self.design, "lines": self.lines, "median": self.median, "p90": self.p90}


def is_table(path: Path) -> bool:
    """Whether a file is one of these: by its name."""
    return path.suffix == ".tsv"


def read_table(path: Path) -> list[Line]:
    """All lines. Raises InputError: the file, the line, what would be right."""
    head, *rows = read_text(path).splitlines() or [""]
    columns = head.split("\t")
    missing = [name for name in (*COLUMNS, RUNS) if name not in columns]
    if missing:
        raise InputError(
            f"no column {missing[0]!r}", file=path, line=1, hint=f"{', '.join((*COLUMNS, RUNS))}, with tabs"
        )
    found = []
    for number, row in enumerate(rows, 2):
        if row.strip():
            cells = row.split("\t")
            place = Place(str(path), number)
            if len(cells) != len(columns):
                raise place.error(f"{len(cells)} columns", f"{len(columns)}, as in the first line")
            found.append(_line(dict(zip(columns, cells, strict=True)), place))
    if not found:
        raise InputError("there is no line in it", file=path, hint="a kernel, a mark, an excess and the sleeps on each")
    return found


def _line(cells: Mapping[str, str], place: Place) -> Line:
    for name in COLUMNS[1:]:
        if not cells[name].isdecimal():
            raise place.error(f"{name}: {cells[name]!r} is no number of pages", "a whole number")
    try:
        runs = tuple(float(word) for word in cells[RUNS].split())
    except ValueError:
        runs = ()
    if not runs or not all(0 < run < 1e6 for run in runs):
        raise place.error(f"{RUNS}: {cells[RUNS]!r} is no list of sleeps", "seconds above 0, with blanks between")
    return Line(cells["kernel"], int(cells["high_pages"]), int(cells["excess_pages"]), runs, place)


def groups_of(lines: Sequence[Line], kernel: str | None) -> list[list[Line]]:
    """Those of one kernel and one mark together, which one run plays. Raises InputError for an unknown kernel."""
    made: dict[tuple[str, int], list[Line]] = {}
    for line in lines:
        name = design_of(line)
        if name not in designs.names():
            raise line.place.error(f"kernel {line.kernel!r} has no profile", f"known: {', '.join(designs.names())}")
        if kernel in (None, name):
            made.setdefault((name, line.high), []).append(line)
    if not made:
        raise lines[0].place.error(f"no line of it was measured on {kernel}", f"there is {design_of(lines[0])}")
    return list(made.values())


def design_of(line: Line) -> str:
    """The profile of the kernel that a line was measured on."""
    return "linux-" + ".".join(line.kernel.split(".")[:2])


def played(lines: Sequence[Line]) -> list[Slept]:
    """A lone task fills its group to the mark, then charges batch after batch: how long it sleeps at each excess."""
    first = lines[0]
    most = max(line.excess for line in lines)
    row = _row(first, most)
    result = play(scenario_of(row, first.place), designs.load(design_of(first)))["result"]
    sleeps: dict[int, float] = {}
    for entry in result:
        usage = entry.get("groups", {}).get("A", {}).get("current")
        slow = entry.get("slow")
        if usage is not None and slow and slow["n"] == 1:
            sleeps[usage // n.PAGE_SIZE - first.high] = slow["sum_us"] / US_PER_S
    return [Slept(line, design_of(line), sleeps.get(line.excess)) for line in lines]


def _row(line: Line, most: int) -> dict[str, Any]:
    """The scenario, as rows of scenarios are written."""
    pages = line.high + most + 2 * BATCH
    touches = [["t", f"touch a {start} {BATCH} 1 w"] for start in range(line.high, pages, BATCH)]
    steps = [["t", f"anon a {pages + BATCH}"], ["t", f"touch a 0 {line.high} 1 w"], *touches]
    return {
        "id": f"throttle_{line.high}", "kernel": line.kernel, "groups": {"A": {"high": line.high * n.PAGE_SIZE}},
        "tasks": {"t": {"group": "A", "cpu": 0}}, "steps": steps, "result": [],
    }  # fmt: skip


def errors(slept: Sequence[Slept]) -> list[Errors]:
    """For each kernel: of the lines whose sleeps are below the cap, the error in the middle and that of nine in ten."""
    found: dict[str, list[float]] = {}
    for each in slept:
        if each.line.measured < CAP_S:
            found.setdefault(each.design, []).append(each.error)
    return [Errors(design, len(its), median(its), _p90(its)) for design, its in found.items()]


def _p90(values: Sequence[float]) -> float:
    return quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]


def as_json(slept: Sequence[Slept]) -> dict[str, Any]:
    """The object of a table of sleeps."""
    lines = [
        {"kernel": each.design, "high_pages": each.line.high, "excess_pages": each.line.excess,
         "measured_s": each.line.measured, "simulated_s": each.simulated}
        for each in slept
    ]  # fmt: skip
    return {"throttle": [each.as_json() for each in errors(slept)], "lines": lines}
