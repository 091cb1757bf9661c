"""The first answer, and the first after an edit: from a clone, from a wheel, warm; on this tree, or on two in turns."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from sides import Side, Spent, finished, installed
from tables import Target, console, show, show_targets
from weight import mib

RUN = ("run", "examples/oom-off.sh")
CHECK = ("check", "-d", "linux-3.0", "-c", "commit")
VIOLATED = 1  # the status of that check
TURNS = 5
EDITED = Path("src/cowpath/kernel/memory.py")
STEP = re.compile(r"(def (?:step_)?copy_page\(k, t\):.*?\n    f = current\(k, t\)\n)", re.DOTALL)

Row = dict[str, float | None]  # what was measured, by its name in ASKED; None: this tree has no such thing

ASKED = {  # name: (unit, the most that was asked for)
    "first run from a clone, processor": (" s", 24),
    "first run from a clone, peak memory": (" MiB", 320),
    "first check from a clone, processor": (" s", 29),
    "first check from a clone, peak memory": (" MiB", 420),
    "both by cowpath warm-up, wall": (" s", None),
    "first run from a wheel, wall": (" s", 2),
    "first check from a wheel, wall": (" s", 2),
    "edit of a step to the check's verdict, wall": (" s", 12),
    "virtual environment": (" MiB", 450),
    "small run, warm, wall": (" s", 0.8),
    "small run, warm, peak memory": (" MiB", None),
    "cowpath --version, wall": (" s", 0.09),
}


def measure() -> list[Target]:
    """This tree alone, for ``bench.py``."""
    with installed(None) as side:
        return compare([side])


def compare(sides: Sequence[Side]) -> list[Target]:
    """All rows of all sides, in turns; the targets are for the last of them."""
    rows: list[Row] = [{} for _ in sides]
    for point in (weight, from_a_clone, by_warm_up, from_a_wheel, after_an_edit):
        for side, row in zip(sides, rows, strict=True):
            row.update(point(side))
            console.print(f"{side.name}: {point.__name__.replace('_', ' ')}", style="dim")
    for row, spent in zip(rows, warm(sides), strict=True):
        row.update(spent)
    table = [(name, *(shown(row.get(name), unit) for row in rows)) for name, (unit, _) in ASKED.items()]
    show("The first answer", ("what", *(side.name for side in sides)), table)
    targets = [
        Target(name, value, most, unit, most=True)
        for name, (unit, most) in ASKED.items()
        if most is not None and (value := rows[-1].get(name)) is not None
    ]
    show_targets(targets)
    return targets


def shown(value: float | None, unit: str) -> str:
    """A figure, or that there is none."""
    if value is None:
        return "-"
    return f"{value:.0f}{unit}" if value >= 100 else f"{value:.2f}{unit}"


def weight(side: Side) -> Row:
    """The environment, as installed: before anything has been imported in it."""
    return {"virtual environment": mib(side.environment)}


def from_a_clone(side: Side) -> Row:
    """With nothing compiled: once, since it takes long and there is nothing to be drawn by lot."""
    row: Row = {}
    for what, words, status in (("run", RUN, 0), ("check", CHECK, VIOLATED)):
        spent = side.cowpath(*words, status=status)
        row[f"first {what} from a clone, processor"] = spent.cpu_s
        row[f"first {what} from a clone, peak memory"] = spent.peak_mib
    return row


def by_warm_up(side: Side) -> Row:
    """Both compiled side by side, where there is a command for it."""
    if not knows(side, "warm-up"):
        return {}
    return {"both by cowpath warm-up, wall": side.fresh().cowpath("warm-up").wall_s}


def knows(side: Side, command: str) -> bool:
    """Whether its command line has this command."""
    words = [str(side.python), "-m", "cowpath", command, "--help"]
    return subprocess.run(words, cwd=side.tree, env=side.settings, capture_output=True).returncode == 0


def from_a_wheel(side: Side) -> Row:
    """Installed from its wheel, with compiled objects in it where ``make wheel`` puts them there."""
    with tempfile.TemporaryDirectory(dir=side.cache.parent) as folder:
        wheel = built(side, Path(folder))
        environment = Path(folder) / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        user = Side(side.name, side.tree / "examples", environment, Path(folder) / "cache")
        user.cache.mkdir()
        user.pip(str(wheel))
        spent = user.cowpath("run", "oom-off.sh"), user.cowpath(*CHECK, status=VIOLATED)
    return {f"first {what} from a wheel, wall": each.wall_s for what, each in zip(("run", "check"), spent, strict=True)}


def built(side: Side, folder: Path) -> Path:
    """Its wheel."""
    if re.search(r"^wheel:", (side.tree / "Makefile").read_text(encoding="utf-8"), re.MULTILINE):
        finished(["make", "wheel", f"PYTHON={sys.executable}"], side.tree, side.settings)
        found = list((side.tree / "dist").glob("*.whl"))
    else:
        words = ["-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "-w", str(folder), "."]
        finished([side.python, *words], side.tree, side.settings)
        found = list(folder.glob("*.whl"))
    if len(found) != 1:
        raise RuntimeError(f"{side.tree}: {len(found)} wheels were built, not one")
    return found[0]


def after_an_edit(side: Side) -> Row:
    """A step does one thing more; then the check again, with all else compiled."""
    source = side.tree / EDITED
    before = source.read_text(encoding="utf-8")
    side.cowpath(*CHECK, status=VIOLATED)
    source.write_text(edited(before), encoding="utf-8")
    try:
        spent = side.cowpath(*CHECK, status=VIOLATED)
    finally:
        source.write_text(before, encoding="utf-8")
    return {"edit of a step to the check's verdict, wall": spent.wall_s}


def edited(source: str) -> str:
    """The step that copies a page looks at the page once more, which changes no verdict."""
    changed, times = STEP.subn(r"\1    _in_hand = f.page\n", source)
    if times != 1:
        raise RuntimeError(f"{EDITED} has no step copy_page that begins with its frame")
    return changed


def warm(sides: Sequence[Side]) -> list[Row]:
    """A small run and the version, in turns: medians."""
    runs: list[list[Spent]] = [[] for _ in sides]
    versions: list[list[Spent]] = [[] for _ in sides]
    for turn in range(TURNS + 1):
        for place, side in enumerate(sides):
            spent, version = side.cowpath(*RUN), side.cowpath("--version")
            if turn:  # the first makes sure that all is compiled, and in memory
                runs[place].append(spent)
                versions[place].append(version)
    return [
        {
            "small run, warm, wall": median(each.wall_s for each in run),
            "small run, warm, peak memory": median(each.peak_mib for each in run),
            "cowpath --version, wall": median(each.wall_s for each in version),
        }
        for run, version in zip(runs, versions, strict=True)
    ]
