"""What is told of runs in tables: the columns of each question, and how their cells read; a row per design."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from cowpath.observe.terminal import Fitted
from cowpath.observe.text import clean, count, duration, significant, size

Run = dict[str, Any]  # observe.summary.Summary with its verdicts

LOCKERS = {"task": "a task", "readahead": "read-ahead", "swap_readahead": "swap read-ahead", "disk": "the disk"}
STYLES = {
    "isolated": "green", "stalled": "yellow", "stuck": "bold red",
    "progresses": "green", "finished": "green", "empty": "dim", "waits": "yellow", "killed": "yellow",
    "live-locked": "bold red",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A measure: its heading and how it reads from a run."""

    heading: str
    cell: Callable[[Run], str | Text]
    justify: str = "right"


SO_FAR = ", so far"
VERDICTS = "Verdicts: does a group's lack of memory hold up the tasks outside it?"
LONGEST_HEADING = 16  # letters of a group's name


def verdict_text(verdict: str | None, so_far: bool = False) -> Text:
    """A verdict in its colour; ``so_far``: the run has had to end before its time."""
    return Text(f"{verdict or '-'}{SO_FAR if so_far else ''}", style=STYLES.get(verdict or "", ""))


def at(*keys: str) -> Callable[[Run], Any]:
    """Reads ``run[key][key]...``; None where there is nothing."""

    def read(run: Run) -> Any:
        value: Any = run
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    return read


def shown(form: Callable[[Any], str], *keys: str) -> Callable[[Run], str]:
    """Reads a measure and shows it in a form."""
    read = at(*keys)
    return lambda run: form(read(run))


def latency_columns(*where: str) -> list[Column]:
    """Faults and their times, of a class of tasks."""
    times = [("p50", "p50_ns"), ("p99", "p99_ns"), ("p99.9", "p999_ns"), ("max", "max_ns"), ("blocked", "blocked_ns")]
    return [
        Column("faults", shown(count, *where, "faults")),
        *(Column(heading, shown(duration, *where, key)) for heading, key in times),
    ]


def holder(run: Run) -> str:
    """Who held a page lock longest."""
    lock = run["page_lock"]
    if lock["holder"] is None:
        return "-"
    who = f"{lock['holder']} in {lock['group']}" if lock.get("group") else str(lock["holder"])
    return f"{LOCKERS[lock['kind']]} of {who}" if lock["kind"] in ("readahead", "swap_readahead") else who


def hold_time(lock: Any) -> Text:
    """How long; a hold that the end of the run cut off is marked."""
    if lock is None:
        return Text("-")
    open_ended = lock["ended"] is False
    return Text(
        duration(lock["longest_hold_ns"]) + (" +" if open_ended else ""), style="bold red" if open_ended else ""
    )


def locker_columns(runs: Sequence[Run]) -> list[Column]:
    """The longest hold by each kind of owner that there was."""

    def column(kind: str, words: str) -> Column:
        return Column(words, lambda run: hold_time((run["page_lock"]["by_kind"] or {}).get(kind)))

    kinds = {kind for run in runs for kind, holds in (run["page_lock"]["by_kind"] or {}).items() if holds["holds"]}
    return [column(kind, words) for kind, words in LOCKERS.items() if kind in kinds]


def stall_time(run: Run) -> str:
    """The longest wait of a task outside for a group's memory."""
    stall = run.get("longest_stall")
    return duration(stall["ns"]) if stall else "-"


def ending(run: Run) -> str:
    """How long the machine ran, and why it stopped."""
    return f"{duration(run['virtual_ns'])}, {run['ended']}" if run.get("ended") else duration(run["virtual_ns"])


def group_files(runs: Sequence[Run], group: str) -> set[str]:
    """The keys that some run has of a group: those of cgroup v1 or of v2."""
    return {key for run in runs for key, value in (at("groups", group)(run) or {}).items() if value is not None}


def group_columns(runs: Sequence[Run], group: str) -> list[Column]:
    """A group's progress and its memory files, those of cgroup v1 or v2."""
    where = ("groups", group)
    columns = [Column("jobs\ndone", shown(count, *where, "jobs_done"))]
    if "memory.current" in group_files(runs, group):
        files = ("current", "peak", "high", "max", "swap.current")
        return [*columns, *(Column(file.replace(".", ".\n"), shown(size, *where, f"memory.{file}")) for file in files)]
    return [
        *columns,
        Column("usage", shown(size, *where, "memory.usage_in_bytes")),
        Column("max\nusage", shown(size, *where, "memory.max_usage_in_bytes")),
        Column("failcnt", shown(count, *where, "memory.failcnt")),
        Column("memsw\nfailcnt", shown(count, *where, "memory.memsw.failcnt")),
    ]


def pressure_columns(runs: Sequence[Run], group: str) -> list[Column]:
    """With cgroup v2: how often a group was over its mark and its limit, and how long that has held its tasks up."""
    where, has = ("groups", group), group_files(runs, group)
    if "memory.events" not in has:
        return []
    columns = [Column(f"events:\n{event}", shown(count, *where, "memory.events", event)) for event in ("high", "max")]
    columns.append(Column("throttled", shown(duration, *where, "throttled_ns")))
    if "memory.pressure" in has:
        columns += [
            Column(f"pressure:\n{which}", shown(duration, *where, "memory.pressure", f"{which}_ns"))
            for which in ("some", "full")
        ]
    return columns


