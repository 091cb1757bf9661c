"""The commands that are the shell's own: cd, set, export, exit, wait, kill, ulimit, ..."""

from __future__ import annotations

import re
from collections.abc import Callable

from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.cgtools import job
from cowpath.session.expand import ASSIGNMENT, Expanded
from cowpath.session.live import LIVE, is_live, refuse
from cowpath.session.paths import absolute
from cowpath.session.scope import HOME, UNSURE, Scope
from cowpath.units import parse_time
from cowpath.words import Word

ENDING = ("9", "KILL", "15", "TERM")  # both end a task without a handler
SIGNALS = {**dict.fromkeys(ENDING, n.KILL_TREE), "STOP": n.KILL_STOP, "19": n.KILL_STOP, "CONT": n.KILL_CONT,
           "18": n.KILL_CONT}  # fmt: skip
OPTIONS = {"e": "errexit", "u": "nounset", "x": "xtrace", "v": "verbose", "f": "noglob", "m": "monitor", "b": "notify"}
NO_EFFECT = ("verbose", "noglob", "monitor", "notify", "posix")
LIMITS = {  # what is limited, and what to do instead
    "v": ("a limit of address space", "a group's memory.max limits what is used"),
    "u": ("a limit of a user's tasks", "tasks of [machine]"), "l": ("a limit of locked memory", "take it out"),
    "m": ("a limit that no kernel since 2.4 keeps", "take it out"), "s": ("a limit of the stack", "take it out"),
}  # fmt: skip
HARMLESS_LIMITS = "cnelHS"  # letters of ulimit whose limits the model never meets


def cd(simple: Expanded, scope: Scope) -> c.Action:
    """Any directory: only those of the cgroup file system mean anything."""
    if len(simple.words) > 2:
        raise simple.words[2].error("cd takes one directory", "cd DIR")
    goal = simple.words[1].text if len(simple.words) == 2 else HOME
    old = scope.directory
    scope.directory = scope.last_directory if goal == "-" else absolute(simple.words[-1], goal, scope)
    scope.last_directory = old
    return c.Nothing(simple.name)


def set_(simple: Expanded, scope: Scope) -> c.Action:
    """set -e, -u, -x, -o pipefail, and with + the contrary; set -- ARGUMENTS."""
    words = list(simple.words[1:])
    if not words:
        raise simple.name.error("set alone, which shows all variables, is not understood", "set -e, set -o pipefail")
    note = None
    while words and words[0].text[:1] in ("-", "+") and len(words[0].text) > 1:
        word = words.pop(0)
        if word.text == "--":
            scope.arguments = tuple(each.text for each in words)
            return c.Nothing(simple.name)
        for letter in word.text[1:]:
            if letter == "o" and not words:
                raise word.error(f"{word.text} needs a name", "set -o pipefail")
            name = words.pop(0).text if letter == "o" else OPTIONS.get(letter)
            if name not in (*OPTIONS.values(), "pipefail", "posix"):
                raise word.error(f"unknown option of set: {word.text!r}", "-e, -u, -x, -o pipefail, --")
            if name == "xtrace":
                note = "set -x: the commands are not shown"
            elif name not in NO_EFFECT:
                assert name is not None
                scope.options = scope.options | {name} if word.text[0] == "-" else scope.options - {name}
    if words:
        scope.arguments = tuple(each.text for each in words)
    return c.Nothing(simple.name) if note is None else c.Noted(simple.name, c.Nothing(simple.name), note)


def export(simple: Expanded, scope: Scope) -> c.Action:
    """export, readonly, declare -x NAME[=VALUE]: what ``sh -c`` knows."""
    for word in simple.words[1:]:
        if word.text.startswith("-"):
            if word.text in ("-x", "-r", "-g", "-i"):
                continue
            raise word.error(f"unknown option of {simple.name.text}: {word.text!r}", f"{simple.name.text} NAME=VALUE")
        name, equals, value = word.text.partition("=")
        if ASSIGNMENT.fullmatch(f"{name}=") is None:
            raise word.error(f"{name!r} is not a variable's name", f"{simple.name.text} NAME=VALUE")
        if is_live(value):
            raise refuse(word)
        if equals:
            scope.variables[name] = value
        if simple.name.text == "export" or any(each.text == "-x" for each in simple.words):
            scope.exported |= {name}
    return c.Nothing(simple.name)


def unset(simple: Expanded, scope: Scope) -> c.Action:
    """unset NAMES."""
    for word in simple.words[1:]:
        if word.text == "-f":
            continue
        scope.functions.pop(word.text, None)
        scope.variables.pop(word.text, None)
    return c.Nothing(simple.name)


