"""The ways through a script while it is written: jumps, and what the shell knows where they lead."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.program.writer import Writer
from cowpath.session.scope import Scope
from cowpath.session.tree import (
    Command,
    Script,
)
from cowpath.words import Word

ROUND_NS = 10_000  # of CPU, for each round of a "while": no loop may stop the clock
MOST_COMMANDS = 10_000  # that a script's loops may stand for
NO_MANNER = c.Manner()
DEEPEST_CALLS = 16  # of functions
MOST_ROUNDS = 8  # of a "while" until the shell learns nothing new

Jumps = list[tuple[int, Scope | None]]  # each with what the shell knows there; None: it never gets there


@dataclass
class Call:
    """A function that is being written: the jumps to its end, and the outer values of its own variables."""

    returns: Jumps = field(default_factory=list)
    local: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Loop:
    """A loop that is being written: the jumps to its end and to its next round."""

    breaks: Jumps = field(default_factory=list)
    continues: Jumps = field(default_factory=list)


@dataclass
class Walk(ABC):
    """Goes through a script: writes jumps, and follows what is known on each way."""

    w: Writer
    loops: list[Loop] = field(default_factory=list)
    calls_of: list[Call] = field(default_factory=list)  # of functions, one within the other
    reachable: bool = True  # False behind a break, or an endless loop
    asked: int = 0  # conditions around this place: "set -e" has no effect there
    succeeds: bool = False  # the last command does, though the run has yet to show it
    exited: bool = False  # the shell has come to its end here: what follows is not read
    exact_status: bool = False  # the script looks at the status of every command
    count: int = 0  # commands and rounds so far

    def jump(self, bits: int) -> tuple[int, Scope | None]:
        """A jump to a place that is not yet known."""
        known = self.w.scope.copy() if self.reachable else None
        self.reachable = self.reachable and bits != n.JUMP_ALWAYS
        return self.w.asm.emit(n.OP_JUMP, bits=bits), known

    def arrive(self, jumps: Jumps) -> None:
        """Jumps that lead here: the shell knows what it knows on all ways."""
        for jump, scope in jumps:
            self.w.asm.patch(jump, "a", self.w.asm.here)
            if scope is not None:
                self.w.scope = self.w.scope.joined(scope) if self.reachable else scope
                self.reachable, self.exited = True, False

    def counted(self, word: Word) -> None:
        """One command or one round more."""
        self.count += 1
        if self.count > MOST_COMMANDS:
            raise word.error(
                f"the script's loops stand for more than {MOST_COMMANDS} commands",
                "fewer rounds of 'for'; while true; do ...; done has no end",
            )

    def at(self, rounds: tuple[int, ...]) -> None:
        """Which round of which loop, and which call of which function, is being written."""
        self.w.rounds = self.w.scope.live.site = rounds

    # --- what the compiler does

    @abstractmethod
    def script(self, script: Script) -> None:
        """Commands one after the other."""

    @abstractmethod
    def command(self, command: Command, background: bool = False) -> bool | None:
        """A command; whether it succeeds, if that is known."""
