"""How ``--help`` reads: what an option takes is ``N``, ``FILE``, ``DESIGN``, or nothing; options stand in groups."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, get_args

from cowpath.cli.plain_words import spare_pydantic

NUMBERS = {int: "N", float: "X"}
# of the commands that play a session; all other options stand above these
GROUPS = {
    "The session": ("table", "env", "program", "bystander", "reuse", "copies"),
    "The machine": ("cpus", "memory", "swap", "tasks", "costs", "cold"),
    "The run": ("seed", "seeds", "until", "steps", "interpreted", "processes", "cluster", "checkpoint", "every"),
    "What comes of it": (
        "as_json", "fail_on", "report", "log", "trace", "ftrace", "metrics", "markdown", "store",
    ),
}  # fmt: skip
PLAYS = {"session", "sessions"}


class Helped:
    """A command or a group, for TyperCommand or TyperGroup to follow."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        texts = {name: flowing(named[name]) for name in ("help", "epilog") if named.get(name)}
        super().__init__(*arguments, **(named | texts))

    def get_params(self, ctx: Any) -> list[Any]:
        """Its arguments and options, each with a word for what it takes, and with its group."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        plays = any(param.name in PLAYS for param in params)
        for param in params:
            spare_pydantic(param)
            if param.metavar is None:
                param.metavar = word_for(param)
            if param.param_type_name == "argument":
                param.display_type_rich = no_type
            if plays and param.rich_help_panel is None:
                param.rich_help_panel = group_of(param.name)
        return params


def word_for(param: Any) -> str:
    """``N`` for a number, ``FILE`` for a file, the name in capitals for other words, nothing for a switch."""
    if getattr(param, "is_flag", False):
        return ""
    name = str(param.name).strip("_").upper()
    if param.param_type_name == "argument":
        return name
    kind = param.type_descriptor.annotation
    kind = next(iter(get_args(kind)), kind)
    return NUMBERS.get(kind, "FILE" if kind is Path else name)


def no_type(ctx: Any) -> None:
    """What stands beside an argument's name: nothing, where Typer has a type of Python."""


def flowing(text: str) -> str:
    """Paragraphs without the line ends of the source."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text).split("\n\n"))


def group_of(name: str) -> str | None:
    """The group of an option of a command that plays a session."""
    return next((group for group, names in GROUPS.items() if name in names), None)
