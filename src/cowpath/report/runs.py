"""The page about runs: who stalls whom, in words, as a graph, over time, and in tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bokeh.layouts import column
from bokeh.models import Range1d

from cowpath.engine.clock import STALL_NS
from cowpath.observe import lanes as ln
from cowpath.observe.scene import Scene
from cowpath.observe.summary import met_limit, peak
from cowpath.observe.tables import notes, pressure_columns, stall_time
from cowpath.observe.text import clean, duration
from cowpath.report import html, outcomes
from cowpath.report import memory_figure as memory
from cowpath.report.cast import cast, strange
from cowpath.report.chosen import MOST_OF_ALL, MOST_PIECES, Chosen, choose, group_name
from cowpath.report.figures import document, script
from cowpath.report.graph import graph_of, svg
from cowpath.report.lanes_figure import holds_figure, lanes_figure
from cowpath.report.latency_figure import latency_figure
from cowpath.report.looks import DRAWN, LOOKS, looks_seen, patterns, swatch
from cowpath.report.memory_figure import Strip, memory_figure
from cowpath.report.picture import picture
from cowpath.report.step_lists import design_lists
from cowpath.report.strip import Scale, time_in_cells
from cowpath.report.tale import LOCKERS, Tale
from cowpath.report.told import tables, told
from cowpath.report.waits import longest_waits

if TYPE_CHECKING:
    from cowpath.observe.timeline import Timeline
    from cowpath.results import Result

NS = 1e9
TABS = {
    "chains": "Who waits for whom",
    "time": "Over time",
    "latencies": "Page faults outside",
    "tables": "Tables",
    "designs": "The designs",
    "session": "The session",
}  # the sections below the pictures
MOST_GROUPS = 8  # with a figure of their memory
FILES = {
    False: ("memory.usage_in_bytes", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes, where it is another one"),
    True: ("memory.current", "memory.max", "memory.high"),
}
MEANINGS = {
    "isolated": "no task outside waited for a group's memory for long",
    "stalled": f"a task outside waited for a group's memory for longer than {duration(STALL_NS)}, and then it went on",
    "stuck": "a task outside waits for a group's memory, and nothing comes of that group's charges any more",
}


def write(target: Path, results: Sequence[Result], command: str) -> None:
    """Write the page about runs of one session, which were made with a timeline. Raises InputError."""
    html.write(target, page(results, command))


def page(results: Sequence[Result], command: str) -> str:
    """The page, as text. The same results and command give the same text."""
    share = min(MOST_PIECES, MOST_OF_ALL // len(results))
    chosen = [choose(_timeline(result), _scene(result), result.seen.waits, share) for result in results]
    latencies = latency_figure([r.design for r in results], [r.seen.latencies for r in results])
    summaries = [result.summary for result in results]
    first = results[0]
    said = [told(result) for result in results]
    shown = outcomes.pair(results)
    scene = [strange(Tale(each.timeline, each.scene), result.seen.waits)
             for each, result in zip(chosen, results, strict=True)]  # fmt: skip
    who = cast(scene)
    scale = Scale(who.begin, who.end)
    return html.render(
        "runs.html.j2",
        session=first.plan.name,
        source=first.plan.source,
        output=_alike((result.design, result.output) for result in results if result.output),
        command=command,
        runs=[vars(run) | _more(result, each) for run, result, each in zip(said, results, chosen, strict=True)],
        headline=outcomes.headline(results, shown),
        reason=outcomes.reason(results, shown),
        outcomes=outcomes.outcomes(results, said),
        pictures=[picture(run.tale, who) for run in scene],
        pair=shown,
        order=[*shown, *(number for number in range(len(results)) if number not in shown)],
        ticks=scale.ticks(),
        cell=round(scale.cell),
        zoomed=scale.end - scale.begin < max(run.tale.timeline.ends for run in scene),
        patterns=patterns(),
        drawn=DRAWN,
        tabs=TABS,
        sources=[(path.name, text) for path, text in first.plan.sources],
        machine=first.summary,
        shown=max(shown, key=lambda number: outcomes.badness(results[number])),
        meanings={result.verdict: MEANINGS[result.verdict] for result in results},
        notes=notes(summaries),
        tables=tables(summaries),
        designs=design_lists([result.loaded for result in results]),
        legend=[(swatch(state, look), look.name) for state, look in looks_seen(chosen).items()],
        files=_memory_files(summaries),
        memory=memory.COLOURS,
        lockers=LOCKERS,
        looks={name: look.did for name, look in DRAWN.items()},
        bokeh=script(),
        latencies=None if latencies is None else document(latencies),
        data=[_data(*pair, key) for key, pair in enumerate(zip(results, chosen, strict=True))],
    )


def _memory_files(runs: Sequence[dict[str, Any]]) -> tuple[tuple[str, str, str], ...]:
    """What the lines of the figures of memory are called: usage, its limit, and another one; with cgroup v1 and v2."""
    version2 = {"memory.current" in group for run in runs for group in run["groups"].values()}
    return tuple(FILES[name] for name in sorted(version2) or [False])


def _alike(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What is the same for several designs once, with the names of all of them."""
    designs: dict[str, list[str]] = {}
    for design, text in pairs:
        designs.setdefault(text, []).append(clean(design))
    return [(", ".join(names), text) for text, names in designs.items()]


