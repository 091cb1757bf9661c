"""The page about a sweep, or about limits: figures over what was varied, and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cowpath.report import html
from cowpath.report.figures import document, script


@dataclass(frozen=True)
class PageTable:
    """A table of texts: the first column is of words, the others are of figures."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Page:
    """What stands on a page; ``figures`` by heading, in their order."""

    session: str
    title: str
    head: str
    source: str
    command: str
    figures: Mapping[str, Any]
    tables: Sequence[PageTable] = ()
    sentences: Sequence[str] = ()
    blocks: Sequence[tuple[str, str]] = field(default=())  # texts to be pasted, by heading


def write(target: Path, page: Page) -> None:
    """Write it, whole or not at all. Raises InputError."""
    html.write(target, text_of(page))


def text_of(page: Page) -> str:
    """The page as text: the same page gives the same text."""
    names = [f"figure-{number}" for number in range(len(page.figures))]
    return html.render(
        "sweep.html.j2",
        session=page.session,
        title=page.title,
        head=page.head,
        source=page.source,
        command=page.command,
        sentences=page.sentences,
        sections=dict(zip(names, page.figures, strict=True)),
        figures={name: document(made) for name, made in zip(names, page.figures.values(), strict=True)},
        tables=page.tables,
        blocks=page.blocks,
        bokeh=script(),
    )