def shift(simple: Expanded, scope: Scope) -> c.Action:
    """shift [N]."""
    count = _number(simple, 1)
    if scope.arguments and scope.arguments[0] == UNSURE:
        raise simple.name.error(
            "how many arguments there are depends on how a command before it ends", "shift before it"
        )
    if count > len(scope.arguments):
        return c.Nothing(simple.name, 1)
    scope.arguments = scope.arguments[count:]
    return c.Nothing(simple.name)


def exit_(simple: Expanded, scope: Scope) -> c.Action:
    """exit [N], return [N]."""
    returns = simple.name.text == "return"
    if len(simple.words) > 1 and (match := LIVE.fullmatch(simple.words[1].text)):
        return c.Exit(simple.name, None, returns, int(match[1]))
    return c.Exit(simple.name, _number(simple, 0) % 256 if len(simple.words) > 1 else None, returns)


def _number(simple: Expanded, default: int) -> int:
    if len(simple.words) == 1:
        return default
    word = simple.words[1]
    if len(simple.words) > 2 or re.fullmatch("[0-9]{1,9}", word.text) is None:
        raise word.error(f"{simple.name.text} takes a number: {word.text!r}", f"{simple.name.text} 1")
    return int(word.text)


def leave(simple: Expanded, scope: Scope) -> c.Action:
    """Break [N], continue [N]."""
    count = simple.words[1] if len(simple.words) > 1 else Word("1", simple.name.place)
    if len(simple.words) > 2 or re.fullmatch(r"[1-9]", count.text) is None:
        raise count.error(f"{simple.name.text} takes a number of loops", f"{simple.name.text}, {simple.name.text} 2")
    return c.Leave(simple.name, simple.name.text == "continue", int(count.text))


def nothing(simple: Expanded, scope: Scope) -> c.Action:
    """A command without an effect."""
    return c.Nothing(simple.name, 1 if simple.name.text == "false" else 0)


# --- jobs ------------------------------------------------------------------------------------------
def sleep(simple: Expanded, scope: Scope) -> c.Action:
    """Sleep TIME: seconds, or with a unit ("50ms"); "infinity" ends with the run."""
    if len(simple.words) != 2:
        raise simple.name.error("sleep takes one time", "sleep 1.5, sleep 50ms")
    word = simple.words[1]
    return c.Sleep(simple.name, word.place.of(parse_time, "1000000h" if word.text == "infinity" else word.text))


def wait(simple: Expanded, scope: Scope) -> c.Action:
    """Wait, wait $!, wait %1, wait $NAME."""
    for word in simple.words[1:]:
        if word.text.startswith("-"):
            raise word.error(f"unknown option of wait: {word.text!r}", "wait, wait $!, wait %1")
    jobs = tuple(job(word, scope) for word in simple.words[1:])
    return c.Wait(simple.name, jobs or None)


def kill(simple: Expanded, scope: Scope) -> c.Action:
    """Kill [-9] [-STOP] [-s CONT] JOBS."""
    words: tuple[Word, ...] = simple.words[1:]
    bits = n.KILL_TREE
    if words and words[0].text.startswith("-"):
        given, words = words[0], words[1:]
        if given.text in ("-s", "-n") and words:
            given, words = Word(f"-{words[0].text}", words[0].place), words[1:]
        name = given.text[1:].upper().removeprefix("SIG")
        if name not in SIGNALS:
            raise given.error(
                f"only SIGKILL, SIGTERM, SIGSTOP and SIGCONT are understood: {given.text!r}",
                "kill -9 $!, kill -STOP %1",
            )
        bits = SIGNALS[name]
    if not words:
        raise simple.name.error("kill needs a job", "kill -9 $!, kill %1")
    return c.Kill(simple.name, tuple(job(word, scope) for word in words), bits)


# --- what is refused, or has no effect ---------------------------------------------------------------
def ulimit(simple: Expanded, scope: Scope) -> c.Action:
    """ulimit -v unlimited, -n, -c, ...: only what no program of the model ever meets."""
    words = list(simple.words[1:])
    value = words[-1].text if words and not words[-1].text.startswith("-") else ""
    letters = "".join(word.text[1:] for word in words if word.text.startswith("-"))
    if not value:
        raise simple.name.error("ulimit shows nothing here", "ulimit -n 1024")
    if value in ("unlimited", "hard"):
        return c.Nothing(simple.name)
    for letter in letters or "f":
        if letter not in HARMLESS_LIMITS:
            what, hint = LIMITS.get(letter, ("a limit", "take it out"))
            raise simple.name.error(f"ulimit -{letter}: {what} is not modelled", hint)
    note = f"ulimit -{letters}: no program of the model comes near it"
    return c.Noted(simple.name, c.Nothing(simple.name), note)


