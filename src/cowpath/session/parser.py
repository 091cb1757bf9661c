"""From a command's words to what it means. What is not understood is an InputError at its word."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import partial

from cowpath.session import cgroupfs, cgtools, procfs
from cowpath.session import commands as c
from cowpath.session.cgroup1 import OTHER_CONTROLLERS
from cowpath.session.cgtools import SHELL, job, task
from cowpath.session.expand import Expanded
from cowpath.session.options import flags, group_name
from cowpath.session.scope import HOME, JOB, SHELL_ITSELF, UNSURE, Scope
from cowpath.units import parse_time
from cowpath.words import Word

SIGNALS = ("-9", "-KILL", "-SIGKILL", "-15", "-TERM", "-SIGTERM")  # all of them end a task without a handler
TAKES_JOBS = ("wait", "kill", "cgclassify")
OTHER_HIERARCHIES = (*OTHER_CONTROLLERS, "cpu,cpuacct", "net_cls,net_prio", "systemd", "unified")  # as v1 mounts them


def action(simple: Expanded, scope: Scope, background: bool = False) -> c.Action:
    """What a simple command means to a shell that knows ``scope``; ``cd`` changes it. In the background: a program."""
    name = simple.name.text
    if simple.output is not None and name != "echo":
        raise simple.output.error(
            "the output of a command cannot be redirected", "only echo VALUE > FILE of a cgroup is understood"
        )
    if procfs.reads_proc(simple.words):
        return cgtools.run(simple.words)
    if name not in TAKES_JOBS and not (name == "echo" and simple.output is not None):
        no_jobs(simple.words)
    builtins = _Builtins(scope).table
    return builtins[name](simple) if name in builtins and not background else cgtools.run(simple.words)


def is_program(name: str) -> bool:
    """A command of this name can be a task of its own: it is a program, or ``sleep``."""
    return name == "sleep" or name not in _Builtins(Scope()).table


def version_at(path: str) -> str:
    """The version of cgroups that is mounted where this path leads."""
    return "v1" if any(path == mount or path.startswith(mount + "/") for mount in cgroupfs.MOUNTS) else "v2"


def no_jobs(words: tuple[Word, ...]) -> None:
    """Raise InputError for a word that holds a job's number."""
    for word in words:
        if "\0" in word.text:
            shown = JOB.sub(r"%\1", word.text).replace(SHELL_ITSELF, SHELL)
            raise word.error(
                f"a task's number is not known before the run: {shown!r}",
                "a job can be given to wait, kill, cgclassify and echo JOB > tasks",
            )


