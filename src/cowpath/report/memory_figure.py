"""The memory of a group against its limit over time, with what went wrong when."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, CustomJSTickFormatter, Range1d

from cowpath.kernel import names as n
from cowpath.observe.usage import Bins, Usage
from cowpath.report.figures import add_zoom, plot

NS = 1e9
MIB = n.PAGE_SIZE / (1 << 20)
SEEN = 400  # the part of the whole run that a bar is at least as wide as
STRIPS = ("charge met the limit", "reclaim pass")


def memory_figure(usage: Usage, group: int, name: str, times: Range1d, ends: int, kills: list[float], peak: int) -> Any:
    """Usage (a line), limit (dashed), OOM kills (crosses), and below them strips of failed charges and of reclaim.

    ``times`` in s, ``ends`` in ns, ``kills`` at s, ``peak`` in bytes: memory.max_usage_in_bytes.
    """
    points = usage.points()
    mine = points[points["group"] == group]
    at = np.concatenate([[0.0], mine["time"] / NS, [ends / NS]])
    pages = np.concatenate([[0], mine["pages"], mine["pages"][-1:] if len(mine) else [0]])
    limits = limit_line(usage, group, ends)
    top = 1.15 * max([peak / (1 << 20), *limits["mib"], 1e-3])
    made = plot(170, f"memory of {name}", x_range=times, y_range=Range1d(start=-0.36 * top, end=top))
    made.step(at, pages * MIB, mode="after", line_width=2, line_color="#0072b2")
    if limits["mib"]:
        made.line(limits["at"], limits["mib"], line_dash="dashed", line_width=2, line_color="#d55e00")  # fmt: skip
    if kills:
        at_top = [top * 0.93] * len(kills)
        made.scatter(kills, at_top, marker="x", size=9, line_width=2, line_color="#a3006d")
    for row, (bins, colour) in enumerate(((usage.fails, "#d55e00"), (usage.scans, "#009e73"))):
        _strip(made, bins, group, ends, -0.06 * top - 0.16 * top * row, 0.12 * top, colour)
    ticks = {-0.13 * top: STRIPS[0], -0.29 * top: STRIPS[1]}
    made.yaxis.ticker = [*ticks, *_round_ticks(top)]
    made.yaxis.formatter = CustomJSTickFormatter(
        args={"names": [[at, words] for at, words in ticks.items()]},
        code="for (const [at, words] of names) if (Math.abs(at - tick) < 1e-9) return words;\n"
             "return tick + ' MiB'",
    )  # fmt: skip
    made.xaxis.axis_label = "machine's time, s"
    add_zoom(made)
    return made


def limit_line(usage: Usage, group: int, ends: int) -> dict[str, list[float]]:
    """memory.limit_in_bytes over time, in s and MiB; no point where there is no limit."""
    at: list[float] = []
    mib: list[float] = []
    for limit in usage.limits:
        if limit.group != group or limit.file != "memory.limit_in_bytes":
            continue
        if mib:
            at.append(limit.time_ns / NS)
            mib.append(mib[-1])
        if limit.pages < n.UNLIMITED:
            at.append(limit.time_ns / NS)
            mib.append(limit.pages * MIB)
    return {"at": [*at, ends / NS], "mib": [*mib, mib[-1]]} if mib else {"at": [], "mib": []}


def _strip(made: Any, bins: Bins, group: int, ends: int, top: float, height: float, colour: str) -> None:
    """Bars in a row, the higher the more happened in that stretch of time (by its logarithm)."""
    sums = bins.sums[group]
    at = np.flatnonzero(sums)
    if not len(at):
        return
    share = np.log1p(sums[at]) / np.log1p(sums.max())
    base = top - 0.03 * height - height
    source = ColumnDataSource(
        {
            "left": at * bins.width / NS,
            "right": np.maximum(np.minimum((at + 1) * bins.width, ends), at * bins.width + ends / SEEN) / NS,
            "top": base + height * (0.25 + 0.75 * share),
            "bottom": np.full(len(at), base),
            "count": sums[at],
        }
    )
    made.quad(left="left", right="right", top="top", bottom="bottom", source=source, fill_color=colour, line_color=None)


def _round_ticks(top: float) -> list[float]:
    """A few round numbers of MiB up to the top."""
    step = 10.0 ** np.floor(np.log10(top / 3))
    step *= next(times for times in (1, 2, 5, 10) if top / (step * times) <= 4)
    return [float(round(tick, 6)) for tick in np.arange(0, top, step)]
