"""What the designs cost: measures of runs, their means over several seeds, and how they compare with one design."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cowpath.kernels import DEFAULT
from cowpath.observe.text import duration

Run = dict[str, Any]  # observe.summary.Summary with its verdicts

EQUAL = 0.005  # a smaller difference is none
MANY_TIMES = 10  # from here on a difference is shown as a multiple


@dataclass(frozen=True)
class Measure:
    """A figure of a run: its name in JSON, its question, its heading, how it reads and is shown."""

    key: str
    question: str
    heading: str
    read: Callable[[Run], float | None]
    show: Callable[[float], str]


@dataclass(frozen=True)
class Figure:
    """A measure over several seeds; ``None`` where no run had it."""

    mean: float
    least: float
    most: float

    @staticmethod
    def of(values: Sequence[float | None]) -> Figure | None:
        """Mean and range of what there is."""
        known = [value for value in values if value is not None]
        return Figure(sum(known) / len(known), min(known), max(known)) if known else None


def number(value: float) -> str:
    """A count, or the mean of some: ``12,345``, ``12.4``."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def time(value: float) -> str:
    """A time in ns, or the mean of some."""
    return duration(round(value))


def counter(name: str) -> Callable[[Run], float | None]:
    """One of the machine's counters, of all tasks together."""
    return lambda run: float(run["totals"][name])


def blocked(name: str) -> Callable[[Run], float | None]:
    """Time asleep for a kind of lock, of all tasks together."""
    return lambda run: float(run["blocked_ns"][name])


def per_fault(read: Callable[[Run], float]) -> Callable[[Run], float | None]:
    """A sum as its share of one fault."""
    return lambda run: read(run) / run["faults"] if run["faults"] else None


WORK = "What was done"
MEMORY = "Pages asked for"
AGAIN = "What went wrong and was done again"
LOCKS = "Page locks, and sleeping for locks"
MACHINE = "The group and the machine"

MEASURES = (
    Measure("faults", WORK, "faults", counter("faults"), number),
    Measure("fault_steps", WORK, "fault\nsteps", counter("fault_steps"), number),
    Measure("ns_per_fault", WORK, "time per\nfault", per_fault(lambda run: run["fault_ns"]), time),
    Measure("virtual_ns", WORK, "ran for", lambda run: float(run["virtual_ns"]), time),
    Measure("jobs_done", WORK, "jobs\ndone", counter("jobs_done"), number),
    Measure("allocations", MEMORY, "allocations", counter("allocations"), number),
    Measure("allocations_wasted", MEMORY, "of these\nwasted", counter("allocations_wasted"), number),
    Measure("charges", MEMORY, "charges", counter("charges"), number),
    Measure("charges_wasted", MEMORY, "of these\nwasted", counter("charges_wasted"), number),
    Measure("sigbus", AGAIN, "SIGBUS", counter("sigbus"), number),
    Measure("major_faults", AGAIN, "major\nfaults", counter("major_faults"), number),
    Measure("retries", AGAIN, "VM_FAULT_\nRETRY", counter("retries"), number),
    Measure("own_pages_evicted", AGAIN, "own page\nevicted", counter("own_pages_evicted"), number),
    Measure("lock_holds", LOCKS, "page locks\ntaken", counter("lock_holds"), number),
    Measure("lock_ns_per_fault", LOCKS, "held, per\nfault", per_fault(lambda run: run["totals"]["lock_ns"]), time),
    Measure("blocked_page_lock_ns", LOCKS, "asleep for\npage locks", blocked("page_lock"), time),
    Measure("blocked_mmap_read_ns", LOCKS, "mmap_sem,\nto read", blocked("mmap_read"), time),
    Measure("blocked_mmap_write_ns", LOCKS, "mmap_sem,\nto write", blocked("mmap_write"), time),
    Measure("blocked_memory_ns", LOCKS, "memory\n(OOM)", blocked("memory"), time),
    Measure("pages_reclaimed", MACHINE, "pages\nreclaimed", counter("pages_reclaimed"), number),
    Measure("swap_outs", MACHINE, "swapped\nout", counter("swap_outs"), number),
    Measure("swap_ins", MACHINE, "swapped\nin", counter("swap_ins"), number),
    Measure("uncharged_seen", MACHINE, "uncharged,\nreclaimed", counter("uncharged_seen"), number),
    Measure("oom_kills", MACHINE, "OOM\nkills", counter("oom_kills"), number),
)


