"""The timeline: a lane per task, and above them the pages whose locks were held while others waited."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CustomJS,
    CustomJSTickFormatter,
    HBar,
    PlainText,
    Range1d,
    TapTool,
)

from cowpath.observe.text import clean
from cowpath.report.chosen import Chosen
from cowpath.report.figures import LEFT, add_zoom, plot, seconds
from cowpath.report.looks import CHOSEN, DRAWN, HOLD, STRANGER, Look, drawn_as

ROW = 15  # px of a lane when the page opens
MOST_ROWS = 34  # lanes that are seen then
HOLD_ROW = 22
NS = 1e9
# looks of a task that needs what others have
FOR_SOMETHING = (STRANGER, "charging", "page_lock", "other_lock", "memory", "throttled", "io")


def holds_figure(chosen: Chosen, times: Range1d, key: int) -> Any:
    """The page locks that were waited for: who held each of them, and when. None if there is nothing to see."""
    rows = chosen.pages
    if not rows:
        return None
    place = {what: row for row, what in enumerate(rows)}
    holds = chosen.holds
    made = plot(HOLD_ROW * len(rows) + 46, "page-lock holds", x_range=times, y_range=(len(rows) - 0.4, -0.6),
                x_axis_location="above")  # fmt: skip
    source = ColumnDataSource(
        {
            "left": holds["begin"] / NS,
            "right": holds["end"] / NS,
            "y": np.array([place[int(what)] for what in holds["what"]], np.int32),
            "by": chosen.person_of(holds["life"]),
            "open": holds["open"],
            "kind": holds["kind"],
        },
        name="holds",
    )
    bars = made.add_glyph(source, bar(HOLD))
    _selected_as_drawn(bars)
    made.yaxis.ticker = list(range(len(rows)))
    made.yaxis.major_label_overrides = {
        row: PlainText(text=short(chosen.page_name(what))) for what, row in place.items()
    }
    seconds(made)
    made.ygrid.visible = False
    add_zoom(made)
    _tell_when_tapped(made, source, key, "hold")
    return made


def lanes_figure(chosen: Chosen, times: Range1d, key: int) -> Any:
    """The lanes of all tasks that are drawn; the first of them are in view."""
    rows = len(chosen.lives)
    view = min(rows, MOST_ROWS)
    made = plot(ROW * max(view, 4) + 52, "lanes", x_range=times,
                y_range=Range1d(start=view - 0.4, end=-0.6, name="rows", bounds=(-1.5, rows + 0.5)))  # fmt: skip
    looks = drawn_as(chosen.timeline.lives, chosen.pieces)
    for number, (name, look) in enumerate(DRAWN.items()):
        pieces = chosen.pieces[looks == number]
        if not len(pieces):
            continue
        columns: dict[str, Any] = {
            "left": pieces["begin"] / NS,
            "right": pieces["end"] / NS,
            "y": chosen.row_of[pieces["life"]].astype(np.int32),
            "joined": pieces["joined"],
            "open": pieces["open"],
        }
        if name in FOR_SOMETHING:
            columns |= {"what": chosen.things_of(pieces), "by": chosen.person_of(pieces["by"])}
        source = ColumnDataSource(columns, name=f"pieces {name}")
        drawn = made.add_glyph(source, bar(look))
        _selected_as_drawn(drawn)
        _tell_when_tapped(made, source, key, name)
    made.yaxis.ticker = BasicTicker(mantissas=[1, 2, 5], min_interval=1, desired_num_ticks=MOST_ROWS)
    made.yaxis.formatter = CustomJSTickFormatter(
        args={"names": [short(name) for name in chosen.names[:rows]]}, code="return names[tick] ?? ''"
    )
    seconds(made)
    made.ygrid.visible = False
    add_zoom(made, "both")
    return made


def bar(look: Look) -> HBar:
    """The glyph of a state."""
    hatch: dict[str, Any] = {
        "hatch_pattern": look.hatch,
        "hatch_color": "#ffffff",
        "hatch_alpha": 0.75,
        "hatch_scale": 6,
    }
    return HBar(y="y", left="left", right="right", height=look.height, fill_color=look.colour, fill_alpha=look.alpha,
                line_color=look.colour, line_alpha=look.alpha, line_width=0.5,
                **(hatch if look.hatch else {}))  # fmt: skip


def _selected_as_drawn(drawn: Any) -> None:
    """A piece that was tapped is framed; the others stay as they are."""
    drawn.nonselection_glyph = None
    chosen = drawn.glyph.clone()
    chosen.line_color, chosen.line_width = CHOSEN, 3
    drawn.selection_glyph = chosen


def _tell_when_tapped(made: Any, source: ColumnDataSource, key: int, state: str) -> None:
    """The page's script says what was tapped."""
    if not made.select(TapTool):
        made.add_tools(TapTool(mode="replace"))
    told = CustomJS(args={"source": source, "key": key, "state": state},
                    code="window.cowpath.tapped(key, state, source)")  # fmt: skip
    source.selected.js_on_change("indices", told)


def short(name: str) -> str:
    """What fits beside an axis: a long name loses its middle."""
    return clean(name, LEFT // 6)
