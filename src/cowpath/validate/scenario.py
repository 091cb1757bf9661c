"""The rows of a file of scenarios (JSON lines): groups, tasks, files and steps, and what a real kernel made of them.

Two schemas, of cgroup v1 (``limit``, ``memsw``, ...) and of v2 (``max``, ``high``, ...); docs/fidelity.md has both.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cowpath.validate import ctl, shapes
from cowpath.words import Place, read_text

V1_KERNEL = "6.18.44"  # of the rows of cgroup v1, which do not say which it was
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")  # of a task
MODES = ("async",)
MOST_STEPS = 10_000
DIGITS = 20  # of a number
CTL = "ctl"  # who stands outside and commands
BLOCK = ";"  # between the lines of a step of several; what such a step is called
_LABEL = re.compile(r"(\d+\.\d+)[^+]*(?:\+(\w+))?")


@dataclass(frozen=True)
class Step:
    """One step: who does what; ``waits``: the next one begins when it has ended."""

    who: str
    words: tuple[str, ...]
    waits: bool
    place: Place

    @property
    def command(self) -> str:
        """Its first word."""
        return BLOCK if self.is_block else self.words[0]

    @property
    def text(self) -> str:
        """As it is written."""
        return " ".join(self.words)

    @property
    def is_block(self) -> bool:
        """It is several lines of a written program (docs/programs.md), with ";" between them."""
        return any(BLOCK in word for word in self.words)


@dataclass(frozen=True)
class Scenario:
    """A row. ``row`` is all of it, as it was read."""

    id: str
    desc: str
    kernel: str  # the label of the kernel that it was measured on: "6.18.15", "6.18.15+mglru"
    interface: str  # "v1" or "v2"
    groups: Mapping[str, Mapping[str, Any]]
    tasks: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, Mapping[str, Any]]
    swap_mb: int
    memory_mb: int | None  # of the machine; None: that of the machine on which rows of the interface were measured
    steps: tuple[Step, ...]
    place: Place
    row: Mapping[str, Any] = field(repr=False, compare=False, default_factory=dict)

    @property
    def kind(self) -> str:
        """What kind of scenario it is: the letters of its name."""
        return re.split(r"[^a-z]", self.id, maxsplit=1)[0]

    @property
    def variant(self) -> str:
        """What was other than usual on that kernel: "mglru", or nothing."""
        match = _LABEL.fullmatch(self.kernel)
        return (match[2] or "") if match else ""

    @property
    def release(self) -> str:
        """The release of the kernel: "6.18"."""
        match = _LABEL.fullmatch(self.kernel)
        return match[1] if match else self.kernel


def read_scenarios(path: str | Path) -> list[Scenario]:
    """All rows of a file. Raises InputError for the first that is wrong: its line, the word, what would be right."""
    return [scenario_of(row, place) for row, place in rows_of(path)]


def rows_of(path: str | Path) -> Iterator[tuple[dict[str, Any], Place]]:
    """The objects of a file of JSON lines; those that begin with "#" are comments. Raises InputError."""
    lines = read_text(Path(path)).split("\n")
    found = False
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        place = Place(str(path), number)
        row = _read(line, place)
        if not isinstance(row, dict):
            raise place.error("no scenario: not an object", "an object with id, groups, tasks and steps on each line")
        found = True
        yield row, place
    if not found:
        raise Place(str(path)).error("there is no scenario in it", "an object with id, groups, tasks and steps a line")


def _read(line: str, place: Place) -> Any:
    """What a line of JSON says. Raises InputError."""

    def whole(text: str) -> int:
        if len(text) > DIGITS or not -shapes.MOST <= int(text) <= shapes.MOST:
            raise place.error(f"a number of {len(text)} digits", f"at most {shapes.MOST}")
        return int(text)

    def fraction(text: str) -> float:
        if not math.isfinite(float(text)):
            raise place.error(f"{text} is no number that can be compared", f"at most {shapes.MOST}")
        return float(text)

    try:
        return json.loads(line, parse_int=whole, parse_float=fraction, parse_constant=fraction)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(line.rstrip()) or error.msg.startswith("Unterminated")
        what = "the line breaks off" if cut else f"no JSON: {error.msg}"
        raise Place(place.file, place.line, error.colno).error(what, "a whole object on each line") from None
    except RecursionError:
        raise place.error("no scenario: lists within lists without end", "an object with id, steps, ...") from None


def scenario_of(row: Mapping[str, Any], place: Place) -> Scenario:
    """A scenario from its row. Raises InputError."""
    for key, kind, what in (("id", str, "a text"), ("groups", dict, "an object"), ("tasks", dict, "an object"),
                            ("steps", list, "a list"), ("result", list, "a list")):  # fmt: skip
        if not isinstance(row.get(key), kind):
            raise place.error(f"a scenario without {key!r}", f'"{key}": {what}')
    for key in ("kernel", "desc"):
        if not isinstance(row.get(key, ""), str):
            raise place.error(f"{key} is {shapes.shown(row[key])}", "a text")
    groups, tasks, files = (_table(row, key, place) for key in ("groups", "tasks", "files"))
    interface = _interface(row, groups, place)
    _check_groups(groups, interface, place)
    _check_tasks(tasks, groups, place)
    for name, file in files.items():
        if not re.fullmatch(r"[^\s;@]+", name):
            raise place.error(f"a file called {name!r}", "a name without blanks, ';' and '@'")
        shapes.check_fields(file, shapes.FILE, f"file {name!r}", place)
    steps = _steps(row["steps"], tasks, groups, files, place)
    shapes.check_measured(row, place)
    return Scenario(
        row["id"], row.get("desc", ""), row.get("kernel", V1_KERNEL), interface, groups, tasks, files,
        _megabytes(row, "swap_mb", 0, place) or 0, _megabytes(row, "memory_mb", 1, place), steps, place, row,
    )  # fmt: skip


def _megabytes(row: Mapping[str, Any], key: str, least: int, place: Place) -> int | None:
    value, kind = row.get(key), shapes.whole(least, 1 << 20)
    if value is not None and not kind.holds(value):
        raise place.error(f"{key}: {shapes.shown(value)}", kind.says)
    return None if value is None else int(value)


def _interface(row: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]], place: Place) -> str:
    """Which cgroups a row is about: its groups' keys tell, or else what their counters are called."""
    keys = {key for group in groups.values() for key in group}
    for interface, other in (("v1", "v2"), ("v2", "v1")):
        if keys & (shapes.GROUPS[interface].keys() - shapes.GROUPS[other].keys()):
            return interface
    first = next((r.get("groups") for r in row["result"] if isinstance(r, dict) and r.get("groups")), None)
    counters = next(iter(first.values())) if isinstance(first, dict) else None
    if isinstance(counters, dict):
        return "v1" if "usage_in_bytes" in counters else "v2"
    return "v2" if "kernel" in row else "v1"


