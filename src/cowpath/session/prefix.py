"""The words before a command that say how it is run: sudo, nice, timeout, cgexec, taskset, env, ..."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from cowpath.session.cgtools import cgexec, taskset
from cowpath.session.commands import Manner
from cowpath.session.expand import ASSIGNMENT
from cowpath.session.options import unknown_option
from cowpath.units import parse_time
from cowpath.words import Word

Words = tuple[Word, ...]
KILLS = ("TERM", "SIGTERM", "15", "KILL", "SIGKILL", "9")
NICE = "the model's CPUs know no priorities: all tasks have the same share"
IONICE = "the model's disk knows no priorities"


def strip(words: Words) -> tuple[Words, Manner]:
    """A command without the words before it, and what they say."""
    manner = Manner()
    while words and words[0].text.rpartition("/")[2] in PREFIXES:
        name = words[0]
        rest, manner = PREFIXES[name.text.rpartition("/")[2]](words, replace(manner, tool=name))
        if not rest:
            raise name.error(f"{name.text} needs a command", f"{name.text} make -j4")
        words = rest
    return words, manner


def _options(
    words: Words, with_value: str, without: tuple[str, ...], ignored: str = ""
) -> tuple[Words, dict[str, Word]]:
    """What follows the options of a prefix, and their values. ``ignored`` letters take a value that has no effect."""
    name, words = words[0], words[1:]
    found: dict[str, Word] = {}
    while words and words[0].text.startswith("-") and words[0].text != "-":
        option, words = words[0], words[1:]
        letter = option.text[1:2]
        if option.text == "--":
            break
        if option.text in without:
            found[option.text] = option
        elif letter in with_value + ignored and not option.text.startswith("--"):
            if len(option.text) > 2:
                found[letter] = Word(option.text[2:], option.place.after(2))
            elif words:
                found[letter], words = words[0], words[1:]
            else:
                raise option.error(f"{option.text} needs a value")
        else:
            raise unknown_option(name, option, (*without, *(f"-{each}" for each in with_value + ignored)))
    return words, found


def _noted(manner: Manner, note: str) -> Manner:
    return manner if note in manner.notes else replace(manner, notes=(*manner.notes, note))


def _variables(words: Words, manner: Manner) -> tuple[Words, Manner]:
    """``NAME=VALUE`` before a command of sudo or env."""
    while words and ASSIGNMENT.match(words[0].text):
        manner = _noted(manner, environment(words[0].text))
        words = words[1:]
    return words, manner


def environment(assignment: str) -> str:
    """What to say of a variable for a program."""
    return f"{assignment.partition('=')[0]}: programs of the model do not read their environment"


def _sudo(words: Words, manner: Manner) -> tuple[Words, Manner]:
    name = words[0]
    rest, found = _options(words, "ugp", ("-E", "-n", "-H", "-S", "-b", "--preserve-env", "-i", "-s", "-k"))
    for option in ("-i", "-s", "-b"):
        if option in found:
            raise found[option].error(f"{name.text} {option} is not understood here", "sudo COMMAND; sudo sh -c '...'")
    if "u" in found and found["u"].text not in ("root", "#0"):
        raise found["u"].error(
            f"users are not modelled: {found['u'].text!r}",
            "all is done as root, whom the OOM killer of old kernels spares",
        )
    return _variables(rest, manner)


def _env(words: Words, manner: Manner) -> tuple[Words, Manner]:
    rest, _ = _options(words, "u", ("-i", "--ignore-environment"))
    return _variables(rest, manner)


def _nice(words: Words, manner: Manner) -> tuple[Words, Manner]:
    if len(words) > 1 and re.fullmatch(r"--?[0-9]+|--adjustment=-?[0-9]+", words[1].text):
        return words[2:], _noted(manner, f"{words[0].text}: {NICE}")
    rest, _ = _options(words, "n", ())
    return rest, _noted(manner, f"{words[0].text}: {NICE}")


def _ionice(words: Words, manner: Manner) -> tuple[Words, Manner]:
    rest, _ = _options(words, "cn", ("-t",))
    return rest, _noted(manner, f"{words[0].text}: {IONICE}")


def _timeout(words: Words, manner: Manner) -> tuple[Words, Manner]:
    name = words[0]
    signal = next((w for w in words if w.text.startswith(("--signal=", "--kill-after="))), None)
    words = tuple(word for word in words if word is not signal)
    rest, found = _options(words, "s", ("--foreground", "-v"), ignored="k")
    given = found.get("s") or (signal and Word(signal.text.partition("=")[2], signal.place))
    if given is not None and (signal is None or signal.text.startswith("--signal")) and given.text.upper() not in KILLS:
        raise given.error(f"only SIGTERM and SIGKILL are understood: {given.text!r}", "timeout -s KILL 5 make")
    if not rest or re.fullmatch(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)[smhd]?", rest[0].text) is None:
        raise (rest[0] if rest else name).error(
            f"timeout needs a time: {rest[0].text if rest else ''!r}", "timeout 5 make; s, m, h and d are units"
        )
    text = rest[0].text
    seconds = f"{float(text[:-1]) * 24}h" if text.endswith("d") else text
    ns = rest[0].place.of(parse_time, seconds)
    if manner.timeout_ns is not None:
        raise name.error("a timeout of a timeout is not understood", "one timeout")
    return rest[1:], manner if ns == 0 else replace(manner, timeout_ns=ns)


def _choom(words: Words, manner: Manner) -> tuple[Words, Manner]:
    rest, found = _options(words, "n", ())
    if "n" not in found:
        raise words[0].error("choom needs -n VALUE and a command", "choom -n 500 -- make")
    return rest, replace(manner, oom_score_adj=oom_score_adj(found["n"]))


def oom_score_adj(word: Word) -> int:
    """A value of oom_score_adj."""
    if re.fullmatch("-?[0-9]{1,4}", word.text) is None or not -1000 <= int(word.text) <= 1000:
        raise word.error(f"{word.text!r} is not a value of oom_score_adj", "a whole number from -1000 to 1000")
    return int(word.text)


def _cgexec(words: Words, manner: Manner) -> tuple[Words, Manner]:
    rest, group = cgexec(words)
    return rest, replace(manner, group=group)


def _taskset(words: Words, manner: Manner) -> tuple[Words, Manner]:
    rest, cpu = taskset(words)
    return rest, replace(manner, cpu=cpu)


def _plain(words: Words, manner: Manner) -> tuple[Words, Manner]:
    """A prefix that changes nothing which the model has."""
    rest, _ = _options(words, "oeif", ("-p", "-v", "-w"))
    return rest, manner


PREFIXES: dict[str, Callable[[Words, Manner], tuple[Words, Manner]]] = {
    "sudo": _sudo, "doas": _sudo, "nice": _nice, "ionice": _ionice, "timeout": _timeout, "choom": _choom, "env": _env,
    "cgexec": _cgexec, "taskset": _taskset, "nohup": _plain, "setsid": _plain, "stdbuf": _plain, "time": _plain,
    "command": _plain,
}  # fmt: skip
