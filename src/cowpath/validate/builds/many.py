"""Playing many builds, several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from cowpath import designs
from cowpath.errors import InputError
from cowpath.validate.many import in_order
from cowpath.validate.scenario import V1_KERNEL, rows_of
from cowpath.words import nearest

from . import How
from .play import FETCHES, Build, find_recording, play
from .rows import Measured, Setup, measured_of
from .score import Held, compare

Told = Callable[[int, str], None]  # how many are done, which runs next


def builds_of(
    files: Sequence[Path], kernel: str | None, ids: Sequence[str], how: How
) -> tuple[list[Build], list[Measured]]:
    """What is to be played, and what was measured of it. ``ids`` are names of configurations; none: all.

    Rows of builds do not say on which kernel they were measured: it is that of all rows of cgroup v1. Raises
    InputError.
    """
    measured = measured_of(row for file in files for row in rows_of(file))
    names = list(dict.fromkeys(each.setup.name for each in measured))
    for name in ids:
        if name not in names:
            raise InputError(f"--id: no build {name!r}", hint=nearest(name, names, f"as {names[0]}"))
    if ids:
        chosen = {each.setup.unlimited for each in measured if each.setup.name in ids}
        measured = [each for each in measured if each.setup.name in ids or each.setup in chosen]
    design = designs.load(kernel or f"linux-{V1_KERNEL.rpartition('.')[0]}")
    if "v1" not in design.kernel.interface:
        raise InputError(f"{design.name} has no cgroup v1, with which builds were measured", hint="-k linux-6.18")
    sources = {name: find_recording(name, how.recordings) for name in {each.setup.recording for each in measured}}
    fetches = FETCHES if how.fetches is None else how.fetches
    builds = [Build(each.setup, design, sources[each.setup.recording], fetches, how.seed) for each in measured]
    return sorted(builds, key=lambda build: _longest_first(build.setup)), measured


def _longest_first(setup: Setup) -> tuple[float, int]:
    """The tighter, the longer: those are played first."""
    return setup.limit or float("inf"), -(setup.jobs or 1 << 30)


def run_all(builds: Sequence[Build], measured: Sequence[Measured], told: Told, processes: int) -> Held:
    """All of them. Raises InputError, MachineError and WorkerError."""
    told(0, builds[0].name)
    outcomes = [play(builds[0])]  # it has compiled what has to be, before several want it at once
    rest = builds[1:]
    if processes == 1 or len(rest) < processes:
        for done, build in enumerate(rest, 1):
            told(done, build.name)
            outcomes.append(play(build))
    else:
        outcomes += in_order(rest, play, lambda done: told(1 + done, rest[min(done, len(rest) - 1)].name), processes)
    simulated = {build.setup: outcome for build, outcome in zip(builds, outcomes, strict=True)}
    return Held(builds[0].design.name, builds[0].fetches, tuple(compare(measured, simulated)))
