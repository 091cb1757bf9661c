"""The memory of a group against its limit over time, with what went wrong when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from bokeh.models import ColumnDataSource, CustomJSTickFormatter, PlainText, Range1d

from cowpath.kernel import names as n
from cowpath.observe.usage import Usage
from cowpath.report.figures import add_zoom, plot, seconds

NS = 1e9
MIB = n.PAGE_SIZE / (1 << 20)
LIMIT_FILES = (("memory.limit_in_bytes", "memory.max"), ("memory.memsw.limit_in_bytes", "memory.high"))
COLOURS = {  # of lines, marks and strips; each has another shape, or a name beside it
    "usage": "#0072b2", "limit": "#d55e00", "other": "#cc79a7", "kill": "#a3006d", "reclaimed": "#009e73",
}  # fmt: skip
SEEN = 400  # the part of the whole run that a bar is at least as wide as


@dataclass(frozen=True)
class Strip:
    """A row of bars below the memory: how much of something there was in each of equal stretches of time."""

    name: str
    colour: str
    sums: npt.NDArray[Any]
    width: float  # of a stretch, in ns


def memory_figure(
    usage: Usage, points: Any, group: int, name: str, times: Range1d, ends: int, peak: int, throttled: Strip | None
) -> Any:
    """Usage (a line), limits (dashed, dotted), OOM kills (crosses); below them strips: failed charges, reclaim.

    ``points``: ``usage.points()``, those of all groups. ``times`` in s, ``ends`` in ns, ``peak`` in bytes:
    memory.max_usage_in_bytes. ``throttled``: a strip more, for a group of cgroup v2.
    """
    strips = [
        Strip("met the limit", COLOURS["limit"], usage.fails.sums[group], usage.fails.width),
        Strip("reclaimed", COLOURS["reclaimed"], usage.scans.sums[group], usage.scans.width),
        *([] if throttled is None else [throttled]),
    ]
    mine = points[points["group"] == group]
    at = np.concatenate([[0.0], mine["time"] / NS, [ends / NS]])
    pages = np.concatenate([[0], mine["pages"], mine["pages"][-1:] if len(mine) else [0]])
    limit, memsw = (limit_line(usage, group, ends, *files) for files in LIMIT_FILES)
    top = 1.15 * max([peak / (1 << 20), *(mib for mib in limit[1] if mib == mib), 1e-3])
    below = (0.04 + 0.16 * len(strips)) * top
    made = plot(140 + 15 * len(strips), f"memory of {name}", x_range=times, y_range=Range1d(start=-below, end=top))
    made.step(at, pages * MIB, mode="after", line_width=2, line_color=COLOURS["usage"])
    made.line(*limit, line_dash="dashed", line_width=2, line_color=COLOURS["limit"])
    if memsw != limit:
        made.line(*memsw, line_dash="dotted", line_width=2, line_color=COLOURS["other"])
    kills = (np.flatnonzero(usage.kills.sums[group]) + 0.5) * usage.kills.width / NS
    made.scatter(kills, np.full(len(kills), top * 0.93), marker="x", size=9, line_width=2, line_color=COLOURS["kill"])
    for row, each in enumerate(strips):
        _draw(made, each, ends, -(0.06 + 0.16 * row) * top, 0.12 * top)
    ticks = {-(0.13 + 0.16 * row) * top: each.name for row, each in enumerate(strips)}
    made.yaxis.ticker = [*ticks, *_round_ticks(top)]
    made.yaxis.formatter = CustomJSTickFormatter(
        args={"names": [[at, words] for at, words in ticks.items()]},
        code="for (const [at, words] of names) if (Math.abs(at - tick) < 1e-9) return words;\n"
             "return tick + ' MiB'",
    )  # fmt: skip
    made.yaxis.axis_label = PlainText(text=f"memory of {name}")
    seconds(made)
    add_zoom(made)
    return made


def limit_line(usage: Usage, group: int, ends: int, *files: str) -> tuple[list[float], list[float]]:
    """A limit over time (of any of these files), in s and MiB; NaN, which breaks a line, where there is none."""
    at: list[float] = []
    mib = [math.nan]
    for limit in usage.limits:
        if limit.group == group and limit.file in files:
            at += [limit.time_ns / NS] * 2
            mib += [mib[-1], limit.pages * MIB if limit.pages < n.UNLIMITED else math.nan]
    return [*at, ends / NS], mib[1:] + mib[-1:]


def _draw(made: Any, strip: Strip, ends: int, top: float, height: float) -> None:
    """Bars in a row, the higher the more happened in that stretch of time (by its logarithm)."""
    sums, width = strip.sums, strip.width
    at = np.flatnonzero(sums)
    if not len(at):
        return
    share = np.log1p(sums[at]) / np.log1p(sums.max())
    base = top - 0.03 * height - height
    source = ColumnDataSource(
        {
            "left": at * width / NS,
            "right": np.maximum(np.minimum((at + 1) * width, ends), at * width + ends / SEEN) / NS,
            "top": base + height * (0.25 + 0.75 * share),
            "bottom": np.full(len(at), base),
        }
    )
    made.quad(left="left", right="right", top="top", bottom="bottom", source=source, fill_color=strip.colour,
              line_color=None)  # fmt: skip


def _round_ticks(top: float) -> list[float]:
    """A few round numbers of MiB up to the top."""
    step = 10.0 ** np.floor(np.log10(top / 3))
    step *= next(times for times in (1, 2, 5, 10) if top / (step * times) <= 4)
    return [float(round(tick, 6)) for tick in np.arange(0, top, step)]