def cost_columns() -> list[Column]:
    """What a design costs."""
    return [
        Column("faults", shown(count, "faults")),
        Column("steps per\nfault", lambda run: "-" if (v := run["steps_per_fault"]) is None else f"{v:.2f}"),
        Column("retries", shown(count, "retries")),
        Column("major\nfaults", shown(count, "major_faults")),
        Column("wasted\nallocs", shown(count, "wasted", "allocations")),
        Column("wasted\ncharges", shown(count, "wasted", "charges")),
    ]


def group_names(runs: Sequence[Run]) -> list[str]:
    """The groups of all runs, in order."""
    return list(dict.fromkeys(name for run in runs for name in run["groups"]))


def verdict_columns(runs: Sequence[Run]) -> list[Column]:
    """The verdict for the tasks outside, and one for each group."""
    groups = group_names(runs)
    columns = [
        Column("outside", lambda run: verdict_text(run["verdict"], so_far=bool(run.get("exhausted"))), "left"),
        Column("longest\nstall", stall_time),
    ]
    for name in groups:
        read = at("group_verdicts", name)
        columns.append(Column(clean(name, LONGEST_HEADING), lambda run, read=read: verdict_text(read(run)), "left"))  # type: ignore[misc]
        columns.append(Column("OOM\nkills", shown(count, "groups", name, "oom_kills")))
    return [*columns, Column("ran for", ending, "left")]


def table(title: str, runs: Sequence[Run], columns: Sequence[Column]) -> Fitted:
    """A table with a row per design; those of which it says the same share one."""
    made = Fitted("design", *(column.heading + (":" if column.justify == "right" else "") for column in columns),
                  title=title)  # fmt: skip
    for designs, cells in merged((name_of(run), [as_text(column.cell(run)) for column in columns]) for run in runs):
        made.add_row(", ".join(designs), *cells)
    return made


def merged(rows: Iterable[tuple[str, Sequence[Text]]]) -> Iterator[tuple[list[str], Sequence[Text]]]:
    """Rows with the same cells become one, with all their names, in the place of the first."""
    found: dict[tuple[str, ...], tuple[list[str], Sequence[Text]]] = {}
    for name, cells in rows:
        found.setdefault(tuple(cell.plain for cell in cells), ([], cells))[0].append(name)
    yield from found.values()


def name_of(run: Run) -> str:
    """Its design."""
    return clean(run["design"], 28)


def as_text(cell: str | Text) -> Text:
    """A cell that is shown as it is: outside names are no markup, and give the terminal no orders."""
    return cell if isinstance(cell, Text) else Text(clean(cell, 60))


def sections(runs: Sequence[Run]) -> Iterator[tuple[str, list[Column]]]:
    """The tables: their titles and columns."""
    yield VERDICTS, verdict_columns(runs)
    yield "Page faults outside every group", latency_columns("bystanders")
    yield (
        "The longest hold of a page lock (+: so far), and pages locked at once",
        [
            Column("held for", lambda run: hold_time(run["page_lock"])),
            Column("by", holder, "left"),
            Column("page", lambda run: run["page_lock"]["page"] or "-", "left"),
            Column("most\nat once", shown(count, "page_lock", "most_locked")),
            Column("at the\nend", shown(count, "page_lock", "locked_now")),
        ],
    )
    if columns := locker_columns(runs):
        yield "The longest hold by each kind of owner (+: so far)", columns
    for names, tables in groups_alike(runs):
        many = len(names) > 1
        who, its = f"Group{'s' * many} {', '.join(map(clean, names))}", "their" if many else "its"
        yield from ((f"{who}: {its} {what.format(its)}", columns) for what, columns in tables)
    yield "What the page faults cost", cost_columns()


def groups_alike(runs: Sequence[Run]) -> Iterator[tuple[list[str], list[tuple[str, list[Column]]]]]:
    """Groups of which all tables say the same (those above a pod's, in which nothing runs), and the tables of one."""
    alike: dict[str, tuple[list[str], list[tuple[str, list[Column]]]]] = {}
    for name in group_names(runs):
        tables = group_tables(runs, name)
        said = [[as_text(column.cell(run)).plain for column in columns] for _, columns in tables for run in runs]
        alike.setdefault(repr(said), ([], tables))[0].append(name)
    yield from alike.values()


def group_tables(runs: Sequence[Run], name: str) -> list[tuple[str, list[Column]]]:
    """The tables of a group: what each is about, with a place for another "its", and the columns."""
    return [
        ("progress and {} memory files", group_columns(runs, name)),
        *([("memory.events and {} pressure", columns)] if (columns := pressure_columns(runs, name)) else []),
        ("page faults", latency_columns("groups", name, "latency")),
    ]


def notes(runs: Sequence[Run]) -> list[str]:
    """What was accepted, but is not quite what was typed. It stands with the verdicts, for it may explain them."""
    return list(dict.fromkeys(note for run in runs for note in run.get("notes", ())))


def not_finished(run: Run) -> str:
    """What a run that had to end early ran out of, how many there were, and what gives it more; "" for others."""
    pool = run.get("exhausted")
    if not pool:
        return ""
    return (f"the machine ran out of {pool['what']}: there were {pool['count']:,}, at {duration(pool['at_ns'])}. "
            f"The verdicts are those up to then. More: {pool['hint']}.")  # fmt: skip


def speed(run: Run) -> str:
    """``1,200,000 steps in 3.1 s: 387,000 steps/s``."""
    wall = run["wall_s"]
    rate = f": {significant(run['steps'] / wall)} steps/s" if wall else ""
    return f"{count(run['steps'])} steps in {significant(wall)} s{rate}"