class _Builtins:
    """The commands that the shell itself knows."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.table: dict[str, Callable[[Expanded], c.Action]] = {
            "cd": self.cd, "echo": self.echo, "cat": self.cat, "mkdir": self.mkdir, "rmdir": self.rmdir,
            "cgcreate": cgtools.cgcreate, "cgset": lambda simple: cgtools.cgset(simple, scope),
            "cgget": lambda simple: cgtools.cgget(simple, scope),
            "cgdelete": cgtools.cgdelete, "cgclassify": lambda simple: cgtools.cgclassify(simple, scope),
            "sleep": self.sleep, "wait": self.wait, "kill": self.kill,
            "break": self.leave, "continue": self.leave, "true": self.nothing, ":": self.nothing, "false": self.nothing,
        }  # fmt: skip

    # --- the file system

    def cd(self, simple: Expanded) -> c.Action:
        """Any directory: only those of the cgroup file system mean anything."""
        if len(simple.words) > 2:
            raise simple.words[2].error("cd takes one directory", "cd DIR")
        goal = simple.words[1].text if len(simple.words) == 2 else HOME
        scope = self.scope
        old = scope.directory
        scope.directory = scope.last_directory if goal == "-" else self.absolute(simple.words[-1], goal)
        scope.last_directory = old
        return c.Nothing(simple.name)

    def absolute(self, word: Word, path: str) -> str:
        """A path (in ``word``) as seen from the shell's directory, without "." and ".."."""
        if path == "~" or path.startswith("~/"):
            path = HOME + path[1:]
        if not path.startswith("/") and self.scope.directory == UNSURE:
            raise word.error(
                f"{path!r}: the directory depends on how a command before it ends", "the whole path, from / on"
            )
        joined = posixpath.normpath(posixpath.join(self.scope.directory, path))
        return "/" + joined.lstrip("/")

    def group_of(self, word: Word, path: str) -> Word | None:
        """The group that a directory of the cgroup file system is, or None for any other directory."""
        for mount in (*cgroupfs.MOUNTS, cgroupfs.MOUNT_2):
            if path == mount or path.startswith(mount + "/"):
                group = path[len(mount) :].strip("/")
                if mount == cgroupfs.MOUNT_2 and group.partition("/")[0] in OTHER_HIERARCHIES:
                    raise word.error(
                        f"{word.text!r} is of another controller of cgroup v1", "only the memory controller is modelled"
                    )
                self.scope.uses.note("v2" if mount == cgroupfs.MOUNT_2 else "v1", word)
                return Word(group, word.place)
        return None

    def cgroup_file(self, word: Word, what: str) -> tuple[Word, Word, str]:
        """The group and the file's name of a path like /sys/fs/cgroup/memory/A/memory.stat, and the version."""
        directory, name = posixpath.split(self.absolute(word, word.text))
        group = self.group_of(word, directory)
        if group is None:
            raise word.error(
                f"{what} knows only the files of memory cgroups: {word.text!r}",
                f"{cgroupfs.MOUNT_2}/A/memory.stat, {cgroupfs.MOUNTS[0]}/A/memory.stat",
            )
        return group, Word(name, word.place), version_at(directory)

    def echo(self, simple: Expanded) -> c.Action:
        """Echo VALUE > FILE of a cgroup; without a file, the text is printed."""
        words = simple.words[1:]
        if words and words[0].text in ("-n", "-e"):
            words = words[1:]
        text = " ".join(word.text for word in words)
        if simple.output is None:
            return c.Say(simple.name, text)
        group, name, version = self.cgroup_file(simple.output, "'>'")
        if name.text in cgroupfs.TASK_FILES and (version, name.text) != ("v2", "tasks"):
            if len(words) != 1:
                raise simple.name.error("one task at a time goes into a group", "echo $! > tasks")
            itself = words[0].text == "0"  # as the kernel has it: the task that writes
            joins = Word(SHELL, words[0].place) if itself else task(words[0], self.scope)
            return c.Classify(simple.name, group, (joins,), name.text == "cgroup.procs")
        no_jobs(simple.words)
        file = simple.output.place.of(partial(cgroupfs.writable, version=version), name.text)
        place = (words[0] if words else simple.name).place
        value, more = place.of(partial(cgroupfs.read_value, file), text)
        note = cgroupfs.note_of(file, text)
        return c.Set(simple.name, (group,), (c.Setting(Word(name.text, place), file, value, note, more),))

    def cat(self, simple: Expanded) -> c.Action:
        """Cat FILES, all of one group."""
        if len(simple.words) < 2:
            raise simple.name.error("cat needs a file", f"cat {cgroupfs.MOUNT_2}/A/memory.stat")
        found = [self.cgroup_file(word, "cat") for word in simple.words[1:]]
        for (group, _, _), word in zip(found, simple.words[1:], strict=True):
            if group.text != found[0][0].text:
                raise word.error("cat shows files of one group at a time here", "one cat for each group")
        files = tuple(
            name.place.of(partial(cgroupfs.readable, version=version), name.text) for _, name, version in found
        )
        return c.Get(simple.name, "cat", found[0][0], files)

    def mkdir(self, simple: Expanded) -> c.Action:
        """Mkdir [-p] DIRECTORIES of the cgroup file system."""
        words, given = flags(simple, ("-p",))
        return c.Create(simple.name, self.directories(simple, words), parents="-p" in given)

    def rmdir(self, simple: Expanded) -> c.Action:
        """Rmdir DIRECTORIES of the cgroup file system."""
        words, _ = flags(simple, ())
        return c.Delete(simple.name, self.directories(simple, words))

    def directories(self, simple: Expanded, words: tuple[Word, ...]) -> tuple[Word, ...]:
        """The groups that directories are."""
        if not words:
            raise simple.name.error(f"{simple.name.text} needs a directory", f"{cgroupfs.MOUNT_2}/A")
        groups = []
        for word in words:
            group = self.group_of(word, self.absolute(word, word.text))
            if group is None:
                raise word.error(
                    f"{simple.name.text} knows only memory cgroups: {word.text!r}",
                    f"{cgroupfs.MOUNT_2}/A, {cgroupfs.MOUNTS[0]}/A",
                )
            groups.append(Word(group.text or "/", group.place))
        return tuple(group_name(group) for group in groups)

    # --- the shell's own

    def sleep(self, simple: Expanded) -> c.Action:
        """Sleep TIME: seconds, or with a unit ("50ms")."""
        if len(simple.words) != 2:
            raise simple.name.error("sleep takes one time", "sleep 1.5, sleep 50ms")
        word = simple.words[1]
        return c.Sleep(simple.name, word.place.of(parse_time, word.text))

    def wait(self, simple: Expanded) -> c.Action:
        """Wait, wait $!, wait %1, wait $NAME."""
        jobs = tuple(job(word, self.scope) for word in simple.words[1:])
        return c.Wait(simple.name, jobs or None)

    def kill(self, simple: Expanded) -> c.Action:
        """Kill [-9] JOBS."""
        words: tuple[Word, ...] = simple.words[1:]
        if words and words[0].text.startswith("-"):
            signal = words[0].text
            if signal not in SIGNALS:
                raise words[0].error(f"only SIGKILL and SIGTERM are understood: {signal!r}", "kill -9 $!")
            words = words[1:]
        if not words:
            raise simple.name.error("kill needs a job", "kill -9 $!, kill %1")
        return c.Kill(simple.name, tuple(job(word, self.scope) for word in words))

    def leave(self, simple: Expanded) -> c.Action:
        """Break [N], continue [N]."""
        count = simple.words[1] if len(simple.words) > 1 else Word("1", simple.name.place)
        if len(simple.words) > 2 or re.fullmatch(r"[1-9]", count.text) is None:
            raise count.error(
                f"{simple.name.text} takes a number of loops", f"{simple.name.text}, {simple.name.text} 2"
            )
        return c.Leave(simple.name, simple.name.text == "continue", int(count.text))

    def nothing(self, simple: Expanded) -> c.Action:
        """A command without an effect."""
        return c.Nothing(simple.name, 1 if simple.name.text == "false" else 0)
