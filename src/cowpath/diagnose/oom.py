"""OOM reports of every layout from 2.6.32 to 7.1.

Formats: mm/oom_kill.c (dump_header, dump_tasks, oom_kill_process), mm/memcontrol.c (mem_cgroup_print_oom_info,
..._context, ..._meminfo). The table of tasks is read by its own heading, whichever columns a release has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cowpath.diagnose.lines import Line

MOST_BETWEEN = 2_000  # lines of others within a report: its call trace and the host's memory among them
MOST_AFTER = 40  # ... behind its end: more of the group may be killed

INVOKED = re.compile(
    r"(.{1,16}?) invoked oom-killer: gfp_mask=(0x[0-9a-f]{1,16})(?:\(([^)]{0,300})\))?,(?:.{0,200}?,)? +"
    r"order=(-?\d{1,4})"
    r"(?:, oom_adj=(-?\d{1,5}))?(?:, oom_score_adj=(-?\d{1,5}))?"
)
WHO = re.compile(r"(?:CPU: ?\d+ (?:UID: \d+ )?PID: (\d{1,10}) Comm: |Pid: (\d{1,10}), comm: )")
TASK_IN = re.compile(r"Task in (.{0,4096}?) killed(?: as a result of limit of (.{0,4096}))?$")
LIMIT_OF = re.compile(r"(?: as a result of limit of|Memory limit reached of cgroup) (.{1,4096})$")
COUNTER = re.compile(r"(memory\+swap|memory|swap|kmem): usage (\d{1,20})kB, limit (\d{1,20})kB, failcnt (\d{1,20})")
STATS = re.compile(r"Memory cgroup stats(?: for (.{1,4096}?))?:(?:\s(.*))?$")
PAIR = re.compile(r"([a-z_][a-z0-9_()]*):(\d{1,20})KB")
STAT = re.compile(r"([a-z][a-z0-9_]{1,40}) (\d{1,20})")
HEADING = re.compile(r"\[\s*pid\s*\]\s+(uid\s.*\bname)\s*")
ROW = re.compile(r"\[\s*(\d{1,10})\]\s+(\S.*)")
CONTEXT = re.compile(
    r"oom-kill:constraint=(\w+),.*?(?:oom_memcg=(.*?)|(global_oom))(?:,task_memcg=(.*?))?,task=(.*?),"
    r"pid=(\d{1,10}),uid=(\d{1,10})"
)
CONSTRAINT = re.compile(r"oom-kill:constraint=(\w+)")
CHOSEN = re.compile(r"[Kk]ill process (\d{1,10}) \((.{0,64}?)\) score (-?\d{1,10}) or (?:sacrifice|a) child")
KILLED = re.compile(r"Killed process (\d{1,10}) \((.{0,64}?)\)(?:,? ?(?:total-vm|vsz):(\d{1,20})kB)?(.*)")
SIZES = re.compile(r"(anon-rss|file-rss|shmem-rss|pgtables):(\d{1,20})kB")
ADJ = re.compile(r"oom_score_adj:(-?\d{1,5})")
GROUP_KILL = re.compile(r"Tasks in (.{1,4096}) are going to be killed due to memory\.oom\.group set")
NOBODY = "no killable processes"
EXITING = re.compile(r"OOM victim (\d{1,10}) \((.{0,64})\) is already exiting")
REAPED = re.compile(r"oom_reaper: (reaped process |unable to reap pid:)(\d{1,10}) \((.{0,64}?)\)")
MEMCG = "Memory cgroup out of memory"
HINT = re.compile(r"oom|emor|ill(?:ed)? process|Comm:|comm:")


@dataclass
class Row:
    """A task of the table. ``values``: by the heading's own names; in pages, but for ``pgtables_bytes``."""

    pid: int
    name: str
    values: dict[str, int]
    line: int = 0


@dataclass
class Counter:
    """A counter of the group, in bytes."""

    usage: int
    limit: int
    failcnt: int


@dataclass
class OomReport:
    """One report; what it does not have (older releases, a log that is cut off) is None or empty."""

    line: int
    invoker: str
    gfp_mask: str
    gfp_names: str = ""
    order: int = 0
    oom_score_adj: int | None = None
    oom_adj: int | None = None
    invoker_pid: int | None = None
    constraint: str | None = None
    oom_memcg: str | None = None  # whose limit
    task_memcg: str | None = None  # the victim's group
    counters: dict[str, Counter] = field(default_factory=dict)
    stats: dict[str, dict[str, int]] = field(default_factory=dict)  # bytes, and counts, by the kernel's keys; by group
    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    chosen: tuple[int, str, int] | None = None  # pid, name and the score that is printed
    victim: tuple[int, str] | None = None
    victim_bytes: dict[str, int] = field(default_factory=dict)
    killed: dict[int, str] = field(default_factory=dict)
    group_kill: str | None = None
    nobody: bool = False
    exiting: bool = False
    memcg: bool = False  # of a memory cgroup's limit, as far as it is said
    unreadable: int = 0  # rows that have not as many values as the heading
    last_line: int = 0

    @property
    def whole(self) -> bool:
        """Whether it ends as a report ends."""
        return bool(self.killed) or self.nobody or self.exiting


