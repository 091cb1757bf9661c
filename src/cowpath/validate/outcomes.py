"""What came of a scenario, beside its counters: who died, who blocked, what calls returned, who waited, how long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import sleeps, waits
from .changes import WHOLE, Row
from .span import NEARLY, Span, number_of

# their values are numbers of tasks or of bytes in texts: only whether they failed, and how, can be compared
ANY_VALUE = ("pid", "fork", "reap", "readproc", "uffdreg", "ctl fork", "ctl reap")
LOOKS = ("locked", "gets_on", "kills")  # what ctl commands have seen
TIMED = ("touch", "touchperm", "readf", "writef", "readinto", "mmaploop")  # each of their accesses is


@dataclass(frozen=True)
class Outcome:
    """One of them, in words."""

    step: str
    what: str
    real: str
    simulated: str
    right: bool


def outcomes(real: Row, simulated: Row) -> Iterator[Outcome]:
    """All that the scenario has, in the order of the steps."""
    races = _lowers_a_limit(real)
    if real.get("oom_killed") is not None:  # else nobody knows
        yield from _killed(real["oom_killed"], simulated.get("oom_killed", []), races)
    for number, entry in enumerate(real["result"]):
        played = simulated["result"][number] if number < len(simulated["result"]) else {}
        step = entry["step"]
        yield from _ends(step, entry, played)
        yield from _returns(step, entry, played)
        if not races:
            yield from _alive(step, entry, played)
        yield from _waiting(step, entry, played)
        for what in LOOKS:
            if what in entry:
                yield _number(step, what, entry[what], played.get(what))
        yield from _removed(step, entry, played)
    yield from _sleeping(real, simulated)


def _killed(real: list[Any], simulated: list[Any], races: bool) -> Iterator[Outcome]:
    """Who was killed, in order.

    When a limit is lowered below the usage the killer runs until the usage is below it, and a task that dies slowly
    is not waited for: who dies after the biggest is a matter of luck there.
    """
    runs = real if real and isinstance(real[0], list) else [real]
    if any(runs) or simulated:
        shown = [run[:1] for run in runs] if races else runs
        ours = simulated[:1] if races else simulated
        yield Outcome(WHOLE, "killed", _or([", ".join(run) for run in shown]), ", ".join(ours) or "-", ours in shown)


def _ends(step: str, entry: Row, played: Row) -> Iterator[Outcome]:
    """Whether the task died or blocked in the step, and how far it had come."""
    for what, reply in (("died", "DIED"), ("blocked", "TIMEOUT")):
        theirs, ours = _is_so(entry, what, reply), True in _is_so(played, what, reply)
        if True in theirs or ours:
            yield Outcome(step, what, _or([_yes(each) for each in theirs]), _yes(ours),
                          ours in theirs)  # fmt: skip
    if "dead" in entry or played.get("dead"):
        was, is_now = bool(entry.get("dead")), bool(played.get("dead"))
        yield Outcome(step, "dead", _yes(was), _yes(is_now), was == is_now)
    if "exit" in entry and "exit" in played:
        yield _number(step, "exit status", entry["exit"], played["exit"])
    done = Span.of(entry.get("progress"))
    if done is not None and True in _is_so(entry, "died", "DIED"):
        reached = number_of(played.get("progress"))
        far = reached is not None and done.off_by(reached) <= NEARLY
        yield Outcome(step, "about how far", _span(done), _shown(reached), far)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _is_so(entry: Row, key: str, reply: str) -> set[bool]:
    """Whether it was so, in each of the runs: of v2 a key of its own, of v1 what the worker answered."""
    replies = entry.get("reply")
    found = {each == reply for each in (replies if isinstance(replies, list) else [replies])}
    values = entry.get(key, False)
    own = {bool(value) for value in (values if isinstance(values, list) else [values])}
    return own if True in own else found


def _returns(step: str, entry: Row, played: Row) -> Iterator[Outcome]:
    """What the call returned; a number of a task or of bytes in a text: whether it failed, and with what."""
    if "text" in entry and "text" in played:
        yield _number(step, "it reads", _numbers(entry["text"]), _numbers(played["text"]))
    for what in ("value", "rc"):
        if what not in entry or (None in _each(entry[what]) and what not in played):
            continue
        theirs, ours = entry[what], played.get(what)
        if _command(entry) in ANY_VALUE:
            theirs, ours = _failure(theirs), _failure(ours)
        yield _number(step, "returned", theirs, ours)


def _command(entry: Row) -> str:
    """``touch``, ``ctl fork``: a step is ``WHO COMMAND ...``; who waits for one tells of which (v2)."""
    who, _, rest = entry["step"].partition(" ")
    command = str(entry.get("of", rest)).partition(" ")[0]
    return f"ctl {command}" if who == "ctl" and "of" not in entry else command


def _failure(value: Any) -> Any:
    """The error of a call that failed; 0 for others."""
    if isinstance(value, list):
        return [_failure(each) for each in value]
    return 0 if isinstance(value, str) else value and min(value, 0)


def _alive(step: str, entry: Row, played: Row) -> Iterator[Outcome]:
    """Who lives: all who live in every run, and none who lives in no run."""
    if "alive" in entry:
        value = entry["alive"]
        differ = isinstance(value, list) and any(isinstance(each, list) for each in value)
        runs = [set(each) for each in value] if differ else [_living(value)]
        ours = _living(played.get("alive", {}))
        right = "alive" in played and set.intersection(*runs) <= ours <= set.union(*runs)
        yield Outcome(step, "alive", _or([", ".join(sorted(run)) for run in runs]), ", ".join(sorted(ours)), right)


def _living(value: Any) -> set[str]:
    return {name for name, lives in value.items() if lives} if isinstance(value, dict) else set(value)


def _waiting(step: str, entry: Row, played: Row) -> Iterator[Outcome]:
    """What the task waits for, and whether it sleeps in a charge or at the return to user space."""
    theirs = waits.real(entry)
    if theirs:
        ours = waits.simulated(played)
        yield Outcome(step, "waits for", waits.words(theirs), waits.words(ours), bool(ours) and ours <= theirs)


def _sleeping(real: Row, simulated: Row) -> Iterator[Outcome]:
    """How long each access slept; of threads that run at the same time, where luck decides which of them, all."""
    throttles = sleeps.throttles(real)
    if not throttles and not any("slow" in entry for entry in real["result"]):
        return  # rows of v1 do not tell how long
    found: dict[str, list[tuple[str, str, Any, Any]]] = {}
    for entry, played in zip(real["result"], simulated["result"], strict=False):
        theirs, ours = entry.get("slow"), played.get("slow")
        if _command(entry) in TIMED and ((theirs and throttles) or ours):
            task = _task(entry)
            process = real.get("tasks", {}).get(task, {}).get("thread_of") or task
            found.setdefault(process, []).append((entry["step"], task, theirs, ours))
    for process, its in found.items():
        threads = {task for _, task, _, _ in its}
        if len(threads) > 1 and any(sleeps.by_luck(theirs) for _, _, theirs, _ in its):
            theirs, ours = sleeps.summed([each[2] for each in its]), sleeps.summed([each[3] for each in its])
            its = [(f"{len(threads)} threads of {process}", process, theirs, sleeps.per_run(ours)[0])]
        for step, _, theirs, ours in its:
            yield Outcome(step, "sleeps", sleeps.words(theirs), sleeps.words(ours), sleeps.right(theirs, ours))


def _task(entry: Row) -> str:
    """Who does the step: of ``ctl wait X`` it is X."""
    words = entry["step"].split()
    return str(words[2] if words[:2] == ["ctl", "wait"] else words[0])


def _removed(step: str, entry: Row, played: Row) -> Iterator[Outcome]:
    """Which groups are removed."""
    groups, left = entry.get("groups", {}), played.get("groups", {})
    theirs = {group for group, files in groups.items() if isinstance(files, str)}
    ours = {group for group in groups if isinstance(left.get(group, ""), str)}
    if theirs != ours and left:
        yield Outcome(step, "removed groups", ", ".join(sorted(theirs)) or "-", ", ".join(sorted(ours)) or "-", False)


def _number(step: str, what: str, theirs: Any, ours: Any) -> Outcome:
    span, value = Span.of(theirs), number_of(ours)
    right = span is not None and value is not None and value in span
    return Outcome(step, what, "-" if span is None else _span(span), _shown(value), right)


def _numbers(texts: Any) -> list[float] | float:
    """The number that a file's text is."""
    found = [float(text) for text in _each(texts) if text.strip().isdecimal()]
    return found[0] if len(found) == 1 else found


def _lowers_a_limit(row: Row) -> bool:
    """Whether its steps set the limit of a group in which the killer then runs until the usage is below it (v2)."""
    words = [command.split() for who, command, *_ in row.get("steps", ()) if who == "ctl"]
    return any(len(each) > 3 and each[0] == "set" and each[2] == "max" and each[3].isdecimal() for each in words)


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _or(runs: list[str]) -> str:
    return " or ".join(dict.fromkeys(run or "-" for run in runs))


def _span(span: Span) -> str:
    return f"{span.least:,.0f}" if span.least == span.most else f"{span.least:,.0f} to {span.most:,.0f}"


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
