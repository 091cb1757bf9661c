"""How a session is run: what a person may choose, from Python or on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cowpath.again import Command
from cowpath.errors import InputError
from cowpath.units import parse_size, parse_time

_LEAST = (("cpus", 1), ("memory", 1), ("swap", 0), ("tasks", 1), ("until", 1), ("seed", 0), ("reuse", 0), ("copies", 1))


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

    @staticmethod
    def of(
        memory: int | str | None = None,
        until: int | str | None = None,
        bystanders: Sequence[str] | None = None,
        swap: int | str | None = None,
        **others: Any,
    ) -> Options:
        """Options from what a person writes ("64M", "5s"). Raises InputError for what makes no sense."""
        options = Options(
            memory=parse_size(memory) if isinstance(memory, str) else memory,
            until=parse_time(until) if isinstance(until, str) else until,
            bystanders=None if bystanders is None else tuple(program for program in bystanders if program),
            swap=parse_size(swap) if isinstance(swap, str) else swap,
            **others,
        )
        for name, least in _LEAST:
            value = getattr(options, name)
            if value is not None and value < least:
                raise InputError(f"{name} is {value}", hint=f"at least {least}")
        return options

    def command(self, verb: str, session: str, designs: Sequence[str]) -> Command:
        """The command that makes a page with these options."""
        words = [word for design in designs for word in ("--design", design)]
        for option in fields(self):
            value = getattr(self, option.name)
            if option.name == "bystanders":
                programs = ("",) if value == () else value or ()  # an empty one is none at all
                words += [word for program in programs for word in ("--bystander", program)]
            elif option.name == "cold":
                words += [] if value is None else ["--cold" if value else "--warm"]
            elif value is not None and value != option.default:
                words += [f"--{option.name}", f"{value}ns" if option.name == "until" else str(value)]
        return Command(verb, tuple(words), session)
