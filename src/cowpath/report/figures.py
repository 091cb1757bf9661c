"""Figures for a page: Bokeh's, without colours of their own where the page's are to be used, as one piece of data."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from bokeh.document import Document
from bokeh.models import BasicTickFormatter, Model, PanTool, WheelZoomTool
from bokeh.plotting import figure
from bokeh.resources import Resources

LEFT = 132  # px for the labels of the y axis: the same in all figures of a column, so that their times are in line
SMALL = "12px"


def plot(height: int, label: str, **options: Any) -> Any:
    """An empty figure as wide as the page. The page's script gives axes, grids and texts its colours."""
    made = figure(height=height, sizing_mode="stretch_width", min_border_left=LEFT, min_border_right=12,
                  background_fill_alpha=0, border_fill_alpha=0, outline_line_color=None, toolbar_location=None,
                  tools=[], **options)  # fmt: skip
    made.name = label
    for axis in made.axis:
        axis.major_label_text_font_size = axis.axis_label_text_font_size = SMALL
        axis.axis_label_text_font_style = "normal"
    made.yaxis.minor_tick_line_color = None
    made.grid.grid_line_alpha = 0.5
    return made


def seconds(made: Any) -> None:
    """The x axis is the machine's time."""
    made.xaxis.axis_label = "machine's time, s"
    made.xaxis.formatter = BasicTickFormatter(use_scientific=False)


def add_zoom(made: Any, dimensions: Literal["width", "both"] = "width") -> None:
    """Pan and zoom by mouse, which the page's script switches on where there is one; its buttons need neither."""
    made.add_tools(PanTool(dimensions=dimensions), WheelZoomTool(dimensions="width", modifiers="ctrl"))
    made.toolbar.active_drag = None


@cache
def script() -> str:
    """Bokeh's own script, which draws the figures; without its ``set_log_level()``, which tells the console of it."""
    own, *_ = Resources(mode="inline", components=["bokeh"], minified=True).js_raw
    return f"{own}\nBokeh.logger.set_level('error');"


def document(root: Model) -> dict[str, Any]:
    """A figure, or a layout of some, as the data that Bokeh's script draws. The same figure gives the same data."""
    made = Document()
    made.add_root(root)
    found: dict[str, Any] = renumbered(made.to_json(deferred=False), {})
    return {"doc": found, "root": found["roots"][0]["id"]}


def renumbered(value: Any, names: dict[str, str]) -> Any:
    """The data with the models' numbers counted from 1: Bokeh goes on counting from figure to figure."""
    if isinstance(value, dict):
        found = {key: renumbered(each, names) for key, each in value.items()}
        if isinstance(found.get("id"), str):
            found["id"] = names.setdefault(found["id"], f"m{len(names) + 1}")
        return found
    if isinstance(value, list | tuple):
        return [renumbered(each, names) for each in value]
    return value