def harmless(simple: Expanded, scope: Scope) -> c.Action:
    """umask, shopt, logger, disown, hash: nothing that memory would notice."""
    return c.Nothing(simple.name)


def swapoff(simple: Expanded, scope: Scope) -> c.Action:
    """swapoff -a of a machine without swap, swapon -a of one that has all."""
    if simple.name.text == "swapoff" and scope.facts.swap:
        raise simple.name.error(
            "swap space that is in use cannot be taken away in a run", "[machine] swap, or --swap 0"
        )
    if simple.name.text == "swapon" and not scope.facts.swap and len(simple.words) > 1 and simple.words[1].text != "-a":
        raise simple.words[1].error("swap space comes with the machine", "[machine] swap, or --swap 256M")
    note = f"{simple.name.text}: the machine has {'its' if scope.facts.swap else 'no'} swap space from the start"
    return c.Noted(simple.name, c.Nothing(simple.name), note)


def mount(simple: Expanded, scope: Scope) -> c.Action:
    """mount -t cgroup2 none /sys/fs/cgroup, mount -t cgroup -o memory none /sys/fs/cgroup/memory: they are there."""
    from cowpath.session.cgroupfs import MOUNT_2, MOUNTS

    texts = [word.text for word in simple.words]
    at = texts.index("-t") + 1 if "-t" in texts[:-1] else 0
    kind, goal = texts[at], texts[-1].rstrip("/")
    places = {"cgroup2": (MOUNT_2,), "cgroup": MOUNTS}.get(kind, ())
    if goal not in places or (kind == "cgroup" and "memory" not in ",".join(texts).split(",")):
        hint = f"mount -t cgroup2 none {MOUNT_2}, mount -t cgroup -o memory none {MOUNTS[0]}"
        raise simple.name.error("this mount is not understood", hint)
    scope.uses.note("v2" if kind == "cgroup2" else "v1", simple.words[-1])
    return c.Nothing(simple.name)


def refused(problem: str, hint: str) -> Callable[[Expanded, Scope], c.Action]:
    """A command that is understood, and has no place in the model."""

    def refuse_it(simple: Expanded, scope: Scope) -> c.Action:
        raise simple.name.error(f"{simple.name.text}: {problem}", hint)

    return refuse_it


OWN = {  # what is no file in /usr/bin: sudo and timeout cannot run it
    "cd": cd, "set": set_, "export": export, "readonly": export, "declare": export, "unset": unset, "shift": shift,
    "exit": exit_, "return": exit_, "break": leave, "continue": leave, ":": nothing, "wait": wait, "ulimit": ulimit,
    "umask": harmless, "shopt": harmless, "disown": harmless, "hash": harmless,
    "eval": refused("what it would run is not known before the run", "the command itself"),
    "trap": refused("signals have no handlers here", "the commands at the script's end"),
    "read": refused("there is no input", "NAME=VALUE"),
    "source": refused("other scripts are not read", "put its lines here"),
    ".": refused("other scripts are not read", "put its lines here"),
    "alias": refused("other names are not understood", "a function: f() { ...; }"),
    "getopts": refused("options are not understood", "case $1 in ...) ;; esac"),
    "jobs": refused("the state of jobs is not shown", "wait %1"),
    "fg": refused("jobs stay in the background", "wait %1"), "bg": refused("jobs stay in the background", "wait %1"),
    "let": refused("arithmetic of its own is not understood", "N=$((N + 1))"),
}  # fmt: skip
TABLE = {
    **OWN, "true": nothing, "false": nothing, "sleep": sleep, "kill": kill, "logger": harmless, "swapoff": swapoff,
    "swapon": swapoff, "mount": mount,
    "umount": refused("cgroups stay where they are", "rmdir removes a group"),
    "xargs": refused("commands from a text are not understood", "for X in ...; do ...; done"),
    "watch": refused("it never ends", "while sleep 1; do cat FILE; done"),
    "su": refused("users are not modelled", "all is done as root"),
    "date": refused("the time of day is not modelled", "take it out"),
    "free": refused("the machine's own counters are not modelled", "cat memory.current of a group"),
    "vmstat": refused("the machine's own counters are not modelled", "cat memory.stat of a group"),
}  # fmt: skip
