"""The counters of a scenario that change, in reality or in the model, and how the model's stand to the real ones.

One that stays as it is in both proves nothing, and is not scored. What counters are exact at once is read after each
step; memory.stat lags on later kernels (it is flushed now and then), so it is read where it has settled, some seconds
after the last step and after the exit of all tasks; sums of vm events are those of the whole scenario.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import sleeps
from .span import AGREEING, Span, number_of

Row = Mapping[str, Any]
Values = Mapping[str, Any]

# what the step itself has come to, or a look has seen: not compared with the one before
OF_A_STEP = ("minflt", "majflt", "progress", "copies", "locked_most")
SLEPT_AT = "first sleep at access"
STATS = ("stat", "stat_total")  # files that lag
LOCAL = "events.local"  # only where it is not the same as "events"
WHOLE = "the whole scenario"


@dataclass(frozen=True)
class Counter:
    """One that changes at a step."""

    step: str
    group: str  # "": of the task that the step is of
    name: str
    real: Span
    simulated: float | None

    @property
    def verdict(self) -> str:
        """How they stand to each other."""
        return self.real.verdict(self.simulated)

    @property
    def agrees(self) -> bool:
        """Equal, or within the spread."""
        return self.verdict in AGREEING

    @property
    def off_by(self) -> float:
        """How far off, as a part of the real one; what the model has not is off by all of it."""
        return 1.0 if self.simulated is None else self.real.off_by(self.simulated)

    @property
    def label(self) -> str:
        """Its group's name and its own."""
        return f"{self.group} {self.name}" if self.group else self.name


def changing(real: Row, simulated: Row) -> Iterator[Counter]:
    """All that change, in the order of the steps."""
    yield from _after_each_step(real["result"], simulated["result"], sleeps.throttles(real))
    yield from _settled(real, simulated)
    yield from _whole(real.get("events", {}), simulated.get("events", {}))


def _after_each_step(real: Sequence[Row], simulated: Sequence[Row], throttled: bool) -> Iterator[Counter]:
    before: dict[tuple[str, str], tuple[Span, float | None]] = {}
    for number, entry in enumerate(real):
        played = simulated[number] if number < len(simulated) else {}
        yield from _of_the_step(entry, played, throttled)
        for group, files in _groups(entry):
            ours = files_of(played, group)
            for name, value in _with_local(_exact(files), ours).items():
                span, now = Span.of(value), number_of(_with_local(_exact(ours), files).get(name))
                if span is None:
                    continue
                first = (span, now) if number == 0 else (Span(0, 0), 0.0)
                if (span, now) != before.get((group, name), first):
                    yield Counter(entry["step"], group, name, span, now)
                before[group, name] = span, now


def _of_the_step(entry: Row, played: Row, throttled: bool) -> Iterator[Counter]:
    """What the step itself has come to, and the groups that are removed and still charged for something."""
    dying, ours = entry.get("cgroup.stat", {}), played.get("cgroup.stat", {})
    values = [(name, entry.get(name), played.get(name)) for name in OF_A_STEP]
    values += [(name, value, ours[name]) for name, value in dying.items() if name in ours]
    for name, theirs, simulated in values:
        span, now = Span.of(theirs), number_of(simulated)
        if span is not None and (span != Span(0, 0) or now):
            yield Counter(entry["step"], "", name, span, now)
    if throttled and (place := sleeps.first_at(entry.get("slow"), played.get("slow"))) is not None:
        yield Counter(entry["step"], "", SLEPT_AT, *place)


def _settled(real: Row, simulated: Row) -> Iterator[Counter]:
    before: dict[tuple[str, str], tuple[Span, float]] = {}
    played_entries = {entry["step"]: entry for entry in simulated.get("settled", ())}
    start = (real["result"][0], simulated["result"][0], real.get("runs"))
    later = [
        (entry, played_entries.get(entry["step"]), entry.get("runs", real.get("runs")))
        for entry in real.get("settled", ())
    ]
    for entry, played, runs in (start, *later):
        for group, files in _groups(entry):
            ours = None if played is None else _stat(files_of(played, group))
            theirs = _stat(files)
            for name in dict.fromkeys((*theirs, *(ours or {}), *(key for of, key in before if of == group))):
                span = Span.of(theirs.get(name, 0)) or Span(0, 0)
                now = None if ours is None else number_of(ours.get(name, 0))
                was, played_was = before.get((group, name), (Span(0, 0), 0.0))
                fewer = runs != real.get("runs")  # one run of several tells nothing of the spread
                changed = not span.within(was) if fewer else span != was
                if entry is not start[0] and (changed or now not in (None, played_was)):
                    yield Counter(f"settled: {entry['step']}", group, name, span, now)
                before[group, name] = span, played_was if now is None else now


def _whole(real: Mapping[str, Values], simulated: Mapping[str, Values]) -> Iterator[Counter]:
    for group, events in real.items():
        ours = simulated.get(group)
        for name in dict.fromkeys((*events, *(ours or {}))):
            span = Span.of(events.get(name, 0)) or Span(0, 0)
            now = None if ours is None else number_of(ours.get(name, 0))
            if span != Span(0, 0) or now:
                yield Counter(WHOLE, group, name, span, now)


def _groups(entry: Row) -> Iterator[tuple[str, Values]]:
    """The groups that there are after a step, each with its files."""
    for group, files in entry.get("groups", {}).items():
        if isinstance(files, Mapping):  # else "removed"
            yield group, files


def files_of(entry: Row, group: str) -> Values:
    """What a group's files hold after a step; nothing where it has none."""
    files = entry.get("groups", {}).get(group, {})
    return files if isinstance(files, Mapping) else {}


def _exact(files: Values) -> Values:
    """The counters that are exact at once, by name: ``events.high``."""
    found: dict[str, Any] = {}
    for file, value in files.items():
        if file in STATS:
            continue
        if isinstance(value, dict):
            found |= {f"{file}.{key}": each for key, each in value.items()}
        else:
            found[file] = value
    return found


def _with_local(values: Values, other: Values) -> Values:
    """With ``events.local`` where only the other side shows it: it is then the same as ``events``."""
    if LOCAL in other and not any(name.startswith(f"{LOCAL}.") for name in values):
        events = {name: value for name, value in values.items() if name.startswith("events.")}
        return {**values} | {f"{LOCAL}.{name.removeprefix('events.')}": value for name, value in events.items()}
    return values


def _stat(files: Values) -> Values:
    """The counters of memory.stat, by name: ``stat.anon``. Those that are 0 are not told."""
    return {f"{file}.{key}": value for file in STATS for key, value in files.get(file, {}).items()}
