"""cowpath's checker against SPIN, on models of the same cases written for SPIN by hand (benchmarks/spin/).

Verdicts and the moves of the shortest counterexamples must agree, else this ends with 1; then both are timed.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from spin_models import (
    AT,
    ISOLATION,
    LIMIT,
    MODELS,
    UNMERGED,
    UNREDUCED,
    cowpath_case,
    cowpath_design,
    cowpath_verdict,
    make_pan,
    missing,
    run_pan,
    spin_verdict,
)
from tables import Target, console, rate, show, show_targets

from cowpath.cases.plan import compile_case
from cowpath.checker import boot
from cowpath.checker.properties import find
from cowpath.checker.space import Space
from cowpath.engine import costs

CROWD = "crowd"  # the case for the rates: larger than the packaged ones
REPETITIONS = 3  # of the searches
COMMANDS = 2  # of the whole commands
REDUCED = ("-O2", "-DSAFETY")


@dataclass(frozen=True)
class Speed:
    """A search of all states: the best of some repetitions."""

    states: int
    transitions: int
    wall_s: float
    cpu_s: float
    bytes_a_state: float  # of the states alone, where the program tells
    whole_bytes_a_state: float  # with its tables


# --- SPIN -----------------------------------------------------------------------------------------
def _number(pattern: str, told: str) -> float:
    found = re.search(pattern, told)
    if found is None:
        raise RuntimeError(f"pan does not say {pattern!r}:\n{told}")
    return float(found[1])


def spin_speed(pan: Path) -> Speed:
    """One search; its wall time is pan's own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = run_pan(pan)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    states = int(_number(r"(\d+) states, stored", told))
    kept = _number(r"([\d.]+)\s+(?:actual|equivalent) memory usage for states(?: \(compression|\n)", told)
    return Speed(
        states=states,
        transitions=int(_number(r"(\d+) transitions", told)),
        wall_s=_number(r"elapsed time ([\d.e+-]+)", told),
        cpu_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        bytes_a_state=kept * 2**20 / states,
        whole_bytes_a_state=_number(r"([\d.]+)\s+total actual memory usage", told) * 2**20 / states,
    )


def spin_seconds(case: str, design: str) -> tuple[float, bool]:
    """From nothing to the verdict, with SPIN's reduction: spin, gcc and pan. Also whether it is a violation."""
    with tempfile.TemporaryDirectory(prefix="cowpath-spin-") as name:
        began = time.perf_counter()
        told = run_pan(make_pan(Path(name), case, design, ISOLATION, (), REDUCED))
        return time.perf_counter() - began, AT.search(told) is not None


# --- cowpath --------------------------------------------------------------------------------------
def cowpath_speed(case: str, design: str) -> Speed:
    """One search of all states, without folding or reduction, which looks for violations of isolation in each."""
    space = Space()
    boot.start(compile_case(cowpath_case(case)), cowpath_design(design), costs.load(), space)
    began = time.process_time()
    space.explore(1 << find(ISOLATION).number, fold=False, reduce=False)
    cpu_s = time.process_time() - began
    each = space.bytes / space.states
    return Speed(space.states, space.transitions, space.seconds, cpu_s, each, each)


def cowpath_seconds(case: str, design: str) -> tuple[float, bool]:
    """From the command to the verdict, in a process of its own; what is compiled has been before."""
    command = [sys.executable, "-m", "cowpath", "check", "-d", design, "-c", case, "-p", ISOLATION, "--json"]
    # warm is: bytecode is kept as well
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    took = time.perf_counter() - began
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return took, json.loads(done.stdout)["results"][0]["verdict"] == "violated"


# --- the tables -----------------------------------------------------------------------------------
def verdicts() -> list[str]:
    """Print them side by side; returns what does not agree."""
    rows = []
    wrong = []
    for case, prop, design in (question for model in MODELS for question in model.questions()):
        ours, theirs = cowpath_verdict(case, design, prop), spin_verdict(case, design, prop)
        agree = ours == theirs
        if not agree:
            said = f"cowpath {ours} {ours.moves}, SPIN {theirs} {theirs.moves}"
            wrong.append(f"{prop} of {case} on {design}: {said}")
        moves = [str(each.moves) if each.violated else "" for each in (ours, theirs)]
        rows.append((case, design, prop, str(ours), str(theirs), *moves, "yes" if agree else "NO"))
    headings = ("case", "design", "property", "cowpath", "SPIN", "moves", "SPIN's", "agree")
    show("1. Verdicts, and the moves of a shortest counterexample", headings, rows)
    return wrong


