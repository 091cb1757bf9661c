"""Options of the session's commands, and the names of groups in them."""

from __future__ import annotations

from collections.abc import Iterable

from cowpath.session.expand import Expanded
from cowpath.words import Word


def flags(simple: Expanded, known: tuple[str, ...], others: tuple[str, ...] = ()) -> tuple[tuple[Word, ...], list[str]]:
    """A command's words without its flags, and the flags."""
    words: list[Word] = []
    given: list[str] = []
    for word in simple.words[1:]:
        if word.text.startswith("-") and word.text not in others:
            if word.text not in known:
                raise unknown_option(simple.name, word, (*known, *others))
            given.append(word.text)
        else:
            words.append(word)
    return tuple(words), given


def options(simple: Expanded, letters: str) -> tuple[list[tuple[str, Word]], list[Word]]:
    """The options of a command, each with its value ("-r X", "-rX"), and the other words."""
    found: list[tuple[str, Word]] = []
    rest: list[Word] = []
    words = list(simple.words[1:])
    while words:
        word = words.pop(0)
        if not word.text.startswith("-") or word.text == "-":
            rest.append(word)
        elif word.text[1:2] not in letters or word.text.startswith("--"):
            raise unknown_option(simple.name, word, tuple(f"-{letter}" for letter in letters))
        elif len(word.text) > 2:
            found.append((word.text[1], Word(word.text[2:], word.place.after(2))))
        elif words:
            found.append((word.text[1], words.pop(0)))
        else:
            raise word.error(f"{word.text} needs a value")
    return found, rest


def unknown_option(command: Word, word: Word, known: tuple[str, ...]) -> Exception:
    """The error for an option that a command does not have."""
    return word.error(
        f"unknown option of {command.text}: {word.text!r}",
        f"understood: {', '.join(known)}" if known else "it takes none",
    )


def controller(word: Word, others: bool = False) -> Word:
    """The group of "memory:GROUP"; with ``others`` memory may be one of several controllers."""
    controllers, colon, group = word.text.partition(":")
    if not colon:
        raise word.error(f"not CONTROLLER:GROUP: {word.text!r}", "memory:A")
    names = controllers.split(",")
    for controller in names:
        if controller != "memory" and controller != "*" and not (others and "memory" in names):
            raise word.error(f"only the memory controller is modelled, not {controller!r}", f"memory:{group or 'A'}")
    return group_name(Word(group, word.place.after(len(controllers) + 1)))


def other_controllers(words: Iterable[Word]) -> list[str]:
    """The controllers that stand beside memory."""
    names = [name for word in words for name in word.text.partition(":")[0].split(",")]
    return [name for name in dict.fromkeys(names) if name not in ("memory", "*")]


def group_name(word: Word) -> Word:
    """A group's name without slashes around it; "" is the root."""
    name = word.text.strip("/")
    parts = name.split("/") if name else []
    if any(part in ("", ".", "..") for part in parts) or (not name and not word.text):
        raise word.error(f"not a group's name: {word.text!r}", "A or A/B")
    return Word(name, word.place)
