"""Programs that read other tasks' files in /proc: ps, top, pgrep, pidof, w, and cat.

They read what the real ones do (procps, sysvinit), and so they wait for the same: cmdline and exe need the mmap_sem of
the process that they are about, stat, statm and status do not. Each round goes over all processes of the moment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from cowpath.kernel import names as n
from cowpath.programs.code import Assembler, Code
from cowpath.programs.unit import Unit
from cowpath.programs.written import PROC_FILES
from cowpath.units import parse_time
from cowpath.words import Word, nearest

READERS = ("ps", "top", "pgrep", "pidof", "w")
ALL = ("*", "[0-9]*")  # what a shell takes for every process
OF_THE_MACHINE = ("/proc/pressure/", "/proc/sys/", "/proc/meminfo", "/proc/vmstat")  # files of no task
TOP_DELAY_NS = 3_000_000_000
SHOWS_ARGUMENTS = re.compile(r"(?:^|[,=])(?:args|cmd|command)(?:[,:=]|$)")  # columns of ps -o
FORMATS = ("o", "-o", "--format")


@dataclass(frozen=True)
class Reading:
    """What a program reads of every process: files, in ``rounds`` rounds (NONE: for ever), so long apart."""

    files: tuple[str, ...]
    rounds: int = 1
    delay_ns: int = 0


def reads_proc(words: tuple[Word, ...]) -> bool:
    """``cat`` of files in /proc, also behind cgexec or taskset."""
    names = [word.text for word in words]
    paths = names[names.index("cat") + 1 :] if "cat" in names else []
    return bool(paths) and all(path.startswith("/proc/") and not path.startswith(OF_THE_MACHINE) for path in paths)


def unit(name: str, word: Word, arguments: tuple[Word, ...], recorded: Code | None = None) -> Unit:
    """The program. ``recorded``: what it does besides. Raises InputError at a word that it does not understand."""
    asm = Assembler(name)
    wanted: dict[str, Word] = {}
    if recorded is None:
        asm.emit(n.OP_EXEC, a=1, c=asm.comm(name))
    if name == "cat":
        for argument in arguments or (word,):
            _cat(asm, argument, wanted)
    else:
        _go_over_all(asm, _reading(name, arguments), 0 if recorded is None else len(recorded.ops))
    if recorded is not None:
        return Unit(_behind(recorded, asm))
    asm.emit(n.OP_EXIT)
    return Unit(asm.code(), outer=tuple(wanted.values()))


def _go_over_all(asm: Assembler, reading: Reading, base: int) -> None:
    """The rounds. ``base``: the number that the first instruction will have."""
    if reading.rounds != 1:
        asm.emit(n.OP_LOOP)
    top = asm.here
    for file in reading.files:
        asm.emit(n.OP_READ_PROC, a=n.ALL_TASKS, bits=PROC_FILES[file])
    if reading.rounds != 1:
        asm.emit(n.OP_SLEEP, a=reading.delay_ns)
        asm.emit(n.OP_NEXT, b=reading.rounds, c=base + top)


def _behind(recorded: Code, asm: Assembler) -> Code:
    """A recorded program, and these instructions before its job is done."""
    ops = recorded.ops.copy()
    (end,) = np.flatnonzero(ops["code"] == n.OP_MARK)
    tail = np.concatenate((asm.code().ops, ops[end : end + 2]))  # OP_MARK, OP_EXIT
    ops["code"][end], ops["a"][end] = n.OP_JUMP, len(ops)
    return Code(recorded.name, np.concatenate((ops, tail)), recorded.files, recorded.comms, jobs=recorded.jobs)


# --- what each of them reads -----------------------------------------------------------------------
def _reading(name: str, arguments: tuple[Word, ...]) -> Reading:
    match name:
        case "ps":
            return Reading(("stat", "status", "cmdline") if _ps_shows_arguments(arguments) else ("stat", "status"))
        case "top":
            return _top(arguments)
        case "pgrep":
            pattern = _operands(arguments, "uUGgPstdFr")
            return Reading(("status", "cmdline") if pattern else ("status",))
        case "pidof":
            return Reading(("stat", "cmdline", "exe"))
        case _:
            return Reading(("stat", "status", "cmdline"))


def _ps_shows_arguments(arguments: tuple[Word, ...]) -> bool:
    """Whether a column of ps shows the command with its arguments: -f, BSD's options, or a format that says so."""
    shown = False
    words = [argument.text for argument in arguments]
    for at, text in enumerate(words):
        if text in ("-f", "-F") or re.fullmatch(r"-[A-Za-z]*[fF][A-Za-z]*", text):
            shown = True
        elif re.fullmatch(r"[aefghjlmrsuvwx]+", text) and (
            at == 0 or words[at - 1] not in (*FORMATS, "-p", "-C", "-u")
        ):
            shown = True  # BSD's
        formats = words[at + 1 :] if re.fullmatch(r"-?[A-Za-z]*o|--format", text) else []
        if formats or re.match(r"-o.|--format=", text):
            return any(SHOWS_ARGUMENTS.search(each.removeprefix("-o")) for each in (formats[:1] or [text]))
    return shown


