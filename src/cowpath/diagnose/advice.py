"""What helps now, and what to capture next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cowpath.diagnose.graph import cycles
from cowpath.diagnose.groups import groups
from cowpath.diagnose.tables import tables, words
from cowpath.diagnose.waits import OVER_HIGH, Judged

if TYPE_CHECKING:
    from cowpath.diagnose.verdict import Diagnosis

OOM_SLEEPS = {"mem_cgroup_oom_synchronize", "mem_cgroup_handle_oom"}


def helps(told: Diagnosis) -> list[str]:
    """What an administrator can do, each with its reason; nothing where the verdict is no stall."""
    if told.memcg_stall != "yes" or all(told.tasks[place].task.kind == "lockdep" for place in told.stalled):
        return []  # what lockdep reports holds nobody up
    said = words()["helps"]
    dead = deadlocked(told)
    if dead:
        return [said["dead"].format(names=", ".join(dead))]
    waits = {told.tasks[place].waits_for for place in told.stalled}
    names = {name for place in told.stalled for name in told.tasks[place].task.names}
    groups = sorted({path for path in map(path_of, told.tasks) if path})
    whose = f" of {', '.join(groups)}" if groups else " of the group (cat /proc/PID/cgroup)"
    frees = ": who is behind it goes on as well" if told.behind else ""
    found = []
    if "memory: throttle" in waits or names & OVER_HIGH:
        found.append(said["high"].format(whose=whose, frees=frees))
    if waits & {"memory: OOM", "memory: reclaim", "memory: charge"}:
        found += [said["raise"].format(whose=whose, frees=frees), said["kill"]]
    if names & OOM_SLEEPS:
        found += killers(told)
    if waits == {"memory: reclaim"} and not any(told.tasks[place].inner for place in told.stalled):
        found.append(said["wait"])
    return found


def path_of(each: Judged) -> str | None:
    """The path of the group for whose memory a task waits, if the log has it."""
    return each.for_memory_of if each.for_memory_of and each.for_memory_of.startswith("/") else None


def killers(told: Diagnosis) -> list[str]:
    """What to do about a killer that is off: known where the group's files are there (v1), else a question."""
    said = words()["helps"]
    off = {folder: group.killer_off for folder, group in groups(told.reports.groups).items()}
    if None in off.values() or not off:
        return [said["killer"].format(folder="")]
    return [said["killer_off"].format(folder=f"{folder}/") for folder, is_off in off.items() if is_off]


def deadlocked(told: Diagnosis) -> list[str]:
    """Tasks within reclaim that sleep for write-back which they, or who is behind them, have yet to send: a circle."""
    circle = cycles(told.edges, len(told.tasks))
    return [
        each.task.label
        for place, each in enumerate(told.tasks)
        if place in told.stalled and each.inner == "write-back" and (place in circle or each.holds("write-back"))
    ]


def capture_next(told: Diagnosis) -> str | None:
    """What to look at where it cannot be told; None where nothing is missing."""
    if not told.tasks:
        return words()["capture"]["after_oom" if told.reports.ooms else "empty"]
    said = []
    group = next((f" of group {each.task.group}" for each in told.tasks if each.task.group), "")
    answered = {edge.waiter for edge in told.edges}
    for place, each in enumerate(told.tasks):
        if place in answered and (told.memcg_stall != "cannot tell" or each.waits_for not in tables().locks):
            continue
        line = asked_of(each, group)
        if line is not None and line not in said:
            said.append(line)
    if told.memcg_stall == "yes" and not any(map(path_of, told.tasks)):
        said.append(words()["capture"]["group"])
    return "; ".join(said) or None


def asked_of(each: Judged, group: str) -> str | None:
    """What to ask for a task whose wait says too little."""
    capture = words()["capture"]
    lock = each.inner if each.inner in tables().locks else each.waits_for
    label = each.task.label
    if each.task.ownerless:
        return capture["ownerless"].format(task=label)
    if lock in words()["holders"]:
        return words()["holders"][lock].format(group=group)
    if lock in tables().locks:
        return capture["holder"].format(lock=lock)
    if each.passing:
        return capture["passing"]
    what = "not known" if each.waits_for.startswith("a ") else each.waits_for
    return capture[what].format(task=label) if what in capture else None
