"""The command line that makes a page again, from what ``run``, ``compare``, ``check`` or ``replay`` was called with."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from cowpath.kernel import own


@dataclass(frozen=True)
class Command:
    """A command of the terminal, without where its page goes."""

    verb: str
    options: tuple[str, ...]
    file: str | None = None
    arguments: tuple[str, ...] = ()  # behind the file

    def line(self, report: str) -> str:
        """The whole line, as a shell takes it."""
        return self.with_options("--report", report)

    def with_options(self, *more: str) -> str:
        """The line with these options at its end."""
        steps = [word for file in own.files() for word in ("--steps", file)]
        options = [*steps, *self.options, *more]
        if self.file is None:
            words = options
        elif any(word.startswith("-") for word in (self.file, *self.arguments)):
            words = [*options, "--", self.file, *self.arguments]
        else:
            words = [self.file, *self.arguments, *options]
        return shlex.join(["cowpath", self.verb, *words])


def check_command(
    designs: Sequence[str],
    cases: Sequence[str],
    path: str | None,
    properties: Sequence[str],
    limits: dict[str, int],
    reduction: bool,
) -> Command:
    """``cowpath check``; ``limits``: of ``states`` and ``memory`` those that are not the default."""
    given = [("design", name) for name in designs] + [("case", name) for name in cases]
    given += [("path", path)] if path is not None else []
    given += [("property", name) for name in properties]
    given += [(name, str(limit)) for name, limit in limits.items()]
    words = [word for name, value in given for word in (f"--{name}", value)]
    return Command("check", (*words, *([] if reduction else ["--no-reduction"])))


def explore_line(case: str, design: str | None, properties: Sequence[str] | None) -> str:
    """``cowpath explore``: the whole line."""
    steps = [word for file in own.files() for word in ("--steps", file)]
    given = [] if design is None else ["--design", design]
    given += [word for name in properties or [] for word in ("--property", name)]
    words = [*steps, *given, "--", case] if case.startswith("-") else [case, *steps, *given]
    return shlex.join(["cowpath", "explore", *words])


def replay_command(file: str, design: str | None) -> Command:
    """``cowpath replay``."""
    return Command("replay", () if design is None else ("--design", design), file)