def best(runs: list[Speed]) -> Speed:
    """The quickest by the clock, with the least of the processor's time."""
    first = min(runs, key=lambda run: run.wall_s)
    least = min(run.cpu_s for run in runs)
    return Speed(first.states, first.transitions, first.wall_s, least, first.bytes_a_state, first.whole_bytes_a_state)


def rates() -> list[Target]:
    """Both search all states of the crowd without reduction, in turns."""
    rows = []
    targets = []
    for design in LIMIT.designs[2:]:  # isolation holds (a violation would end SPIN's search), and it takes long enough
        cowpath_speed(CROWD, design)  # compiles, if need be
        with tempfile.TemporaryDirectory(prefix="cowpath-spin-") as name:
            pan = make_pan(Path(name), CROWD, design, ISOLATION, UNMERGED, UNREDUCED)
            ours, theirs = [], []
            for _ in range(REPETITIONS):
                ours.append(cowpath_speed(CROWD, design))
                theirs.append(spin_speed(pan))
        own, other = best(ours), best(theirs)
        ratio = (own.transitions / own.wall_s) / (other.transitions / other.wall_s)
        by_cpu = (own.transitions / own.cpu_s) / (other.transitions / other.cpu_s)
        for who, each in (("cowpath", own), ("SPIN", other)):
            mine = who == "cowpath"
            rows.append((
                design, who, f"{each.states:,}", f"{each.transitions:,}", f"{each.wall_s:.2f}",
                rate(each.transitions / each.wall_s), f"{ratio:.2f}" if mine else "",
                rate(each.transitions / each.cpu_s), f"{by_cpu:.2f}" if mine else "",
                f"{each.bytes_a_state:,.0f}", f"{each.whole_bytes_a_state:,.0f}",
            ))  # fmt: skip
        targets.append(Target(f"transitions/s on {design}, of SPIN's", ratio, 1, " x"))
    headings = (
        "design", "", "states", "transitions", "s", "trans./s", "ratio", "per CPU s", "ratio", "B/state", "with tables",
    )  # fmt: skip
    show(f"2. All states of {CROWD}, unreduced (best of {REPETITIONS})", headings, rows)
    return targets


def times() -> tuple[list[Target], list[str]]:
    """From the command to the verdict, both with their reductions. Also what does not agree."""
    rows = []
    wrong = []
    worst = 0.0
    cowpath_seconds("commit", LIMIT.designs[0])  # compiles, if need be
    for case, prop, design in LIMIT.questions():
        if prop != ISOLATION:
            continue
        ours, theirs = [], []
        for _ in range(COMMANDS):
            ours.append(cowpath_seconds(case, design))
            theirs.append(spin_seconds(case, design))
        if len({violated for _, violated in (*ours, *theirs)}) > 1:
            wrong.append(f"{ISOLATION} of {case} on {design}, with reduction")
        own, other = min(ours)[0], min(theirs)[0]
        worst = max(worst, own / other)
        rows.append((case, design, f"{own:.2f}", f"{other:.2f}", f"{own / other:.2f}"))
    show(
        f"3. From the command to the verdict on isolation, with reduction (best of {COMMANDS})",
        ("case", "design", "cowpath, s", "spin + gcc + pan, s", "ratio"), rows,
    )  # fmt: skip
    return [Target("time to a verdict, of SPIN's: the worst", worst, 1, " x", most=True)], wrong


def main() -> None:
    """Print the tables."""
    if missing():
        console.print(f"The comparison with SPIN is skipped: {missing()} not installed.")
        return
    version = subprocess.run(["spin", "-V"], capture_output=True, text=True).stdout.strip()
    console.print(f"{version}; {os.cpu_count()} CPUs\n")
    wrong = verdicts()
    targets = rates()
    more, disagreed = times()
    show_targets([*targets, *more])
    for each in (*wrong, *disagreed):
        console.print(f"DISAGREE: {each}")
    if wrong or disagreed:
        sys.exit(1)


if __name__ == "__main__":
    main()
