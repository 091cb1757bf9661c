"""The page that goes through counterexamples move by move, below a table of all verdicts.

The page has the counterexamples' states and those that are one move from them; of a case that has few states, all of
them, so that whoever reads it can leave the counterexample and go anywhere (``explored``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cowpath.cases import Case
from cowpath.checker.atlas import does
from cowpath.checker.many import Job
from cowpath.checker.player import Row
from cowpath.checker.properties import ALL, Property
from cowpath.checker.result import VIOLATED, Result, missed
from cowpath.checker.schedule import Schedule
from cowpath.checker.show import unreached
from cowpath.checker.stage import Performance, perform
from cowpath.designs import Design, kernel_lines
from cowpath.observe.text import clean, count, duration

from .explored import Shelf, Told, nobody
from .html import render, write
from .matrix import matrix_of

MOST_CHARACTERS = 4_000_000  # of the counterexamples of a page; those that come later are only in its table
LONGEST = 400  # letters of a sentence from a case or a design


@dataclass(frozen=True)
class Counterexample:
    """What a page goes through. ``certified`` None: nobody has said whether there is a shorter one."""

    violated: str  # the property
    meaning: str
    reason: str
    design: Design
    case: Case
    moves: list[str]
    cycle: list[str]
    certified: bool | None
    source: str
    found_on: str = ""  # the design that it violates, where it is played on another one

    @property
    def title(self) -> str:
        """``isolation is violated: commit on linux-3.0``."""
        what = f"{clean(self.violated)} is violated" if self.violated else "a walk"
        if self.found_on:
            what = f"{clean(self.violated) or 'a walk'}, a schedule of {clean(self.found_on)}"
        return f"{what}: {clean(self.case.name)} on {clean(self.design.name)}"


def of_schedule(saved: Schedule, played_on: Design) -> Counterexample:
    """A saved schedule, to be played on its own design or on another one."""
    meanings = {each.name: each.meaning for each in ALL}
    return Counterexample(
        violated=saved.property, meaning=meanings.get(saved.property, ""), reason=saved.reason, design=played_on,
        case=saved.case, moves=saved.moves, cycle=saved.cycle, certified=None, source=saved.source,
        found_on="" if played_on is saved.design else saved.design.name,
    )  # fmt: skip


def write_checks(
    target: Path,
    checked: Sequence[tuple[Result, Job]],
    properties: Sequence[Property],
    command: str | None,
    told: Told = nobody,
    as_matrix: bool = False,
) -> None:
    """The page of a check: its results, each with its job, as a list or as a matrix. ``told`` hears what is done.

    Raises InputError.
    """
    meanings = {each.name: each.meaning for each in properties}
    shown: dict[int, dict[str, Any]] = {}
    shelf, left_out = Shelf(MOST_CHARACTERS), 0
    for at, (result, job) in enumerate(checked):
        if result.verdict == VIOLATED and shelf.room > 0:
            shown[at] = found_of(violation(result, job, meanings), len(shown) + 1, shelf)
        else:
            left_out += result.verdict == VIOLATED
    shelf.look_everywhere(told)
    results, found = [result for result, _ in checked], list(shown.values())
    numbers = {at: each["number"] for at, each in shown.items()}
    rows = results_rows(results, numbers)
    bound = f"{missed(max((result.states for result in results), default=0)):.1g}"
    title = found[0]["title"] if len(results) == 1 and found else verdicts_title(results)
    books = books_of([(job.design, job.case) for _, job in checked], found)
    page = render("steps.html.j2", title=title, results=rows, bound=bound, found=found, left_out=left_out,
                  never=never_rows(results), shelf=shelf, command=command,
                  matrix=matrix_of(results, numbers) if as_matrix else None, **books)  # fmt: skip
    write(target, page)


def write_replay(target: Path, each: Counterexample, command: str | None, told: Told = nobody) -> None:
    """The page of one saved schedule. Raises InputError where it cannot be played, or the page not be written."""
    shelf = Shelf(MOST_CHARACTERS)
    found = [found_of(each, 1, shelf)]
    shelf.look_everywhere(told)
    books = books_of([(each.design, each.case)], found)
    page = render("steps.html.j2", title=each.title, results=[], bound="", found=found, left_out=0, never=[],
                  shelf=shelf, command=command, matrix=None, **books)  # fmt: skip
    write(target, page)


def violation(result: Result, job: Job, meanings: Mapping[str, str]) -> Counterexample:
    """What a check has found, to be gone through; ``meanings``: of the properties, by name."""
    return Counterexample(
        violated=result.property, meaning=meanings.get(result.property, ""), reason=result.reason, design=job.design,
        case=job.case, moves=result.schedule, cycle=result.cycle, certified=result.certified, source=job.case.source,
    )  # fmt: skip


def verdicts_title(results: Sequence[Result]) -> str:
    """``2 of 9 verdicts: violated``."""
    words = {"violated": "violated", "vacuous": "proved, but vacuous", "unfinished": "not finished"}
    found = Counter(result.verdict for result in results)
    kinds = [f"{found[verdict]} {said}" for verdict, said in words.items() if found[verdict]]
    if not kinds:
        return f"Proved: {len(results)} of {len(results)} verdicts" if len(results) != 1 else "Proved"
    return f"{len(results)} {'verdict' if len(results) == 1 else 'verdicts'}: {', '.join(kinds)}"


def results_rows(results: Sequence[Result], numbers: dict[int, int]) -> list[dict[str, Any]]:
    """The rows of the table of verdicts; ``numbers``: which counterexample of the page is which result's."""
    return [
        {"design": clean(result.design), "case": clean(result.case), "property": clean(result.property),
         "verdict": result.verdict, "depth": result.depth, "states": count(result.states),
         "transitions": count(result.transitions), "reason": result.reason, "number": numbers.get(at)}
        for at, result in enumerate(results)
    ]  # fmt: skip


