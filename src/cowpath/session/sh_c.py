"""What a command starts: a program, or a shell with a script of its own (``sh -c TEXT``)."""

from __future__ import annotations

from cowpath.errors import Gathered
from cowpath.session import commands as c
from cowpath.session.syntax import read_script
from cowpath.words import Word

SHELLS = ("sh", "bash", "dash", "ash", "ksh", "zsh")
BINARIES = ("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/")


def plain_name(name: str) -> str:
    """/usr/bin/echo is echo."""
    return name.rpartition("/")[2] if name.startswith(BINARIES) else name


def is_shell(words: tuple[Word, ...]) -> bool:
    """``sh -c TEXT``, also as ``bash -euc TEXT``."""
    options = [word.text for word in words[1:3] if word.text.startswith("-")]
    return plain_name(words[0].text) in SHELLS and any("c" in option[1:] for option in options)


def started(words: tuple[Word, ...], manner: c.Manner) -> c.Run | c.Subshell:
    """A program, or a shell. Raises InputError for a script that is not understood."""
    if not is_shell(words):
        return c.Run(words[0], words[1:], manner)
    name, rest = words[0], list(words[1:])
    options = ""
    while rest and rest[0].text.startswith("-") and rest[0].text != "--":
        options += rest.pop(0).text[1:]
    if not rest or set(options) - set("celux"):
        raise name.error(f"{name.text} -{options} is not understood", f"{name.text} -c 'COMMANDS'")
    text = rest[0]
    if "\0" in text.text:
        raise text.error(
            "a script that holds a task's number is not understood", "single quotes: sh -c 'echo $$ > FILE'"
        )
    errors = Gathered()
    script = read_script(text.text, text.place.file, errors, text.place)
    errors.tell()
    return c.Subshell(name, script, tuple(word.text for word in rest[2:]), manner, "e" in options)
