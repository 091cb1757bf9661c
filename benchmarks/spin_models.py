"""The models written for SPIN by hand (benchmarks/spin/), what SPIN says of them, and what cowpath says of the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cowpath import designs
from cowpath.cases import Case, load
from cowpath.cases.plan import compile_case
from cowpath.checker.check import check_case
from cowpath.checker.properties import find
from cowpath.designs import Design
from cowpath.engine import costs

HERE = Path(__file__).resolve().parent / "spin"
ISOLATION = "isolation"
NO_STALE_PAGE = "no-stale-page"
NO_REREAD = "no-reread"

UNREDUCED = ("-O2", "-DSAFETY", "-DNOREDUCE")
BY_BREADTH = (*UNREDUCED, "-DBFS")
UNMERGED = ("-o3",)  # of spin: each statement a transition, so that depths and transitions are counted in moves
AT = re.compile(r"assertion violated .*\(at depth (\d+)\)", re.DOTALL)


@dataclass(frozen=True)
class Model:
    """A kernel in Promela, the designs that it knows (DESIGN there, from 1), and its cases with their properties."""

    kernel: str
    designs: tuple[str, ...]
    cases: dict[str, tuple[str, ...]]

    def questions(self) -> Iterator[tuple[str, str, str]]:
        """Each (case, property, design)."""
        for case, properties in self.cases.items():
            for prop in properties:
                for design in self.designs:
                    yield case, prop, design


LIMIT = Model(
    "kernel.pml",
    ("linux-3.0", "preallocate", "charge-after-unlock", "unlock-charge-relock"),
    {
        "commit": (ISOLATION,),
        "hierarchy": (ISOLATION,),
        "oom-on": (ISOLATION,),
        "killed-waiter": (ISOLATION,),
        "truncate-while-waiting": (ISOLATION, NO_STALE_PAGE),
        "two-threads": (ISOLATION,),
        "mmap-sem-reader": (ISOLATION,),
        "write": (ISOLATION,),
        "crowd": (),  # for the rates
    },
)
HIGH = Model(
    "high.pml",
    ("linux-6.18", "high-after-submit", "high-at-return"),
    {"high-read": (ISOLATION, NO_REREAD), "high-truncate": (ISOLATION, NO_REREAD)},
)
MODELS = (LIMIT, HIGH)


@dataclass(frozen=True)
class Verdict:
    """Whether the property is violated, and after how many moves at the earliest (0: it is not)."""

    violated: bool
    moves: int

    def __str__(self) -> str:
        return "VIOLATED" if self.violated else "proved"


# --- SPIN -----------------------------------------------------------------------------------------
def missing() -> str:
    """What is not installed, or nothing."""
    return " and ".join(tool for tool in ("spin", "gcc") if shutil.which(tool) is None)


def make_pan(folder: Path, case: str, design: str, prop: str, spin: Sequence[str], gcc: Sequence[str]) -> Path:
    """The checker that SPIN makes of a case, compiled in ``folder``. Raises RuntimeError if SPIN or gcc fails."""
    model = next(each for each in MODELS if case in each.cases and design in each.designs)
    for source in (HERE / model.kernel, HERE / f"{case}.pml"):
        shutil.copy(source, folder)
    defines = [f"-DDESIGN={model.designs.index(design) + 1}", f"-D{prop.upper().replace('-', '_')}"]
    _run(["spin", *spin, *defines, "-a", f"{case}.pml"], folder)
    _run(["gcc", *gcc, "-o", "pan", "pan.c"], folder)
    return folder / "pan"


def run_pan(pan: Path) -> str:
    """What it prints. Who sleeps for ever is no error here (-E). Raises RuntimeError if it did not visit all states."""
    told = _run([str(pan), "-E"], pan.parent)
    if "errors:" not in told or "max search depth too small" in told or "Search not completed" in _before_errors(told):
        raise RuntimeError(f"pan did not finish:\n{told}")
    return told


def _before_errors(told: str) -> str:
    """An incomplete search is one only if it was not for a violation that it stopped."""
    return "" if "assertion violated" in told else told


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def spin_verdict(case: str, design: str, prop: str) -> Verdict:
    """By a breadth-first search without reduction: the first violation is a nearest one.

    pan counts the transitions before the one whose assertion fails; that one is a move as well.
    """
    with tempfile.TemporaryDirectory(prefix="cowpath-spin-") as name:
        told = run_pan(make_pan(Path(name), case, design, prop, UNMERGED, BY_BREADTH))
    found = AT.search(told)
    return Verdict(found is not None, int(found[1]) + 1 if found else 0)


# --- cowpath --------------------------------------------------------------------------------------
def own(name: str) -> str | Path:
    """The file here of that name, or the name of what is packaged."""
    file = HERE / f"{name}.toml"
    return file if file.exists() else name


def cowpath_case(name: str) -> Case:
    """A packaged case, or one of those here."""
    return load(own(name))


def cowpath_design(name: str) -> Design:
    """A packaged design, or one of those here."""
    return designs.load(own(name))


def cowpath_verdict(case: str, design: str, prop: str) -> Verdict:
    """By the search without reduction."""
    plan = compile_case(cowpath_case(case))
    result = check_case(plan, cowpath_design(design), [find(prop)], costs.load())[0]
    if result.verdict not in ("proved", "violated"):
        raise RuntimeError(f"{case} on {design}: {result.reason}")
    violated = result.verdict == "violated"
    return Verdict(violated, result.depth if violated else 0)
