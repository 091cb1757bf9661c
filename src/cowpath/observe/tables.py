"""Runs as tables and paragraphs for people: one row per design, a small table per question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cowpath.observe.text import clean, count, duration, significant, size, visible

Run = dict[str, Any]  # observe.summary.Summary with its verdicts

MOST_CHAINS = 3  # sentences per design; the others are much the same
LOCKERS = {"task": "a task", "readahead": "read-ahead", "swap_readahead": "swap read-ahead", "disk": "the disk"}
STYLES = {
    "isolated": "green", "stalled": "yellow", "stuck": "bold red",
    "progresses": "green", "finished": "green", "empty": "dim", "waits": "yellow", "killed": "yellow",
    "live-locked": "bold red",
}  # fmt: skip


class Terminal(Console):
    """A console that leaves it to the command line to say what happens when the reader of its output has gone."""

    def on_broken_pipe(self) -> None:
        """Rich would exit with 1, which is a verdict's status here."""
        raise BrokenPipeError


@dataclass(frozen=True)
class Column:
    """A measure: its heading and how it reads from a run."""

    heading: str
    cell: Callable[[Run], str | Text]
    justify: str = "right"
    fold: bool = False


SO_FAR = ", so far"


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
        columns.append(Column(clean(name, 16), lambda run, read=read: verdict_text(read(run)), "left"))  # type: ignore[misc]
        columns.append(Column("OOM\nkills", shown(count, "groups", name, "oom_kills")))
    return [*columns, Column("ran for", ending, "left")]


def table(title: str, runs: Sequence[Run], columns: Sequence[Column]) -> Table:
    """A table with a row per run."""
    made = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    made.add_column("design", no_wrap=True, overflow="ellipsis", vertical="bottom")
    for column in columns:
        justify: Any = column.justify
        made.add_column(
            Text(column.heading), justify=justify, no_wrap=not column.fold, overflow="fold", vertical="bottom"
        )
    for run in runs:
        made.add_row(Text(clean(run["design"], 28)), *(as_text(column.cell(run)) for column in columns))
    return made


def as_text(cell: str | Text) -> Text:
    """A cell that is shown as it is: outside names are no markup, and give the terminal no orders."""
    return cell if isinstance(cell, Text) else Text(clean(cell, 60))


def chains(runs: Sequence[Run]) -> Iterator[RenderableType]:
    """A paragraph per design in which somebody is stuck or was stalled; equal ones are told once."""
    for run in runs:
        lines = list(run["chain"])
        stall = run.get("longest_stall")
        if not lines and not (stall and stall.get("chain")):
            continue
        head = Text.assemble((clean(run["design"], 28), "bold"), ": ", verdict_text(run["verdict"]))
        if lines:
            shown_lines = [line + "." for line in lines[:MOST_CHAINS]]
            if len(lines) > MOST_CHAINS:
                shown_lines.append(f"... and {len(lines) - MOST_CHAINS} more (--json has them all).")
            yield Group(head, *(Padding(Text(line), (0, 0, 0, 2)) for line in shown_lines))
        elif stall:
            line = f"for {duration(stall['ns'])}, {stall['chain']}."
            yield Group(head, Padding(Text(line), (0, 0, 0, 2)))


def sections(runs: Sequence[Run]) -> Iterator[tuple[str, list[Column]]]:
    """The tables: their titles and columns."""
    yield "Verdicts: does a group's lack of memory hold up the tasks outside it?", verdict_columns(runs)
    yield "Page faults outside every group", latency_columns("bystanders")
    yield (
        "The longest hold of a page lock (+: so far), and pages locked at once",
        [
            Column("held for", lambda run: hold_time(run["page_lock"])),
            Column("by", holder, "left", fold=True),
            Column("page", lambda run: run["page_lock"]["page"] or "-", "left", fold=True),
            Column("most\nat once", shown(count, "page_lock", "most_locked")),
            Column("at the\nend", shown(count, "page_lock", "locked_now")),
        ],
    )
    if columns := locker_columns(runs):
        yield "The longest hold by each kind of owner (+: so far)", columns
    for name in group_names(runs):
        yield f"Group {clean(name)}: its progress and its memory files", group_columns(runs, name)
        if columns := pressure_columns(runs, name):
            yield f"Group {clean(name)}: its memory.events and its pressure", columns
        yield f"Group {clean(name)}: its page faults", latency_columns("groups", name, "latency")
    yield "What the page faults cost", cost_columns()


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


def report(runs: Sequence[Run]) -> Group:
    """Everything about one run, or about several side by side."""
    parts: list[RenderableType] = [table(title, runs, columns) for title, columns in sections(runs)]
    if said := notes(runs):
        parts[0] = Group(parts[0], *(Text(f"Note: {visible(note)}", style="yellow") for note in said))
    cut = [Text(f"{clean(run['design'], 28)}: {line}") for run in runs if (line := not_finished(run))]
    if cut:
        parts.append(Group(Text("Not finished", style="bold red"), *cut))
    told = list(chains(runs))
    if told:
        parts += [Group(Text("Who waits for whom", style="bold"), *told)]
    return Group(*(Padding(part, (0, 0, 1, 0), expand=False) for part in parts))


def speed(run: Run) -> str:
    """``1,200,000 steps in 3.1 s: 387,000 steps/s``."""
    wall = run["wall_s"]
    rate = f": {significant(run['steps'] / wall)} steps/s" if wall else ""
    return f"{count(run['steps'])} steps in {significant(wall)} s{rate}"