def _table(row: Mapping[str, Any], key: str, place: Place) -> Mapping[str, Mapping[str, Any]]:
    table = row.get(key) or {}
    if not isinstance(table, dict):
        raise place.error(f"{key!r} is no object", f'"{key}": {{NAME: {{...}}}}')
    for name, values in table.items():
        if not isinstance(values, dict):
            raise place.error(f"{name!r} in {key!r} is no object", f'"{name}": {{...}}')
    return table


def _check_groups(groups: Mapping[str, Mapping[str, Any]], interface: str, place: Place) -> None:
    """Known keys, and parents that are there and end at the root."""
    for name, group in groups.items():
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            raise place.error(f"group {name!r}", "letters, digits, '.', '_' and '-'")
        shapes.check_fields(group, shapes.GROUPS[interface], f"group {name!r} (of cgroup {interface})", place)
        seen = [name]
        while (up := groups[seen[-1]].get("parent")) is not None:
            if up not in groups:
                raise place.error(f"the parent of group {seen[-1]!r} is {up!r}, which is not there", ctl.some(groups))
            if up in seen:
                raise place.error(f"the groups {', '.join([*seen, up])} are each other's parents", "a tree of groups")
            seen.append(up)


def _check_tasks(tasks: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Any], place: Place) -> None:
    """Known keys; groups that are there; threads of processes."""
    for name, task in tasks.items():
        if name == CTL or not NAME.fullmatch(name):
            raise place.error(f"a task called {name!r}", f"letters, digits, '-' and '_', and not {CTL}")
        shapes.check_fields(task, shapes.TASK, f"task {name!r}", place)
        if task.get("group") is not None and task["group"] not in groups:
            raise place.error(f"task {name!r} is in {task['group']!r}, which is no group", ctl.some(groups))
        for key in ("thread_of", "child_of"):
            if task.get(key) is not None and task[key] not in tasks:
                raise place.error(f"task {name!r} is {key} {task[key]!r}, which is no task", ctl.some(tasks))
        owner = tasks.get(task.get("thread_of") or "", {})
        if owner.get("thread_of") is not None or owner.get("child_of") is not None:
            raise place.error(
                f"task {name!r} is a thread of {task['thread_of']!r}",
                "a thread of a process that is there from the start",
            )


def _steps(
    rows: list[Any], tasks: Mapping[str, Any], groups: Mapping[str, Any], files: Mapping[str, Any], place: Place
) -> tuple[Step, ...]:
    """The steps; those of ctl are checked word by word."""
    if not 0 < len(rows) <= MOST_STEPS:
        raise place.error(f"a scenario of {len(rows)} steps", f"1 to {MOST_STEPS}")
    steps = tuple(_step(row, tasks, place) for row in rows)
    made = {step.words[2] for step in steps if step.who == CTL and step.command == "fork" and len(step.words) == 3}
    for step in steps:
        if step.who == CTL:
            ctl.check(step, tasks.keys() | made, groups, files)
    return steps


def _step(step: Any, tasks: Mapping[str, Any], place: Place) -> Step:
    good = isinstance(step, list) and 2 <= len(step) <= 3 and all(isinstance(word, str) for word in step)
    if not good or not step[1].split():
        raise place.error(f"no step: {shapes.shown(step)}", '["t", "touch a 0 1 1 w"], or with a third "async"')
    who, text = step[:2]
    # a child that "fork P C" makes need not be among the tasks
    if who != CTL and not NAME.fullmatch(who):
        raise place.error(f"step {text!r} is done by {who!r}, which is no task", ctl.some([*tasks, CTL]))
    if len(step) == 3 and step[2] not in MODES:
        raise place.error(f"step {text!r} has mode {step[2]!r}", "async, or nothing")
    return Step(who, tuple(text.split()), len(step) == 2, place)
