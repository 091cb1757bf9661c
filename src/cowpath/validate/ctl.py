"""What ctl, who stands outside of all groups and commands, can be told: each word is of a kind, and checked at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from cowpath.words import nearest

if TYPE_CHECKING:
    from cowpath.validate.scenario import Step

USAGE = {
    usage.split()[0]: usage
    for usage in (
        "sleep SECONDS", "wait TASK SECONDS", "stack TASK", "sample TASK TIMES MS", "alive", "rootstat",
        "cat GROUP NAME", "locked FILE [TIMES] [MS]", "gets_on TASK SECONDS", "kills GROUP SECONDS", "copies GROUP",
        "set GROUP NAME VALUE ...", "force_empty GROUP", "rmdir GROUP", "move TASK GROUP", "kill TASK [SIGNAL]",
        "fork TASK CHILD", "drop",
    )
}  # fmt: skip
LOOKS = (  # no task has to run for them
    "sleep", "wait", "stack", "sample", "alive", "rootstat", "cat", "locked", "gets_on", "kills", "copies",
)  # fmt: skip
MOST_S = 3600  # of one command
MOST_TIMES = 1000
MOST_MS = 10_000
_DECIMAL = re.compile(r"\d{1,9}(\.\d{1,9})?")
_TASK = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def check(step: Step, tasks: Collection[str], groups: Collection[str], files: Collection[str]) -> None:
    """Raises InputError for a command that nobody knows, and for a word that is wrong."""
    usage = USAGE.get(step.command)
    if usage is None:
        raise step.place.error(
            f"unknown command {step.command!r} of ctl in step {step.text!r}",
            nearest(step.command, USAGE, f"one of: {', '.join(sorted(USAGE))}"),
        )
    kinds, words = usage.split()[1:], list(step.words[1:])
    needed = sum(not kind.startswith("[") and kind != "..." for kind in kinds)
    if len(words) < needed or (len(words) > len(kinds) and kinds[-1:] != ["..."]):
        raise step.place.error(
            f"step {step.text!r}: {'lacks a word' if len(words) < needed else 'a word too many'}", usage
        )
    known: Mapping[str, Collection[str]] = {"TASK": tasks, "GROUP": groups, "FILE": files}
    for kind, word in zip((kind.strip("[]") for kind in kinds), words, strict=False):
        name = word.removeprefix("@")
        if kind in known and name not in known[kind]:
            raise step.place.error(
                f"step {step.text!r}: no {kind.lower()} {name!r}", nearest(name, known[kind], some(known[kind]))
            )
        if kind in NUMBERS and not NUMBERS[kind](word):
            raise step.place.error(f"step {step.text!r}: {word!r}", SAYS[kind])
        if kind == "CHILD" and not _TASK.fullmatch(word):
            raise step.place.error(f"step {step.text!r}: {word!r} is no name of a task", "letters, digits, '-' and '_'")


def _up_to(most: float) -> Callable[[str], bool]:
    return lambda word: _DECIMAL.fullmatch(word) is not None and float(word) <= most


NUMBERS: dict[str, Callable[[str], bool]] = {
    "SECONDS": _up_to(MOST_S), "MS": _up_to(MOST_MS),
    "TIMES": lambda word: word.isdecimal() and word.isascii() and 1 <= int(word) <= MOST_TIMES,
}  # fmt: skip
SAYS = {
    "SECONDS": f"so many seconds, at most {MOST_S}", "MS": f"so many ms, at most {MOST_MS}",
    "TIMES": f"a whole number from 1 to {MOST_TIMES}",
}  # fmt: skip


def some(names: Collection[str], most: int = 12) -> str | None:
    """Names for a hint; not thousands."""
    first = sorted(names)[:most]
    return (", ".join(first) + (", ..." if len(names) > most else "")) or None
