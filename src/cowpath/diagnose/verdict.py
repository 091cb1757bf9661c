"""Whether it is a memory cgroup's stall, what is certain of it, and what is only possible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cowpath.diagnose import entries as book
from cowpath.diagnose import graph, reports
from cowpath.diagnose.groups import groups
from cowpath.diagnose.release import Release, of_names
from cowpath.diagnose.reports import Reports
from cowpath.diagnose.tables import plain, tables, words
from cowpath.diagnose.waits import ENDS, FOR_A_GROUP, OVER_HIGH, Judged, judge

NOT_STALLS = ("oom", "warning", "locks")  # kinds of reports that show a task at work, not one that is held up


@dataclass
class Diagnosis:
    """All that is said of a log. ``memcg_stall`` is "yes", "no" or "cannot tell"; ``why`` are whole sentences."""

    reports: Reports
    release: Release
    tasks: list[Judged] = field(default_factory=list)
    edges: list[graph.Edge] = field(default_factory=list)
    behind: dict[int, set[int]] = field(default_factory=dict)  # of tasks that may be behind a group's memory
    matches: list[book.Match] = field(default_factory=list)
    invokers: list[Judged] = field(default_factory=list)  # of the OOM killer: at work, but with locks in hand
    memcg_stall: str = "cannot tell"
    memcg_involved: str = "cannot tell"
    why: list[str] = field(default_factory=list)

    @property
    def stalled(self) -> list[int]:
        """The tasks that wait for the memory of a group."""
        return [place for place, told in enumerate(self.tasks) if stalls(told)]


def diagnose(raw: Iterable[bytes]) -> Diagnosis:
    """Diagnose a log: its lines as they are in the file."""
    return of_reports(reports.read(raw))


def of_reports(found: Reports) -> Diagnosis:
    """Diagnose what a log reports."""
    names = [name for task in found.tasks for name in task.names]
    release = found.release if found.release.how else of_names(dict.fromkeys(names), tables().ages)
    shown = [task for task in found.tasks if task.kind not in NOT_STALLS]
    told = Diagnosis(found, release, [judge(task, release) for task in shown])
    told.edges = graph.edges(told.tasks)
    told.behind = graph.behind(told.edges, len(told.tasks), set(told.stalled))
    told.invokers = [judge(task, release) for task in found.tasks if task.kind == "oom"]
    told.matches = book.matches(told.tasks, told.edges, release) or book.of_invokers(told.invokers, release)
    told.memcg_involved = involved(told)
    decide(told)
    return told


def stalls(told: Judged) -> bool:
    """Whether a task certainly waits for a group's memory."""
    return told.group_memory and told.certain and not told.passing and not told.reenters


def in_the_order(each: Judged) -> bool:
    """Whether a group's memory is at work in an order of locks that lockdep reports, then or now."""
    return each.group_memory or any(tables().memory.get(plain(name)) in FOR_A_GROUP for name in each.task.chain)


def involved(told: Diagnosis) -> str:
    """Whether the memory controller is at work in any of it."""
    at_work = (each.group_memory or each.asked or each.teardown or in_the_order(each) for each in told.tasks)
    if any(at_work) or any(oom.memcg for oom in told.reports.ooms):
        return "yes"
    return "cannot tell" if any(is_open(told, place) for place in range(len(told.tasks))) or not told.tasks else "no"


def decide(told: Diagnosis) -> None:
    """The verdict."""
    stalled = told.stalled
    if stalled:
        told.memcg_stall = "yes"
        told.why = [sentence(told.tasks[place]) for place in stalled[:6]]
        if len(stalled) > 6:
            told.why.append(f"So do {len(stalled) - 6} more.")
        told.why += [str(group) for group in groups(told.reports.groups).values()]
        if all(told.tasks[place].task.kind == "lockdep" for place in stalled):
            told.why.append(
                "It is a report of lockdep's: this order of locks can dead-lock, and nobody need be stuck now."
            )
        return
    if not told.tasks:
        told.memcg_stall = "cannot tell"
        told.why = [nothing(told)]
        return
    circle = graph.cycles(told.edges, len(told.tasks))
    unsure = [place for place in range(len(told.tasks)) if is_open(told, place) and place not in circle]
    unsure = [place for place in unsure if not told_by_others(told, place, circle)]
    if unsure:
        told.why = [open_sentence(told, place) for place in unsure[:6]]
        if len(unsure) > 6:
            told.why.append(f"So it is of {len(unsure) - 6} more.")
        return
    told.memcg_stall = "no"
    if circle:
        names = ", ".join(told.tasks[place].task.label for place in sorted(circle))
        told.why.append(f"{names} wait for what the others of them hold or may hold; none of them charges a group.")
    told.why += [end_sentence(each) for place, each in enumerate(told.tasks) if place not in circle][:6]


