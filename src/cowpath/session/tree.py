"""The tree of a script, as ``syntax`` reads it: commands, and what holds commands."""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.session.shell_word import ShellWord


@dataclass(frozen=True)
class Redirect:
    """``> FILE``, ``2>> FILE``, ``2>&1``, ``< FILE``."""

    word: ShellWord  # the operator
    stream: int  # 0: input, 1: output, 2: errors
    file: ShellWord | None
    onto: int | None = None  # of 2>&1


Redirects = tuple[Redirect, ...]


@dataclass(frozen=True)
class Simple:
    """A simple command: its words, and where its output goes."""

    words: tuple[ShellWord, ...]
    redirects: Redirects = ()

    @property
    def word(self) -> ShellWord:
        """The first word, or the first redirection."""
        return self.words[0] if self.words else self.redirects[0].word


@dataclass(frozen=True)
class For:
    """``for NAME in ITEMS; do BODY; done``; without ``in ITEMS``: the arguments."""

    word: ShellWord
    name: str
    items: tuple[ShellWord, ...] | None
    body: Script
    redirects: Redirects = ()


@dataclass(frozen=True)
class While:
    """``while CONDITION; do BODY; done``, or ``until``."""

    word: ShellWord
    condition: Script
    body: Script
    until: bool
    redirects: Redirects = ()


@dataclass(frozen=True)
class If:
    """``if CONDITION; then BODY; elif CONDITION; then BODY; else BODY; fi``; the last one's condition may be empty."""

    word: ShellWord
    branches: tuple[tuple[Script, Script], ...]
    redirects: Redirects = ()


@dataclass(frozen=True)
class Case:
    """``case SUBJECT in PATTERN | PATTERN) BODY ;; ... esac``."""

    word: ShellWord
    subject: ShellWord
    branches: tuple[tuple[tuple[ShellWord, ...], Script], ...]
    redirects: Redirects = ()


@dataclass(frozen=True)
class Block:
    """``{ BODY; }``, or ``( BODY )``, which is a shell of its own."""

    word: ShellWord
    body: Script
    subshell: bool
    redirects: Redirects = ()


@dataclass(frozen=True)
class Function:
    """``NAME() { BODY; }``."""

    word: ShellWord
    name: str
    body: Command
    redirects: Redirects = ()


@dataclass(frozen=True)
class Piped:
    """``A | B | C``, or ``! A``."""

    word: ShellWord
    commands: tuple[Command, ...]
    pipes: tuple[ShellWord, ...]  # the operators between them
    negated: bool = False
    redirects: Redirects = ()


Command = Simple | For | While | If | Case | Block | Function | Piped


@dataclass(frozen=True)
class Joined:
    """Commands with ``&&`` or ``||`` between them, and whether the shell waits for them."""

    commands: tuple[Command, ...]
    operators: tuple[str, ...]  # one less than commands
    background: bool


Script = tuple[Joined, ...]
