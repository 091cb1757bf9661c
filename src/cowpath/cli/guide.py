"""``cowpath guide``: the guide, in a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cowpath.cli.complete import guide as names
from cowpath.cli.complete import names_of

if TYPE_CHECKING:
    from cowpath.guide import Page


def guide(
    page: Annotated[
        str | None,
        typer.Argument(help="Show this page. Default: list them.", metavar="[PAGE]", autocompletion=names_of(names)),
    ] = None,
) -> None:
    """List the pages of the guide, or show one; what is not a terminal is given its Markdown.

    Example: cowpath guide concepts
    """
    from cowpath.guide import FRONT, contents, text_of

    if page is None:
        show_contents(contents(text_of(FRONT)))
        return
    text = text_of(page)
    if not sys.stdout.isatty():
        typer.echo(text, nl=False)
        return
    from rich.markdown import Markdown

    from cowpath.observe.terminal import Terminal

    Terminal().print(Markdown(text, hyperlinks=False, code_theme="ansi_dark"))


def show_contents(sections: dict[str, list[Page]]) -> None:
    """The pages below their sections."""
    from rich.padding import Padding

    from cowpath.observe.terminal import Fitted, Terminal

    console = Terminal()
    for caption, pages in sections.items():
        table = Fitted("", "")
        for page in pages:
            table.add_row(page.name, page.about or page.title)
        console.print(caption, Padding(table, (0, 0, 1, 2), expand=False))
    console.print("cowpath guide PAGE shows one.")
