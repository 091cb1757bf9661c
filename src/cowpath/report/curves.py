"""Curves with their spread, and heat maps: a figure over values that were varied."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bokeh.models import (
    BasicTicker,
    CustomJSTickFormatter,
    FactorRange,
    LinearColorMapper,
    LogTicker,
    NoOverlap,
    PlainText,
)

from cowpath.report.figures import plot

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8050ff", "#5c5f66")
DASHES = ("solid", "dashed", "dotted", "dashdot")
MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "plus", "x", "star")
PALETTE = tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in (
    (round(247 - 239 * t), round(251 - 203 * t), round(255 - 148 * t)) for t in (step / 255 for step in range(256))
))  # fmt: skip
MOST_CURVES = 24
JS_DURATION = """
const units = [[1e9, 's'], [1e6, 'ms'], [1e3, 'us'], [1, 'ns']];
const [factor, unit] = units.find(([factor]) => Math.abs(tick) >= factor * 0.999) ?? [1, 'ns'];
return tick === 0 ? '0' : Number((tick / factor).toPrecision(3)) + ' ' + unit;
"""
JS_SIZE = """
const units = [[2 ** 30, 'G'], [2 ** 20, 'M'], [2 ** 10, 'K'], [1, '']];
const [factor, unit] = units.find(([factor]) => Math.abs(tick) >= factor * 0.999) ?? [1, ''];
return Number((tick / factor).toPrecision(4)) + unit;
"""


@dataclass(frozen=True)
class Axis:
    """An axis of numbers. ``unit``: ``"ns"`` (a time), ``"bytes"``, or nothing."""

    label: str
    unit: str = ""
    by_multiples: bool = False


@dataclass(frozen=True)
class Curve:
    """Points from left to right: x, mean, least, most."""

    label: str
    points: tuple[tuple[float, float, float, float], ...]


def curves_figure(
    curves: Sequence[Curve], x: Axis, y: Axis, label: str, marks: Sequence[tuple[float, str]] = ()
) -> Any:
    """A curve each, with a band from the least to the most; ``marks`` are vertical lines with a word."""
    made = plot(380, label, **({"x_axis_type": "log"} if x.by_multiples else {}))
    for number, curve in enumerate(curves[:MOST_CURVES]):
        look = {"color": COLOURS[number % len(COLOURS)], "legend_label": curve.label}
        at, mean, least, most = ([point[part] for point in curve.points] for part in range(4))
        if least != most:
            made.varea(at, least, most, fill_color=look["color"], fill_alpha=0.18)
        made.line(at, mean, line_width=2, line_dash=DASHES[number // len(COLOURS) % len(DASHES)], **look)
        made.scatter(at, mean, marker=MARKERS[number % len(MARKERS)], size=8, line_color="#ffffff", **look)
    for number, (place, word) in enumerate(marks):
        look = {"line_color": COLOURS[-1 - number], "line_dash": DASHES[-1 - number % len(DASHES)]}
        made.vspan(x=[place], line_width=2, legend_label=word, **look)
    for axis, wanted in ((made.xaxis[0], x), (made.yaxis[0], y)):
        axis.axis_label = PlainText(text=wanted.label)
        if wanted.unit:
            axis.formatter = CustomJSTickFormatter(code=JS_DURATION if wanted.unit == "ns" else JS_SIZE)
    if x.unit == "bytes" and not x.by_multiples:
        made.xaxis[0].ticker = BasicTicker(base=2, mantissas=[1, 1.5], desired_num_ticks=8)
    elif x.by_multiples:
        made.xaxis[0].ticker = LogTicker(base=2 if x.unit == "bytes" else 10, desired_num_ticks=8)
    made.y_range.start = min(0.0, *(point[2] for curve in curves for point in curve.points))
    made.xaxis[0].major_label_policy = NoOverlap()
    made.add_layout(made.legend[0], "above")
    made.legend.orientation, made.legend.border_line_alpha, made.legend.background_fill_alpha = "horizontal", 0, 0
    made.legend.label_text_font_size, made.legend.padding = "11px", 2
    made.legend.ncols = min(len(curves) + len(marks), 3)
    return made


def heat_figure(
    cells: Sequence[tuple[str, str, float]], x: str, y: str, label: str, show: Callable[[float], str]
) -> Any:
    """A field for each pair of values, the darker the more, with its figure in it. The pairs come in their order."""
    columns, rows = list(dict.fromkeys(cell[0] for cell in cells)), list(dict.fromkeys(cell[1] for cell in cells))
    made = plot(70 + 34 * len(rows), label, x_range=FactorRange(factors=columns), y_range=FactorRange(factors=rows))
    figures = [cell[2] for cell in cells]
    low, high = min(figures), max(figures)
    mapper = LinearColorMapper(palette=list(PALETTE), low=low, high=high if high > low else low + 1)
    data = {
        "x": [cell[0] for cell in cells], "y": [cell[1] for cell in cells], "figure": figures,
        "words": [show(figure) for figure in figures],
        "ink": ["#ffffff" if high > low and (figure - low) / (high - low) > 0.55 else "#1c1c1e" for figure in figures],
    }  # fmt: skip
    made.rect("x", "y", 1, 1, source=data, fill_color={"field": "figure", "transform": mapper}, line_color="#ffffff")
    made.text("x", "y", text="words", source=data, text_color="ink", text_align="center", text_baseline="middle",
              text_font_size="11px")  # fmt: skip
    made.xaxis[0].axis_label, made.yaxis[0].axis_label = PlainText(text=x), PlainText(text=y)
    made.grid.visible = False
    return made


def is_by_multiples(values: Sequence[float]) -> bool:
    """Whether values are nearer to equal multiples than to equal distances."""
    known = sorted(set(values))
    if len(known) < 3 or known[0] <= 0:
        return False
    distances = [b - a for a, b in pairwise(known)]
    multiples = [math.log(b / a) for a, b in pairwise(known)]
    return _unevenness(multiples) < _unevenness(distances)


def _unevenness(steps: Sequence[float]) -> float:
    return (max(steps) - min(steps)) / max(steps)
