"""The cgroup tools (cgcreate, cgset, ...) and taskset: what their words mean."""

from __future__ import annotations

import re
from functools import partial

from cowpath.errors import InputError
from cowpath.kernel.state import CLOCK
from cowpath.session import cgroupfs
from cowpath.session import commands as c
from cowpath.session.expand import Expanded
from cowpath.session.live import is_live, refuse
from cowpath.session.options import controller, flags, group_name, options, other_controllers, unknown_option
from cowpath.session.scope import JOB, SHELL_ITSELF, Scope
from cowpath.words import Word

SHELL = "$$"  # the shell itself, among the jobs of cgclassify


def cgcreate(simple: Expanded) -> c.Action:
    """Cgcreate -g memory:A [-g memory:B]; who may write to it (-a, -t, ...) has no effect: all is done as root."""
    found, rest = options(simple, "gatdfs")
    found = [(option, word) for option, word in found if option == "g"]
    if rest or not found:
        raise (rest[0] if rest else simple.name).error("cgcreate needs -g memory:GROUP", "cgcreate -g memory:A")
    create = c.Create(simple.name, tuple(controller(word, others=True) for _, word in found), enables=True)
    if not (others := other_controllers(word for _, word in found)):
        return create
    names = ", ".join(others)
    note = f"cgcreate: {names}: only the memory controller is modelled; the others do nothing until limits are set"
    return c.Noted(simple.name, create, note)


def cgdelete(simple: Expanded) -> c.Action:
    """Cgdelete [-r] memory:A, or -g memory:A."""
    words, given = flags(simple, ("-r", "--recursive"), others=("-g",))
    groups = [controller(word, others=True) for word in words if word.text != "-g"]
    if not groups:
        raise simple.name.error("cgdelete needs memory:GROUP", "cgdelete memory:A")
    return c.Delete(simple.name, tuple(groups), recursive=bool(given))


def cgset(simple: Expanded, scope: Scope) -> c.Action:
    """Cgset -r FILE=VALUE [-r ...] GROUPS."""
    found, groups = options(simple, "r")
    if not found:
        raise simple.name.error("cgset needs -r FILE=VALUE", "cgset -r memory.limit_in_bytes=64M A")
    if not groups:
        raise simple.name.error("cgset needs a group", "cgset -r memory.limit_in_bytes=64M A")
    settings = []
    for _, word in found:
        name, equals, value = word.text.partition("=")
        if not equals:
            raise word.error(f"no value in {word.text!r}", "cgset -r memory.limit_in_bytes=64M A")
        if is_live(word.text):
            raise refuse(word)
        scope.uses.note(cgroupfs.version_of(name), Word(name, word.place))
        settings.append(setting(word, name, Word(value, word.place.after(len(name) + 1)), None))
    return c.Set(simple.name, tuple(group_name(word) for word in groups), tuple(settings))


def setting(word: Word, name: str, value: Word, version: str | None) -> c.Setting:
    """What is written to a file. A limit that the kernel does not take is its EINVAL, in the run."""
    file = word.place.of(partial(cgroupfs.writable, version=version), name)
    why = cgroupfs.refused(file, value.text)
    if why is not None:
        return c.Setting(Word(name, word.place), file, None, f"{name}: {value.text!r}: Invalid argument: {why}")
    number, more = value.place.of(partial(cgroupfs.read_value, file), value.text)
    return c.Setting(word, file, number, cgroupfs.note_of(file, value.text), more)


def cgget(simple: Expanded, scope: Scope) -> c.Action:
    """Cgget [-r FILE]... GROUP, or -g memory:GROUP."""
    found, rest = options(simple, "rg")
    named = [word for option, word in found if option == "r"]
    files = [word.place.of(cgroupfs.readable, word.text) for word in named]
    for word in named:
        scope.uses.note(cgroupfs.version_of(word.text), word)
    groups = [*rest]
    for option, word in found:
        if option == "g" and word.text != "memory":  # "-g memory A" names the controller only
            groups.append(controller(word))
    if len(groups) != 1:
        raise (groups[1] if groups else simple.name).error(
            "cgget shows one group at a time here", "cgget -r memory.stat A"
        )
    return c.Get(simple.name, "cgget", group_name(groups[0]), tuple(files) or (cgroupfs.ALL,))


