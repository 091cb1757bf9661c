"""What a notebook shows of runs: words, graphs and tables, without a script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cowpath.observe.tables import notes
from cowpath.report import html
from cowpath.report.told import tables, told

if TYPE_CHECKING:
    from cowpath.results import Result


def fragment(results: Sequence[Result]) -> str:
    """A piece of HTML about runs of one session."""
    summaries = [result.summary for result in results]
    said = [told(result) for result in results]
    return html.render("fragment.html.j2", runs=said, notes=notes(summaries), tables=tables(summaries))