def told_by_others(told: Diagnosis, place: int, circle: set[int]) -> bool:
    """Whether everything that an open wait hangs on is seen, and is at an end that is no memory."""
    after = [edge.holder for edge in told.edges if edge.waiter == place and edge.certain]
    return bool(after) and all(holder in circle or not is_open(told, holder) for holder in after)


def is_open(told: Diagnosis, place: int) -> bool:
    """Whether a task's wait says too little: somebody who is not seen may be at its end."""
    each = told.tasks[place]
    if each.passing or each.reenters or each.teardown:
        return each.passing
    if each.task.kind == "lockdep":
        return in_the_order(each)
    if each.waits_for == "memory: the host's":
        return each.inner in tables().locks
    if each.waits_for == "dirty limit":  # since 4.2 groups have a limit of their own (mem_cgroup_wb_stats)
        return told.release.before("4.2") is not True
    if each.waits_for in ENDS or each.waits_for == "nothing":
        return False
    return not each.asked


def sentence(each: Judged) -> str:
    """What a task that waits for memory waits for, and with what in hand."""
    what = words()["memory"][each.waits_for]
    if OVER_HIGH & set(each.task.names) and each.waits_for == "memory: reclaim":
        what = "reclaims memory of its group, which is over memory.high"
    on_the_way = f", and waits there for: {each.inner}" if each.inner else ""
    maybe = f"; it may hold: {', '.join(map(str, each.may_hold))}" if each.may_hold else ""
    held = f"It holds: {', '.join(map(str, each.held))}" if each.held else "It holds no lock that the stack shows"
    if each.task.cut and not each.held:
        held += ", of which the end is missing"
    return f"{each.task.label} {what}{on_the_way}. {held}{maybe}."


def open_sentence(told: Diagnosis, place: int) -> str:
    """Why a wait says too little."""
    each = told.tasks[place]
    if each.passing:
        return (
            f"{each.task.label} runs through a charge, as every task does: one look does not tell whether it is stuck."
        )
    if each.task.kind == "lockdep":
        return f"{each.task.label} is in a report of lockdep's: the order of locks goes through a group's charge."
    if each.waits_for == "not known":
        where = f": its innermost known function is {each.where}" if each.where else ""
        return f"What {each.task.label} waits for is not told by its stack{where}."
    if each.waits_for == "dirty limit":
        return (
            f"{each.task.label} is throttled for dirty pages: its group's or the host's, which its stack does not tell."
        )
    inner = f", {each.inner}" if each.inner.startswith("until") else f", for {each.inner}" if each.inner else ""
    what = f"{each.task.label} waits for {article(each.waits_for)}{inner}"
    holders = sorted({told.tasks[edge.holder].task.label for edge in told.edges if edge.waiter == place})
    if holders:
        return f"{what}: behind {', '.join(holders)}, or behind somebody who is not among these tasks."
    return f"{what}; who is at the end of that is not among these tasks."


def article(what: str) -> str:
    """``the page lock``; what begins with an article, or needs none, stays."""
    if what.startswith(("a ", "memory", "RCU")):
        return what.removeprefix("memory: ") + (" memory" if what.startswith("memory: the host") else "")
    return {"child": "its child, after vfork", "worker": "work that another task does"}.get(what, f"the {what}")


def end_sentence(each: Judged) -> str:
    """At which end a task waits that is no group's memory."""
    if each.reenters:
        return f"{each.task.label}: reclaim for its charge has entered {each.reenters} again: a recursion, no wait."
    if each.task.kind == "lockdep":
        return f"{each.task.label} is in a report of lockdep's: an order of locks in which no group is charged."
    if each.teardown:
        return f"{each.task.label} takes a group down ({each.teardown}): that waits for no memory."
    end = words()["ends"].get(each.waits_for, f"waits for {article(each.waits_for)}, held by a task that is seen")
    return f"{each.task.label} {end}."


def nothing(told: Diagnosis) -> str:
    """What to say of a log without stacks."""
    if told.reports.ooms:
        return "There are reports of the OOM killer, and no stack of a task that is held up: a kill is not a stall."
    return f"No report of a task or of the OOM killer is in these {told.reports.lines:,} lines."
