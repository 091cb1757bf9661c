"""What a job needs, in words, and as the lines that say it to cgset, systemd, docker and Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator

from cowpath.observe.text import clean, count, duration, size

from .limit import Answer

MIB = 1 << 20


def mib(limit: int) -> int:
    """Rounded up: what one writes into a file."""
    return -(-limit // MIB)


def shown(limit: int | None) -> str:
    """``63.2M``"""
    return "-" if limit is None else f"{limit / MIB:.1f}M" if limit % MIB else size(limit)


def sentences(answer: Answer, design: str, fidelity: str) -> Iterator[str]:
    """What was found, and how sure it is."""
    seeds = f"{answer.seeds} seeds" if answer.seeds > 1 else "1 seed"
    time = answer.unlimited.time or 0
    yield (
        f"Without a limit the job of {clean(answer.group)} takes {duration(round(time))} of the machine's time and "
        f"uses at most {shown(answer.peak)}."
    )
    if answer.limit is None:
        yield "No limit of the ladder is enough: not even that peak. It is charged for more than it uses at any moment."
        return
    yield f"It completes at {shown(answer.limit)}: with all of {seeds}, without an OOM kill."
    if answer.below is not None and answer.below.limit is not None:
        yield (f"At 10 % less, {shown(answer.below.limit)}, it completes with {answer.below.completed} of "
               f"{len(answer.below.runs)}.")  # fmt: skip
    if answer.luck is not None:
        low, high = answer.luck
        yield (
            f"From {shown(low)} to {shown(high)} it is luck: some runs complete and others do not, as with real builds."
        )
    if answer.comfortable is not None:
        yield f"With less than {100 * answer.slower:g} % more time it completes from {shown(answer.comfortable)} on."
    if answer.takes_off is not None:
        yield f"Major faults have doubled at {shown(answer.takes_off)}."
    yield f"How sure: {seeds}; limits are 5 % apart; {clean(design)}: {fidelity}."


def lines(answer: Answer, version: str, group: str, memsw: bool) -> str:
    """What to paste; empty where there is no limit."""
    wanted = answer.comfortable or answer.limit
    if wanted is None:
        return ""
    size_m = mib(wanted)
    cgset = f"-r memory.max={size_m}M"
    if version == "v1":
        cgset = f"-r memory.limit_in_bytes={size_m}M" + (f" -r memory.memsw.limit_in_bytes={size_m}M" if memsw else "")
    return f"""\
# libcgroup
cgset {cgset} {group}

# systemd: MemoryHigh= stays off, for below what a job needs it makes its tasks sleep, with page locks (docs/today.md)
[Service]
MemoryMax={size_m}M
MemoryHigh=infinity

# docker
docker run --memory {size_m}m --memory-swap {size_m}m IMAGE

# Kubernetes: requests like limits, so that memory QoS sets no memory.high below the limit
resources:
  requests:
    memory: {size_m}Mi
  limits:
    memory: {size_m}Mi
"""


def rows(answer: Answer) -> Iterator[list[str]]:
    """A line for each limit: limit, completed, kills, time, more time, major faults, stalls outside."""
    alone = answer.unlimited.time or 1
    for tried in (answer.unlimited, *answer.tried):
        runs = tried.runs
        kills = [run["groups"][tried.group]["oom_kills"] for run in runs]
        stalls = sum(run["stalls"] > 0 for run in runs)
        times = tried.figures(lambda run: run["virtual_ns"])
        more = "-" if times is None else f"{100 * (times[0] / alone - 1):+.1f} %"
        yield [
            "none" if tried.limit is None else shown(tried.limit),
            f"{tried.completed} of {len(runs)}",
            span(kills),
            "-" if times is None else duration(round(times[0])),
            "-" if tried.limit is None else more,
            count(round(tried.majors)),
            f"{stalls} of {len(runs)}",
        ]


HEADINGS = ("limit", "completed", "OOM kills", "time", "more", "major faults", "held up outside")


def span(values: list[int]) -> str:
    """``0``, ``0 to 3``"""
    return count(min(values)) if min(values) == max(values) else f"{count(min(values))} to {count(max(values))}"