def cgclassify(simple: Expanded, scope: Scope) -> c.Action:
    """Cgclassify -g memory:A JOBS."""
    sticky = ("--sticky", "--cancel-sticky")
    words = tuple(word for word in simple.words if word.text not in sticky)
    found, jobs = options(Expanded(words), "g")
    if len(found) != 1:
        raise (found[1][1] if found else simple.name).error(
            "cgclassify needs -g memory:GROUP, once", "cgclassify -g memory:A $!"
        )
    if not jobs:
        raise simple.name.error("cgclassify needs a job", "cgclassify -g memory:A $!")
    return c.Classify(simple.name, controller(found[0][1]), tuple(task(word, scope) for word in jobs))


def task(word: Word, scope: Scope) -> Word:
    """What joins a group: a background job, or the shell itself ("$$")."""
    return Word(SHELL, word.place) if word.text == SHELL_ITSELF else job(word, scope)


def job(word: Word, scope: Scope) -> Word:
    """A background job as "%1", from what the script calls it: $!, %1, %%, or a variable."""
    if match := JOB.fullmatch(word.text):
        return Word(f"%{match[1]}", word.place)
    if word.text in ("%%", "%+", "%"):
        match = JOB.fullmatch(scope.last_job or "")
        if match is None:
            raise word.error(f"no such background job: {word.text}", "jobs are started with '&': none so far")
        return Word(f"%{match[1]}", word.place)
    if re.fullmatch(r"%[0-9]{1,6}", word.text):
        return word
    shown = JOB.sub(r"%\1", word.text).replace(SHELL_ITSELF, SHELL)
    raise word.error(f"not a background job: {shown!r}", "jobs are $!, %1, or $NAME after NAME=$!")


def refuse_job(word: Word) -> InputError:
    """The error for a job's number where none can stand."""
    shown = JOB.sub(r"%\1", word.text).replace(SHELL_ITSELF, SHELL)
    return word.error(
        f"a task's number is not known before the run: {shown!r}",
        "a job can be given to wait, kill, cgclassify and echo JOB > tasks",
    )


def cgexec(words: tuple[Word, ...]) -> tuple[tuple[Word, ...], Word]:
    """What follows "cgexec [-g memory:A]", and the group."""
    name, words = words[0], words[1:]
    found: Word | None = None
    while words and words[0].text.startswith("-"):
        option, words = words[0], words[1:]
        if option.text == "--sticky":
            continue
        if option.text == "-g":
            if not words:
                break
            value, words = words[0], words[1:]
        elif option.text.startswith("-g"):
            value = Word(option.text[2:], option.place.after(2))
        else:
            raise unknown_option(name, option, ("-g", "--sticky"))
        found = controller(value)
    if found is None:
        raise name.error("cgexec needs -g memory:GROUP", "cgexec -g memory:A make -j")
    if not words:
        raise name.error("cgexec needs a command", "cgexec -g memory:A make -j")
    return words, found


def taskset(words: tuple[Word, ...]) -> tuple[tuple[Word, ...], int]:
    """What follows "taskset -c CPU" or "taskset MASK", and the CPU."""
    if len(words) > 2 and (match := re.fullmatch(r"(?:0x)?0*([1248]0*)", words[1].text)):
        mask = int(match[1], 16)
        return words[2:], cpu_number(Word(str(mask.bit_length() - 1), words[1].place))
    if len(words) < 4 or words[1].text not in ("-c", "--cpu-list", "-ac"):
        raise words[0].error("taskset needs -c CPU and a command", "taskset -c 1 make")
    return words[3:], cpu_number(words[2])


def cpu_number(word: Word) -> int:
    """A CPU's number from 0."""
    if re.fullmatch(r"[0-9]{1,4}", word.text) is None or int(word.text) >= CLOCK.cpus:
        raise word.error(f"{word.text!r} is not one CPU's number", f"CPUs are numbered from 0 to {CLOCK.cpus - 1}")
    return int(word.text)
