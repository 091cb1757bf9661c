"""A diagnosis as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cowpath.diagnose import advice, answer
from cowpath.diagnose.oom_told import told as oom_told
from cowpath.diagnose.reproduce import UNLIMITED
from cowpath.diagnose.verdict import Diagnosis
from cowpath.diagnose.waits import Held, Judged
from cowpath.observe.text import clean, size

LONGEST = 4000  # letters of a line
MOST_TASKS = 30
MOST_EDGES = 30
MOST_OOMS = 5


def lines(told: Diagnosis) -> Iterator[str]:
    """The whole of it, a line for each thing that is said."""
    yield f"A memory cgroup's stall: {told.memcg_stall}."
    for sentence in told.why:
        yield item(sentence)
    if told.tasks:
        yield f"Kernel: {told.release}{f', {told.release.how}' if told.release.how else ''}."
    yield from tasks(told)
    yield from edges(told)
    yield from entries(told)
    for report in told.reports.ooms[:MOST_OOMS]:
        yield ""
        yield from oom(oom_told(report, told))
    if len(told.reports.ooms) > MOST_OOMS:
        yield f"And {len(told.reports.ooms) - MOST_OOMS} more OOM reports; --json has them all."
    for title, said in (
        ("What helps now", advice.helps(told)),
        ("What to capture next", [advice.capture_next(told)]),
        ("To play it", answer.play(told)),
    ):
        said = [each for each in said if each]
        if said:
            yield ""
            yield f"{title}:"
            for each in said:
                yield item(str(each))


def item(text: str) -> str:
    """A point of a list."""
    return f"  {clean(text, LONGEST)}"


def tasks(told: Diagnosis) -> Iterator[str]:
    """What each task waits for and holds."""
    if not told.tasks:
        return
    yield ""
    yield "Tasks:"
    order = sorted(range(len(told.tasks)), key=lambda place: (place not in told.stalled, place not in told.behind))
    for place in order[:MOST_TASKS]:
        each = told.tasks[place]
        yield item(task(each))
    if len(order) > MOST_TASKS:
        yield f"  and {len(order) - MOST_TASKS} more; --json has them all"


def task(each: Judged) -> str:
    """One task on a line."""
    sure = "" if each.certain else " (not certain)"
    way = f", there for: {each.inner}" if each.inner else ""
    parts = [
        f"{each.task.label}{f' {each.task.state}' if each.task.state else ''}: waits for {each.waits_for}{sure}{way}"
    ]
    if each.waits_for == "nothing":
        parts = [f"{each.task.label} R: runs, in {each.where}"]
    if each.where and each.waits_for != "nothing":
        parts.append(f"in {each.where}")
    if each.held:
        parts.append("holds " + ", ".join(map(in_hand, each.held)))
    if each.may_hold:
        parts.append("may hold " + ", ".join(map(in_hand, each.may_hold)))
    if each.for_memory_of and each.for_memory_of.startswith("/"):
        parts.append(f"for memory of {each.for_memory_of}")
    if each.task.seconds:
        parts.append(f"for {each.task.seconds} s and more")
    if each.task.dying:
        parts.append("was killed and is still there")
    return "; ".join(parts)


def in_hand(held: Held) -> str:
    """A lock, with the function that holds it, and which of them it is."""
    return f"{held} [{': '.join(part for part in (held.where, held.note) if part)}]"


def edges(told: Diagnosis) -> Iterator[str]:
    """Who can be behind whom."""
    if not told.edges:
        return
    yield ""
    yield "Who can be behind whom:"
    for edge in told.edges[:MOST_EDGES]:
        sure = "is behind" if edge.certain else "can be behind"
        waiter, holder = told.tasks[edge.waiter].task.label, told.tasks[edge.holder].task.label
        yield item(f"{waiter} {sure} {holder}: {edge.lock} ({edge.why})")
    if len(told.edges) > MOST_EDGES:
        yield f"  and {len(told.edges) - MOST_EDGES} more; --json has them all"


def entries(told: Diagnosis) -> Iterator[str]:
    """The entries of the case book that match."""
    if not told.matches:
        return
    yield ""
    yield "Entries of the case book:"
    for match in told.matches:
        entry = match.entry
        sure = "" if match.sure else " (possible)"
        mended = f"; mended in {', '.join(entry.mended)}" if entry.mended else "; not mended"
        commits = f" by {', '.join(entry.commits)}" if entry.commits else ""
        yield item(f"{entry.number}. {entry.title}{sure}; {entry.symptom} ({match.why}){mended}{commits}")


def limit(value: int) -> str:
    """A limit in bytes; what no machine has is none."""
    return "no limit" if value >= UNLIMITED else size(value)


def oom(report: dict[str, Any]) -> Iterator[str]:
    """One report of the OOM killer."""
    whose = report["limit_of"] or ("a group that is not named" if report["memcg"] else "the host")
    asked = report["invoker"]
    pid = f"[{asked['pid']}]" if asked["pid"] is not None else ""
    cut = "" if report["whole"] else "; the report is cut off"
    yield item(f"OOM of {whose}, at line {report['line']}: asked for by {asked['name']}{pid}{cut}")
    yield item(f"from outside the group: {asked['outsider']}, {asked['why']}")
    if asked["holds"]:
        yield item(f"it had in hand: {', '.join(asked['holds'])}")
    for name, counter in report["counters"].items():
        yield item(
            f"{name}: {size(counter['usage'])} of {limit(counter['limit'])}, failed {counter['failcnt']:,} times"
        )
    if report["made_of"]:
        made = ", ".join(f"{what} {size(part)}" for what, part in report["made_of"].items())
        yield item(f"its memory: {made}")
    if report["victim"] is not None:
        victim = report["victim"]
        points = victim["points"]
        worth = (
            ""
            if points is None
            else f", {points[0]:,} points"
            if points[0] == points[1]
            else f", {points[0]:,} to {points[1]:,} points"
        )
        yield item(f"killed: {victim['name']}[{victim['pid']}]{worth}; {report['why']}")
    elif report["nobody_to_kill"]:
        yield item("killed: nobody; no task of the group may be killed")
    else:
        yield item(f"killed: {report['why']}")
    if report["printed_score"] is not None and report["recomputed_score"] is not None:
        low, high = report["recomputed_score"]
        yield item(f"score: printed {report['printed_score']}, recomputed {low if low == high else f'{low} to {high}'}")
    if report["child_in_its_stead"]:
        yield item(f"chosen was {report['child_in_its_stead']['chosen']['name']}: a child of it died in its stead")
    held = report["would_have_held"]
    if held is not None:
        most = f", {size(held['at_most'])} in any case" if held["at_most"] else ""
        yield item(f"a limit that would have held it: at least {size(held['at_least'])}{most} ({held['why']})")
    if report["session"]:
        yield item("a session that does it again: --session FILE.sh writes it, cowpath run FILE.sh plays it")