def _top(arguments: tuple[Word, ...]) -> Reading:
    """top [-b] [-c] [-d SECONDS] [-n ROUNDS]: without -c it shows the names only, which it has from stat."""
    rounds, delay, files = n.NONE, TOP_DELAY_NS, ["stat", "statm"]
    words = list(arguments)
    while words:
        word = words.pop(0)
        match = re.fullmatch(r"-?([bcHiSs]*)(?:([dnpuU])(.*))?", word.text)
        if match is None:
            raise word.error(
                f"unknown option of top: {word.text!r}", "understood: -b, -c, -d SECONDS, -n ROUNDS, -p, -u"
            )
        if "c" in match[1]:
            files.append("cmdline")
        if match[2]:
            value = Word(match[3], word.place) if match[3] else words.pop(0) if words else word
            if match[2] == "d":
                delay = value.place.of(parse_time, value.text)
            elif match[2] == "n":
                rounds = _count(value)
    return Reading(tuple(files), rounds, delay)


def _count(word: Word) -> int:
    if re.fullmatch(r"[1-9][0-9]{0,5}", word.text) is None:
        raise word.error(f"{word.text!r} is not a number of rounds", "top -b -n 1")
    return int(word.text)


def _operands(arguments: tuple[Word, ...], with_value: str) -> list[str]:
    """The words that are no options, nor the value of one."""
    found, skip = [], False
    for argument in arguments:
        if not skip and not argument.text.startswith("-"):
            found.append(argument.text)
        skip = not skip and re.fullmatch(rf"-[a-zA-Z]*[{with_value}]", argument.text) is not None
    return found


def _cat(asm: Assembler, word: Word, wanted: dict[str, Word]) -> None:
    """cat /proc/TASK/FILE: a task's name, self, or * for all."""
    parts = word.text.split("/")
    if len(parts) != 4 or parts[:2] != ["", "proc"]:
        raise word.error(f"cat reads only files of tasks in /proc: {word.text!r}", "cat /proc/$!/maps")
    _, _, task, file = parts
    if file not in PROC_FILES:
        raise word.error(f"no such file of a task: {file!r}", nearest(file, PROC_FILES, ", ".join(sorted(PROC_FILES))))
    if task.isdecimal():
        raise word.error(f"a task's number is not known before the run: {task}", "cat /proc/$!/maps, or a task's name")
    if task in ALL:
        asm.emit(n.OP_READ_PROC, a=n.ALL_TASKS, bits=PROC_FILES[file])
    elif task != "self":  # which nobody can be in the way of
        wanted.setdefault(task, Word(task, word.place))
        asm.emit(n.OP_READ_PROC, a=asm.slot(task), bits=PROC_FILES[file])
