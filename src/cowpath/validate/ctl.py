"""What ctl, who stands outside of all groups and commands, can be told: each word is of a kind, and checked at once."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from cowpath.kernel import names as n
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
# what a signal does that nobody handles: bits of OP_KILL, None: nothing
EFFECTS: dict[int, int | None] = dict.fromkeys(range(1, 65), n.KILL_TERM)
EFFECTS |= {0: None, 17: None, 23: None, 28: None, 9: 0, 18: n.KILL_CONT} | dict.fromkeys((19, 20, 21, 22), n.KILL_STOP)
TREE = "tree"  # SIGKILL for a task and all who descend from it
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
        if kind == "SIGNAL" and number_of_signal(step) is None:
            raise step.place.error(
                f"step {step.text!r}: no signal {word!r}", "a number up to 64, a name (TERM, STOP, ...), or tree"
            )
        if kind == "CHILD" and not _TASK.fullmatch(word):
            raise step.place.error(f"step {step.text!r}: {word!r} is no name of a task", "letters, digits, '-' and '_'")


def number_of_signal(step: Step) -> int | None:
    """Of ``kill TASK [SIGNAL]``, by its number or its name; None if there is no such signal."""
    word = step.words[2].upper().removeprefix("SIG") if len(step.words) > 2 and step.words[2] != TREE else "KILL"
    if word.isdecimal() and word.isascii() and int(word) in EFFECTS:
        return int(word)
    found = signal.Signals.__members__.get(f"SIG{word}")
    return None if found is None else int(found)


def effect_of_signal(step: Step) -> int | None:
    """Bits of OP_KILL; None: nothing."""
    if step.words[2:] == (TREE,):
        return n.KILL_TREE
    number = number_of_signal(step)
    return None if number is None else EFFECTS[number]


def fatal_signal(step: Step) -> int | None:
    """The signal that it ends a task with, or None."""
    return number_of_signal(step) if effect_of_signal(step) in (0, n.KILL_TERM, n.KILL_TREE) else None


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
