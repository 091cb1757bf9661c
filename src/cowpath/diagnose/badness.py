"""The OOM killer's points, recomputed from a report's table (mm/oom_kill.c, oom_badness).

Which rule it was tell the table's columns. All counts are pages, points too (until 3.5: per mille of the limit).

================================  ==============================================================  =================
columns                           points of a task                                                releases
================================  ==============================================================  =================
cpu oom_adj                       by age and run time, which is not in the report                 until 2.6.35
cpu oom_adj oom_score_adj         per mille of (rss + page tables + swap), the latter not shown   2.6.36 to 3.6
nr_ptes swapents                  rss + nr_ptes + swapents; root: adj - 30                        3.7 to 3.18
nr_ptes nr_pmds swapents          rss + nr_ptes + nr_pmds + swapents; root: less 3 %              4.0 to 4.14
pgtables_bytes swapents           rss + swapents + pgtables_bytes / page; at least 1              4.15 to 5.14
the same, with oom-kill:          the same, may be negative                                       later
================================  ==============================================================  =================

To each is added oom_score_adj * (total / 1000), where total is the group's limit, and swap that it may use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cowpath.diagnose.oom import OomReport, Row

PAGE = 4096
NEVER = -1000  # OOM_SCORE_ADJ_MIN


@dataclass(frozen=True)
class Points:
    """From least to most that the report allows: the same where all is known."""

    row: Row
    least: int
    most: int
    eligible: bool = True

    @property
    def exact(self) -> bool:
        """Whether there is one value."""
        return self.least == self.most


@dataclass(frozen=True)
class Judgement:
    """How the victim stands in the table.

    ``victim``: its points; None if it is not in the table. ``most``: who has most points. ``printed`` and
    ``recomputed``: the score that older releases print, per mille, and what it comes to. ``right``: None where that
    cannot be told.
    """

    points: tuple[Points, ...]
    victim: Points | None
    most: Points | None
    printed: int | None
    recomputed: tuple[int, int] | None
    right: bool | None
    why: str


def page_size(report: OomReport) -> int:
    """Bytes, from the victim's size in both units; 4096 where it is not in the report."""
    total = report.victim_bytes.get("total-vm")
    if total is not None and report.victim is not None:
        for row in report.rows:
            pages = row.values.get("total_vm", 0)
            if (
                row.pid == report.victim[0]
                and pages > 0
                and total % pages == 0
                and total // pages in (4096, 16384, 65536)
            ):
                return total // pages
    return PAGE


def totals(report: OomReport) -> tuple[int, int] | None:
    """The pages of which points are a part, least and most: the limit, and swap as far as it may be used."""
    memory = report.counters.get("memory")
    if memory is None:
        return None
    page = page_size(report)
    both, swap = report.counters.get("memory+swap"), report.counters.get("swap")
    extra = swap.limit if swap is not None else max(both.limit - memory.limit, 0) if both is not None else 0
    least = memory.limit // page
    return max(least, 1), max(least + min(extra // page, 1 << 40), 1)


def values_of(report: OomReport, row: Row, total: int | None) -> tuple[int, int] | None:
    """The points of a task, least and most, where the group may use so many pages; None if they are not to be told.

    Two where the table does not say whether the task has CAP_SYS_ADMIN, for which root has a bonus until 4.16.
    """
    values = row.values
    adj = values.get("oom_score_adj")
    if adj is None or "rss" not in values or "swapents" not in values or (adj and total is None):
        return None
    base = values["rss"] + values["swapents"]
    if "pgtables_bytes" in values:
        base += values["pgtables_bytes"] // page_size(report)
    elif "nr_ptes" in values:
        base += values["nr_ptes"] + values.get("nr_pmds", 0)
    else:
        return None
    share = (total or 0) // 1000
    found = [base + adj * share]
    if values.get("uid") == 0 and "nr_ptes" in values:
        found.append(base - base * 3 // 100 + adj * share)
        if "nr_pmds" not in values:
            found.append(base + (adj - 30) * share)
    least = 1 if "nr_ptes" in values or report.constraint is None else min(found)
    return max(min(found), least), max(max(found), least)


def of_row(report: OomReport, row: Row, total: tuple[int, int] | None) -> Points | None:
    """The points of a task, over all that the group may use; None where the report does not have what they are of."""
    ends = [values_of(report, row, pages) for pages in total or (None,)]
    every = [end for end in ends if end is not None]
    if len(every) < len(ends):
        return None
    eligible = row.values.get("oom_score_adj") != NEVER
    return Points(row, min(end[0] for end in every), max(end[1] for end in every), eligible)


def judge(report: OomReport) -> Judgement:
    """Hold the victim against the table."""
    total = totals(report)
    every = [of_row(report, row, total) for row in report.rows]
    points = tuple(each for each in every if each is not None)
    chosen = report.chosen or ((*report.victim, 0) if report.victim is not None else None)
    pid = chosen[0] if chosen is not None else None
    victim = next((each for each in points if each.row.pid == pid), None)
    able = [each for each in points if each.eligible]
    most = max(able, key=lambda each: (each.least, each.row.line), default=None)  # of equals the later one
    printed = report.chosen[2] if report.chosen is not None else None
    recomputed = None
    if printed is not None and victim is not None and total is not None:
        recomputed = victim.least * 1000 // total[1], victim.most * 1000 // total[0]
    judged = Judgement(points, victim, most, printed, recomputed, None, "")
    right, why = verdict(report, judged, total)
    return replace(judged, right=right, why=why)


def verdict(report: OomReport, judged: Judgement, total: tuple[int, int] | None) -> tuple[bool | None, str]:
    """Whether the kill fits the table, and why."""
    victim, recomputed = judged.victim, judged.recomputed
    if report.victim is None:
        return None, "the report does not say who was killed"
    if not report.rows:
        return None, "there is no table of tasks in the report"
    if len(judged.points) < len(report.rows):
        return None, "the table does not have all that the points are made of"
    if victim is None:
        return None, "the victim is not in the table: it is cut off, or the victim a thread or a child"
    if judged.printed is not None and recomputed is not None and not recomputed[0] <= judged.printed <= recomputed[1]:
        low, high = recomputed
        said = str(low) if low == high else f"{low} to {high}"
        return False, f"its score is printed as {judged.printed}, and comes to {said}"
    if not victim.eligible:
        return False, "its oom_score_adj is -1000: it may not be killed"
    if first_with(report, judged, total[0] if total is not None else None):
        return True, "it has the most points of the table"
    if total is not None and any(first_with(report, judged, pages) for pages in between(*total)):
        return None, "it has the most points only if the group may use swap, of which the report does not say how much"
    better = judged.most if judged.most is not None else victim
    return False, f"{better.row.name}[{better.row.pid}] has more points: {better.least:,}, the victim {victim.most:,}"


def first_with(report: OomReport, judged: Judgement, total: int | None) -> bool:
    """Whether the victim can have the most points where the group may use so many pages."""
    ends = {id(each.row): values_of(report, each.row, total) for each in judged.points if each.eligible}
    mine = ends[id(judged.victim.row)] if judged.victim is not None else None
    return mine is not None and all(end is not None and end[0] <= mine[1] for end in ends.values())


def between(least: int, most: int) -> list[int]:
    """Some numbers of pages in a range, each twice the one before."""
    found = [most]
    while least < most:
        least *= 2
        found.append(min(least, most))
    return found
