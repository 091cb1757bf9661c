"""How long the page faults of the tasks outside took: a row per design, on one logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import CustomJSTickFormatter, LogTicker, PlainText, Range1d

from cowpath.observe.histogram import Histogram, middle_of
from cowpath.report.figures import plot
from cowpath.report.lanes_figure import short

PER_DECADE = 16  # bars
ROW = 58  # px
BARS, MARKED = COLOURS = "#0072b2", "#d55e00"
MARKS = (("p50", 0.5, "circle"), ("p99", 0.99, "square"), ("p99.9", 0.999, "triangle"), ("max", 1.0, "x"))
TIME_WORDS = """
const units = [[1e9, 's'], [1e6, 'ms'], [1e3, 'us'], [1, 'ns']];
const [factor, unit] = units.find(([factor]) => tick >= factor * 0.999) ?? [1, 'ns'];
return Number((tick / factor).toPrecision(3)) + ' ' + unit;
"""


def latency_figure(designs: Sequence[str], histograms: Sequence[Histogram]) -> Any:
    """Bars: how many faults took so long (by the logarithm of the number); marks: quantiles. None if there are none."""
    known = [(name, found) for name, found in zip(designs, histograms, strict=True) if found.count]
    if not known:
        return None
    least = max(1, min(found.smallest for _, found in known))
    most = max(1, *(found.largest for _, found in known))
    times, rows = Range1d(start=least / 2.5, end=most * 2.5), Range1d(start=len(known) - 0.75, end=-1.0)
    made = plot(ROW * len(known) + 90, "latencies", x_axis_type="log", x_range=times, y_range=rows)
    bars = max(2, int(np.log10(most / least + 1) * PER_DECADE) + 1)
    edges = np.geomspace(least, max(most * 1.0001, least * 1.15), bars)
    highest = max(int(found.count) for _, found in known)
    for row, (_, found) in enumerate(known):
        counts = _counts(found, edges)
        at = np.flatnonzero(counts)
        heights = 0.85 * np.log1p(counts[at]) / np.log1p(highest)
        made.quad(left=edges[at], right=edges[at + 1], bottom=row, top=row - np.maximum(heights, 0.06),
                  fill_color=BARS, fill_alpha=0.6, line_color=BARS)  # fmt: skip
        for label, share, marker in MARKS:
            value = found.largest if share == 1.0 else found.quantile(share)
            made.scatter([value], [row], marker=marker, size=11, line_width=2, fill_color="#ffffff",
                         line_color=MARKED, legend_label=label)  # fmt: skip
    made.yaxis.ticker = list(range(len(known)))
    made.yaxis.major_label_overrides = {row: PlainText(text=short(name)) for row, (name, _) in enumerate(known)}
    made.xaxis.ticker = LogTicker(desired_num_ticks=5, num_minor_ticks=0)
    made.xaxis.formatter = CustomJSTickFormatter(code=TIME_WORDS)
    made.xaxis.axis_label = "time of a page fault, from entry to end"
    made.ygrid.visible = False
    made.add_layout(made.legend[0], "above")  # nothing is behind it there
    made.legend.orientation, made.legend.border_line_alpha, made.legend.background_fill_alpha = "horizontal", 0, 0
    made.legend.label_text_font_size, made.legend.padding = "11px", 2
    return made


def _counts(found: Histogram, edges: Any) -> Any:
    """How many values lie between each edge and the next."""
    at = np.flatnonzero(found.buckets)
    values = np.clip([middle_of(int(bucket)) for bucket in at], found.smallest, found.largest)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges, weights=found.buckets[at])
    return counts