def _timeline(result: Result) -> Any:
    if result.seen.timeline is None:
        raise ValueError(f"the run on {result.design} was made without a timeline")
    return result.seen.timeline


def _scene(result: Result) -> Scene:
    return Scene(None, result.plan)  # for names only: the machine is gone


def _more(result: Result, chosen: Chosen) -> dict[str, Any]:
    """What the page says of a run beside its verdicts."""
    chains = result.summary["group_chains"].items()
    return {
        "inside": {
            name: (line, svg(graph_of([chain]), f"who waits in {clean(name)} on {clean(result.design)}"))
            for (name, line), chain in zip(chains, result.seen.group_waits, strict=True)
        },
        "waits": longest_waits(chosen),
        "stall": stall_time(result.summary),
        "after": _after(result, chosen),
        "lanes": len(chosen.lives),
        "all_lanes": len(chosen.timeline.lives),
        "resolution": chosen.resolution,
        "holds": len(chosen.holds),
        "longest_holds": chosen.longest_holds,
        "events": chosen.timeline.events,
        "pressure": _pressure(result.summary),
        "more_groups": max(0, len(result.plan.groups) - 1 - MOST_GROUPS),
    }


def _after(result: Result, chosen: Chosen) -> str:
    """What is said of the time behind the end of a run, beside one that took longer."""
    if result.summary["ended"] == "settled":  # the clock has stopped, for nothing but the same would come
        return "and so for ever"
    return f"ended at {duration(chosen.timeline.ends)}"


def _data(result: Result, chosen: Chosen, key: int) -> dict[str, Any]:
    """What the page's script needs: the figure, and who and what its numbers stand for."""
    lives = chosen.timeline.lives
    return {
        "design": result.design,
        "figure": document(_figure(result, chosen, key)),
        "states": list(ln.STATES),
        "drawn": list(DRAWN),
        "names": chosen.names,
        "groups": chosen.groups,
        "things": chosen.things,
        "pages": [chosen.page_name(what) for what in chosen.pages],
        "locks": [chosen.lock_of(what) for what in chosen.pages],
        "ends": chosen.timeline.ends,
        "resolution": chosen.resolution,
        "lanes": [
            [int(lives["begin"][life]), int(lives["end"][life]), *(int(ns) for ns in lives["ns"][life])]
            for life in chosen.lives
        ],
    }


def _figure(result: Result, chosen: Chosen, key: int) -> Any:
    """Holds, lanes and the memory of groups, one above the other, with the same time."""
    ends = max(chosen.timeline.ends, 1)
    times = Range1d(start=-0.01 * ends / NS, end=1.01 * ends / NS, name="times",
                    bounds=(-0.05 * ends / NS, 1.05 * ends / NS))  # fmt: skip
    parts = [holds_figure(chosen, times, key), lanes_figure(chosen, times, key)]
    usage = chosen.timeline.usage
    points = usage.points()
    for number in _drawn_groups(result):
        group = result.summary["groups"][result.plan.groups[number]]
        label = group_name(chosen.scene, number)
        throttled = _throttled(chosen.timeline, number, ends) if "throttled_ns" in group else None
        parts.append(memory_figure(usage, points, number, label, times, ends, peak(group), throttled))
    return column([part for part in parts if part is not None], sizing_mode="stretch_width")


def _throttled(timeline: Timeline, group: int, ends: int) -> Strip:
    """When the tasks of a group were throttled."""
    pieces = timeline.pieces
    mine = pieces[(pieces["state"] == ln.THROTTLED) & (timeline.lives["group"][pieces["life"]] == group)]
    scale = Scale(0, ends)
    return Strip("throttled", LOOKS["throttled"].colour, time_in_cells(mine, scale), scale.cell)


def _pressure(summary: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """By group of cgroup v2: the columns of its table of events and pressure, in words."""
    found = {
        clean(name): [(column.heading.replace("\n", " "), str(column.cell(summary)))
                      for column in pressure_columns([summary], name)]
        for name in summary["groups"]
    }  # fmt: skip
    return {name: columns for name, columns in found.items() if columns}


def _drawn_groups(result: Result) -> list[int]:
    """The groups whose memory is drawn: those that met their limit most often, in the order of their numbers."""
    groups = result.summary["groups"]
    numbers = range(1, len(result.plan.groups))
    fails = {number: met_limit(groups[result.plan.groups[number]]) for number in numbers}
    return sorted(sorted(numbers, key=lambda number: -fails[number])[:MOST_GROUPS])
