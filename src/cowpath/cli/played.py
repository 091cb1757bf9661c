"""The options of how a session is played: declared once, the same for every command that plays one.

``@plays`` puts them where a command has its parameter ``played``, and hands them over as what ``Options.of`` takes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, get_type_hints

from cowpath.cli import options as o

Played = dict[str, Any]  # arguments of cowpath.options.Options.of
NONE: Played = {}
HERE = "played"  # the parameter in whose place they stand
OTHERWISE = {"bystander": "bystanders", "program": "programs"}  # what is given once for each, and what all are called


def _options(
    cpus: o.Cpus = None,
    memory: o.Memory = None,
    swap: o.Swap = None,
    tasks: o.Tasks = None,
    until: o.Until = None,
    costs: o.Costs = None,
    reuse: o.Reuse = None,
    copies: o.Copies = None,
    cold: o.Cold = None,
    bystander: o.Bystanders = None,
    table: o.Table = None,
    env: o.Env = None,
    program: o.Program = None,
) -> None:
    """What they are called, and what each is by default."""


OPTIONS = inspect.signature(_options).parameters


def plays(command: Callable[..., None]) -> Callable[..., None]:
    """A command with these options instead of its parameter ``played``."""

    @wraps(command)
    def with_options(**given: Any) -> None:
        played = {OTHERWISE.get(name, name): given.pop(name) for name in OPTIONS}
        command(**given, **{HERE: played})

    own = inspect.signature(command)
    parameters: list[inspect.Parameter] = []
    for name, parameter in own.parameters.items():
        parameters += OPTIONS.values() if name == HERE else [parameter]
    hints = get_type_hints(command, include_extras=True) | get_type_hints(_options, include_extras=True)
    named = {each.name: hints[each.name] for each in parameters}
    with_options.__annotations__ = named  # Typer reads both
    parameters = [each.replace(annotation=named[each.name]) for each in parameters]
    with_options.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    return with_options