class OomReader:
    """Finds the reports in a log."""

    def __init__(self) -> None:
        self.reports: list[OomReport] = []
        self.now: OomReport | None = None
        self.stats_of = ""
        self.killed: dict[int, str] = {}  # also by lines without a report before them
        self.reaped: dict[int, bool] = {}

    def feed(self, line: Line) -> None:
        """Take the next line."""
        text = line.text
        now = self.now
        if "oom-killer" in text:
            match = INVOKED.search(text)
            if match is not None:
                return self.begin(line, match)
        if now is None:
            if "illed process" in text or "OOM victim" in text or "oom_reaper" in text:
                self.ending(text.strip(), None)
            return None
        if line.number - now.last_line > (MOST_AFTER if now.whole else MOST_BETWEEN):
            self.now = None
            return None
        self.inside(line, text.strip(), now)
        return None

    def begin(self, line: Line, match: re.Match[str]) -> None:
        """A task has invoked the killer."""
        self.now = report = OomReport(line.number, match[1].strip(), match[2], match[3] or "", int(match[4]))
        report.oom_adj = int(match[5]) if match[5] else None
        report.oom_score_adj = int(match[6]) if match[6] else None
        report.last_line = line.number
        self.stats_of = ""
        self.reports.append(report)

    def inside(self, line: Line, text: str, now: OomReport) -> None:
        """A line while a report is open."""
        if now.columns and text.startswith("["):
            match = ROW.fullmatch(text)
            if match is not None:
                self.row(line, now, match)
                return
        if self.stats_of:
            match = STAT.fullmatch(text)
            if match is not None:
                now.stats[self.stats_of][match[1]] = int(match[2])
                now.last_line = line.number
                return
        if self.body(text, now) or self.ending(text, now):
            now.last_line = line.number

    def row(self, line: Line, now: OomReport, match: re.Match[str]) -> None:
        """A row of the table, by its heading."""
        parts = match[2].split(None, len(now.columns) - 1)
        numbers = parts[: len(now.columns) - 1]
        if len(parts) < len(now.columns) or not all(re.fullmatch(r"-?\d{1,20}", part) for part in numbers):
            now.unreadable += 1
            return
        values = dict(zip(now.columns, map(int, numbers), strict=False))
        now.rows.append(Row(int(match[1]), parts[-1].strip(), values, line.number))
        now.last_line = line.number

    def body(self, text: str, now: OomReport) -> bool:
        """A line of the report's middle."""
        match = WHO.search(text)
        if match is not None and now.invoker_pid is None:
            now.invoker_pid = int(match[1] or match[2])
            return True
        match = COUNTER.search(text)
        if match is not None:
            now.memcg = True
            now.counters[match[1]] = Counter(int(match[2]) << 10, int(match[3]) << 10, int(match[4]))
            return True
        match = STATS.search(text)
        if match is not None:
            self.stats_of = match[1] or now.oom_memcg or "?"
            into = now.stats.setdefault(self.stats_of, {})
            into |= {key: int(value) << 10 for key, value in PAIR.findall(match[2] or "")}
            return True
        match = HEADING.search(text)
        if match is not None:
            now.columns, self.stats_of = match[1].split(), ""
            return True
        match = TASK_IN.search(text)
        if match is not None:
            now.task_memcg, now.oom_memcg = match[1], match[2] or now.oom_memcg
            now.memcg = True
            return True
        match = LIMIT_OF.search(text)
        if match is not None:
            now.oom_memcg, now.memcg = match[1], True
            return True
        return False

    def ending(self, text: str, now: OomReport | None) -> bool:
        """A line of the report's end: who is chosen, who is killed."""
        match = KILLED.search(text)
        if match is not None:
            pid, name = int(match[1]), match[2]
            self.killed[pid] = name
            if now is not None:
                self.kill(now, pid, name, match)
                now.memcg = now.memcg or MEMCG in text
            return True
        if now is None:
            return False
        match = CHOSEN.search(text)
        if match is not None:
            now.chosen = int(match[1]), match[2], int(match[3])
            now.memcg = now.memcg or MEMCG in text
            return True
        match = CONTEXT.search(text)
        if match is not None:
            now.constraint, now.oom_memcg, now.task_memcg = match[1], match[2] or None, match[4]
            now.chosen = now.chosen or None
            now.victim = now.victim or (int(match[6]), match[5])
            now.memcg = match[1] == "CONSTRAINT_MEMCG"
            return True
        match = CONSTRAINT.search(text)
        if match is not None:
            now.constraint = match[1]
            now.memcg = match[1] == "CONSTRAINT_MEMCG"
            return True
        match = GROUP_KILL.search(text)
        if match is not None:
            now.group_kill = match[1]
            return True
        if NOBODY in text:
            now.nobody = True
            return True
        match = EXITING.search(text)
        if match is not None:
            now.exiting, now.victim = True, (int(match[1]), match[2])
            return True
        return False

    def kill(self, now: OomReport, pid: int, name: str, match: re.Match[str]) -> None:
        """``Killed process``: the first of a report is its victim."""
        first = not now.killed
        now.killed[pid] = name
        if not first:
            return
        now.victim = pid, name
        if match[3]:
            now.victim_bytes["total-vm"] = int(match[3]) << 10
        now.victim_bytes |= {key: int(value) << 10 for key, value in SIZES.findall(match[4])}
        adj = ADJ.search(match[4])
        if adj is not None:
            now.victim_bytes["oom_score_adj"] = int(adj[1])

    def end(self) -> list[OomReport]:
        """The reports, in the log's order."""
        return self.reports
