"""How a session is run: what a person may choose, from Python or on the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cowpath.again import Command
from cowpath.errors import InputError
from cowpath.units import parse_size, parse_time

# from the least to the most that makes sense; the machine may have room for less
_BOUNDS: tuple[tuple[str, float, float], ...] = (
    ("cpus", 1, 1 << 10), ("memory", 1, 1 << 50), ("swap", 0, 1 << 50), ("tasks", 1, 1 << 22), ("until", 1, 10**18),
    ("seed", 0, (1 << 63) - 1), ("reuse", 0, 1000), ("copies", 1, 1000),
)  # fmt: skip


@dataclass(frozen=True)
class Options:
    """How a session is run. None is what the session's table says, or else the default."""

    cpus: int | None = None
    memory: int | None = None  # bytes
    swap: int | None = None  # bytes
    tasks: int | None = None  # so many there may be
    seed: int = 0
    until: int | None = None  # ns
    costs: str | Path | None = None  # a cost table
    reuse: float | None = None  # accesses to earlier pages per recorded one
    copies: int | None = None  # of a recorded build's jobs
    cold: bool | None = None  # nothing is in the page cache at the start
    bystanders: tuple[str, ...] | None = None  # programs that run outside every group
    table: str | Path | None = None  # the session's, if that is not beside it
    arguments: tuple[str, ...] = ()  # the session's: $1, $2, ...
    env: tuple[str, ...] = ()  # NAME=VALUE: variables that it finds
    programs: tuple[str, ...] = ()  # NAME=RECORDING

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the session finds."""
        return dict(each.split("=", 1) for each in self.env)

    @staticmethod
    def of(
        memory: int | str | None = None,
        until: int | str | None = None,
        bystanders: Sequence[str] | None = None,
        swap: int | str | None = None,
        env: Sequence[str] | None = None,
        arguments: Sequence[str] | None = None,
        programs: Sequence[str] | None = None,
        **others: Any,
    ) -> Options:
        """Options from what a person writes ("64M", "5s"). Raises InputError for what makes no sense."""
        options = Options(
            memory=parse_size(memory) if isinstance(memory, str) else memory,
            until=parse_time(until) if isinstance(until, str) else until,
            bystanders=None if bystanders is None else tuple(program for program in bystanders if program),
            env=tuple(map(variable, env or ())),
            arguments=tuple(arguments or ()),
            programs=tuple(programs or ()),
            swap=parse_size(swap) if isinstance(swap, str) else swap,
            **others,
        )
        for name, least, most in _BOUNDS:
            value = getattr(options, name)
            if value is not None and not least <= value <= most:  # not a number is neither
                hint = f"at least {least}" if value < least else f"from {least} to {most}"
                raise InputError(f"{name} is {value}", hint=hint)
        return options

    def command(self, verb: str, session: str, designs: Sequence[str]) -> Command:
        """The command that makes a page with these options."""
        words = [word for design in designs for word in ("--design", design)]
        for option in fields(self):
            value = getattr(self, option.name)
            if option.name == "bystanders":
                programs = ("",) if value == () else value or ()  # an empty one is none at all
                words += [word for program in programs for word in ("--bystander", program)]
            elif option.name == "env":
                words += [word for each in value for word in ("--env", each)]
            elif option.name == "programs":
                words += [word for each in value for word in ("--program", each)]
            elif option.name == "arguments":
                continue
            elif option.name == "cold":
                words += [] if value is None else ["--cold" if value else "--warm"]
            elif value is not None and value != option.default:
                words += [f"--{option.name}", f"{value}ns" if option.name == "until" else str(value)]
        return Command(verb, tuple(words), session, self.arguments)


def variable(text: str) -> str:
    """NAME=VALUE, or NAME: as it is in this process. Raises InputError."""
    name, equals, _ = text.partition("=")
    if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) is None:
        raise InputError(f"--env: not a variable: {text!r}", hint="--env NAME=VALUE, --env NAME")
    if not equals and name not in os.environ:
        raise InputError(f"--env: no variable {name!r} is set here", hint=f"--env {name}=VALUE")
    return text if equals else f"{name}={os.environ[name]}"