def never_rows(results: Sequence[Result]) -> list[dict[str, Any]]:
    """What never happened in a case, in all its states; what is the same for several designs is said once."""
    return [{"case": clean(case), "designs": ", ".join(map(clean, designs)), "lines": lines}
            for case, designs, lines in unreached(results)]  # fmt: skip


# --- one counterexample
def found_of(each: Counterexample, number: int, shelf: Shelf) -> dict[str, Any]:
    """What the template and the script say of a counterexample; its states go onto the shelf."""
    played = perform(each.case, each.design, each.moves, each.cycle, each.source)
    rows = table_rows(played.rows, played.tasks)
    walk = shelf.walk(each.case, each.design, [*each.moves, *each.cycle], each.source)
    shelf.room -= len(json.dumps(rows))
    return {
        "number": number, "title": each.title, "property": clean(each.violated), "meaning": each.meaning,
        "reason": each.reason, "found_on": clean(each.found_on), "certified": each.certified,
        "moves": len(each.moves), "last": len(played.rows), "cycle_from": played.cycle_from,
        "design": each.design, "design_name": clean(each.design.name),
        "design_summary": clean(each.design.summary, LONGEST),
        "case": each.case, "case_name": clean(each.case.name), "case_summary": clean(each.case.summary, LONGEST),
        "columns": columns(played.rows, played.tasks), "rows": rows,
        "end": played.pictures[-1], "paths": _paths(each.design, played),
        "data": walk | {"cycle": played.cycle_from, "name": each.violated, "reason": each.reason,
                        "own": not each.found_on},
    }  # fmt: skip


def _paths(design: Design, played: Performance) -> dict[str, tuple[str, ...]]:
    """The paths that were taken."""
    used = {place.path for picture in played.pictures for task in picture.tasks for place in task.places}
    return {path: design.paths[path] for path in sorted(used)}


def columns(rows: Sequence[Row], tasks: Sequence[str]) -> list[str]:
    """The columns of the table of moves between the number and the locks: the tasks that move, then all others."""
    others = any(not 0 <= row.task < len(tasks) for row in rows)
    return [name for t, name in enumerate(tasks) if any(row.task == t for row in rows)] + ["others"] * others


def table_rows(rows: Sequence[Row], tasks: Sequence[str]) -> list[list[str]]:
    """A row per move: what is done, in its mover's column; page locks, usages and the time."""
    heads = columns(rows, tasks)
    return [
        [*(_words(row, tasks) if name == (tasks[row.task] if 0 <= row.task < len(tasks) else "others") else ""
           for name in heads), ", ".join(row.locks), ", ".join(row.usage), duration(row.begins_ns)]
        for row in rows
    ]  # fmt: skip


def _words(row: Row, tasks: Sequence[str]) -> str:
    words = does(row.path, clean(row.step)) + (f" ({row.ends})" if row.ends else "")
    return words if row.task < len(tasks) else f"{clean(row.mover)}: {words}"


# --- for notebooks
def results_html(results: Sequence[Result]) -> str:
    """The table of verdicts, to stand in another page."""
    return render("results.html.j2", results=results_rows(results, {}))


def moves_html(rows: Sequence[Row], tasks: Sequence[str], cycle_from: int | None, reasons: Sequence[str]) -> str:
    """The table of moves and what is said of their end, to stand in another page."""
    return render("moves.html.j2", number=None, columns=columns(rows, tasks), rows=table_rows(rows, tasks),
                  cycle_from=cycle_from, caption="; ".join(dict.fromkeys(reasons)))  # fmt: skip


# --- the end of the page
def books_of(pairs: Sequence[tuple[Design, Case]], found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The designs and the cases, each once; of a design the paths that its cases are about, and that were taken."""
    designs: dict[tuple[str, str], dict[str, Any]] = {}
    cases: dict[tuple[str, str], dict[str, str]] = {}
    for design, case in pairs:
        book = designs.setdefault(_key(design), {"name": clean(design.name), "summary": clean(design.summary, LONGEST),
                                  "kernel": clean(kernel_lines([design])[0], LONGEST),
                                  "policies": design.policies, "paths": {}})  # fmt: skip
        book["paths"][case.path] = design.paths[case.path]
        cases.setdefault((case.name, case.text), {"name": clean(case.name), "text": case.text})
    for each in found:
        designs[_key(each["design"])]["paths"] |= each["paths"]
    return {"designs": list(designs.values()), "cases": list(cases.values())}


def _key(design: Design) -> tuple[str, str]:
    return design.name, design.source