@dataclass(frozen=True)
class Difference:
    """How a figure compares with the base's."""

    share: float  # 0.45: 45 % more
    within_spread: bool  # the ranges over the seeds overlap: it may be luck

    def __str__(self) -> str:
        """``equal``, ``+45.1 %``, ``-2.07 %``, ``x 12.3``; in brackets where it may be luck."""
        if abs(self.share) < EQUAL:
            return "equal"
        if 1 + self.share >= MANY_TIMES:
            text = f"x {1 + self.share:,.1f}"
        else:
            text = f"{100 * self.share:+.{2 if abs(self.share) < 0.0995 else 1}f} %"
        return f"({text})" if self.within_spread else text


@dataclass(frozen=True)
class DesignCosts:
    """What a session cost on one design."""

    design: str
    figures: dict[str, Figure | None]  # by measure
    relative: dict[str, Difference | None]  # to the base; None where that is no number
    trouble: str  # why it is not the same work as elsewhere ("stuck with 2 of 5 seeds"), or nothing


@dataclass(frozen=True)
class SessionCosts:
    """What a session cost on each design, with the same seeds."""

    session: str
    base: str
    seeds: int
    rows: tuple[DesignCosts, ...]

    def as_json(self) -> dict[str, Any]:
        """One object per session (docs/json.md)."""
        return {
            "session": self.session,
            "base": self.base,
            "seeds": self.seeds,
            "designs": [
                {
                    "design": row.design,
                    "trouble": row.trouble or None,
                    "measures": {
                        key: None if figure is None else {**vars(figure), **relative_json(row.relative[key])}
                        for key, figure in row.figures.items()
                    },
                }
                for row in self.rows
            ],
        }


def relative_json(found: Difference | None) -> dict[str, Any]:
    """A difference as two keys."""
    return {
        "relative": None if found is None else found.share,
        "within_spread": None if found is None else found.within_spread,
    }


def session_costs(session: str, runs: dict[str, list[Run]]) -> SessionCosts:
    """The figures of a session from its runs: for each design one run per seed, the same seeds for all."""
    base = DEFAULT if DEFAULT in runs else next(iter(runs))
    figures = {design: {m.key: Figure.of([m.read(run) for run in of]) for m in MEASURES} for design, of in runs.items()}
    rows = tuple(
        DesignCosts(
            design,
            mine,
            {key: difference(figure, figures[base][key]) for key, figure in mine.items()},
            trouble(runs[design]),
        )
        for design, mine in figures.items()
    )
    return SessionCosts(session, base, len(runs[base]), rows)


def difference(figure: Figure | None, base: Figure | None) -> Difference | None:
    """How much more than the base, as a share of it; None if there is nothing to compare with."""
    if figure is None or base is None:
        return None
    if base.mean == 0:
        return Difference(0.0, True) if figure.mean == 0 else None
    overlap = figure.least <= base.most and base.least <= figure.most
    return Difference(figure.mean / base.mean - 1, overlap)


def trouble(runs: Sequence[Run]) -> str:
    """What kept runs from coming to their end undisturbed."""
    words = []
    for verdict in ("stuck", "stalled"):
        times = sum(run["verdict"] == verdict for run in runs)
        if times:
            words.append(f"{verdict} with {times} of {len(runs)} seeds")
    cut = sum(run["ended"] != "script" for run in runs)
    if cut:
        words.append(f"not at the session's end with {cut} of {len(runs)} seeds")
    return ", ".join(words)


def measures_of(costs: SessionCosts) -> list[tuple[str, list[Measure]]]:
    """The questions with the measures that are not 0 under every design."""
    seen = [
        m for m in MEASURES if any(figure.most != 0 for row in costs.rows if (figure := row.figures[m.key]) is not None)
    ]
    questions = dict.fromkeys(m.question for m in seen)
    return [(question, [m for m in seen if m.question == question]) for question in questions]


def nothing_of(costs: SessionCosts) -> list[str]:
    """What the measures are called that are 0 on every design."""
    shown = {m.key for _, measures in measures_of(costs) for m in measures}
    return [m.key.removesuffix("_ns").replace("_", " ") for m in MEASURES if m.key not in shown]
