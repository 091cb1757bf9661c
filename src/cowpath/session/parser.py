"""From a script's words to commands. What is not understood is an InputError at its word."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import partial

from cowpath.kernel.state import CLOCK
from cowpath.session import cgroupfs
from cowpath.session import commands as c
from cowpath.session.syntax import Simple, read_commands
from cowpath.units import parse_time
from cowpath.words import Word, nearest

HOME = "/root"
SIGNALS = ("-9", "-KILL", "-SIGKILL", "-15", "-TERM", "-SIGTERM")  # all of them end a task without a handler


def parse(text: str, file: str) -> list[c.Command]:
    """The commands of a script. ``file`` is its name in error messages."""
    parser = _Parser()
    return [
        c.Command(parser.action(simple), simple.background, simple.and_next) for simple in read_commands(text, file)
    ]


class _Parser:
    """Knows the directory that the shell is in, for paths of cgroup files."""

    def __init__(self) -> None:
        self.directory = HOME
        self.last_directory = HOME
        self.builtins: dict[str, Callable[[Simple], c.Action]] = {
            "cd": self.cd, "echo": self.echo, "cat": self.cat, "mkdir": self.mkdir, "rmdir": self.rmdir,
            "cgcreate": self.cgcreate, "cgset": self.cgset, "cgget": self.cgget, "cgdelete": self.cgdelete,
            "sleep": self.sleep, "wait": self.wait, "kill": self.kill, "true": self.nothing, ":": self.nothing,
        }  # fmt: skip

    def action(self, simple: Simple) -> c.Action:
        """What a simple command means."""
        if simple.output is not None and simple.name.text != "echo":
            raise simple.output.error(
                "the output of a command cannot be redirected", "only echo VALUE > FILE of a cgroup is understood"
            )
        if simple.name.text in self.builtins:
            if simple.background and simple.name.text != "sleep":
                raise simple.name.error(f"{simple.name.text} cannot run in the background here", "without the '&'")
            if simple.background:
                return run(simple.words)
            return self.builtins[simple.name.text](simple)
        if (match := re.fullmatch(r'([A-Za-z_]\w*)="?\$!"?', simple.name.text, re.ASCII)) and len(simple.words) == 1:
            return c.Remember(simple.name, match[1])
        if re.match(r"[A-Za-z_]\w*=", simple.name.text, re.ASCII):
            raise simple.name.error("a variable is not understood here", "only NAME=$! is, to name the last job")
        return run(simple.words)

    # --- the file system

    def cd(self, simple: Simple) -> c.Action:
        """Any directory: only those of the cgroup file system mean anything."""
        if len(simple.words) > 2:
            raise simple.words[2].error("cd takes one directory", "cd DIR")
        goal = simple.words[1].text if len(simple.words) == 2 else HOME
        old, self.directory = self.directory, self.last_directory if goal == "-" else self.absolute(goal)
        self.last_directory = old
        return c.Nothing(simple.name)

    def absolute(self, path: str) -> str:
        """A path as seen from the shell's directory, without "." and ".."."""
        if path == "~" or path.startswith("~/"):
            path = HOME + path[1:]
        joined = posixpath.normpath(posixpath.join(self.directory, path))
        return "/" + joined.lstrip("/")

    def group_of(self, word: Word, path: str) -> Word | None:
        """The group that a directory of the cgroup file system is, or None for any other directory."""
        for mount in cgroupfs.MOUNTS:
            if path == mount or path.startswith(mount + "/"):
                return Word(path[len(mount) :].strip("/"), word.place)
        return None

    def cgroup_file(self, word: Word, what: str) -> tuple[Word, Word]:
        """The group and the file's name of a path like /sys/fs/cgroup/memory/A/memory.stat."""
        directory, name = posixpath.split(self.absolute(word.text))
        group = self.group_of(word, directory)
        if group is None:
            raise word.error(
                f"{what} knows only the files of memory cgroups: {word.text!r}", f"{cgroupfs.MOUNTS[0]}/A/memory.stat"
            )
        return group, Word(name, word.place)

    def echo(self, simple: Simple) -> c.Action:
        """Echo VALUE > FILE of a cgroup; without a file, the text is printed."""
        words = simple.words[1:]
        if words and words[0].text in ("-n", "-e"):
            words = words[1:]
        text = " ".join(word.text for word in words)
        if simple.output is None:
            return c.Say(simple.name, text)
        group, name = self.cgroup_file(simple.output, "'>'")
        file = simple.output.place.of(cgroupfs.writable, name.text)
        place = (words[0] if words else simple.name).place
        value = place.of(partial(cgroupfs.read_value, file), text)
        return c.Set(simple.name, (group,), (c.Setting(Word(name.text, place), file, value),))

    def cat(self, simple: Simple) -> c.Action:
        """Cat FILES, all of one group."""
        if len(simple.words) < 2:
            raise simple.name.error("cat needs a file", f"cat {cgroupfs.MOUNTS[0]}/A/memory.stat")
        found = [self.cgroup_file(word, "cat") for word in simple.words[1:]]
        for (group, _), word in zip(found, simple.words[1:], strict=True):
            if group.text != found[0][0].text:
                raise word.error("cat shows files of one group at a time here", "one cat for each group")
        files = tuple(name.place.of(cgroupfs.readable, name.text) for _, name in found)
        return c.Get(simple.name, "cat", found[0][0], files)

    def mkdir(self, simple: Simple) -> c.Action:
        """Mkdir [-p] DIRECTORIES of the cgroup file system."""
        words, flags = self.flags(simple, ("-p",))
        return c.Create(simple.name, self.directories(simple, words), parents="-p" in flags)

    def rmdir(self, simple: Simple) -> c.Action:
        """Rmdir DIRECTORIES of the cgroup file system."""
        words, _ = self.flags(simple, ())
        return c.Delete(simple.name, self.directories(simple, words))

    def directories(self, simple: Simple, words: tuple[Word, ...]) -> tuple[Word, ...]:
        """The groups that directories are."""
        if not words:
            raise simple.name.error(f"{simple.name.text} needs a directory", f"{cgroupfs.MOUNTS[0]}/A")
        groups = []
        for word in words:
            group = self.group_of(word, self.absolute(word.text))
            if group is None:
                raise word.error(
                    f"{simple.name.text} knows only memory cgroups: {word.text!r}", f"{cgroupfs.MOUNTS[0]}/A"
                )
            groups.append(group)
        return tuple(_group_name(group) for group in groups)

    # --- the cgroup tools

    def cgcreate(self, simple: Simple) -> c.Action:
        """Cgcreate -g memory:A [-g memory:B]."""
        options, rest = _options(simple, "g")
        if rest or not options:
            raise (rest[0] if rest else simple.name).error("cgcreate needs -g memory:GROUP", "cgcreate -g memory:A")
        return c.Create(simple.name, tuple(_controller(word) for _, word in options))

    def cgdelete(self, simple: Simple) -> c.Action:
        """Cgdelete [-r] memory:A, or -g memory:A."""
        words, flags = self.flags(simple, ("-r", "--recursive"), others=("-g",))
        groups = [_controller(word) for word in words if word.text != "-g"]
        if not groups:
            raise simple.name.error("cgdelete needs memory:GROUP", "cgdelete memory:A")
        return c.Delete(simple.name, tuple(groups), recursive=bool(flags))

    def cgset(self, simple: Simple) -> c.Action:
        """Cgset -r FILE=VALUE [-r ...] GROUPS."""
        options, groups = _options(simple, "r")
        if not options:
            raise simple.name.error("cgset needs -r FILE=VALUE", "cgset -r memory.limit_in_bytes=64M A")
        if not groups:
            raise simple.name.error("cgset needs a group", "cgset -r memory.limit_in_bytes=64M A")
        settings = []
        for _, word in options:
            name, equals, value = word.text.partition("=")
            if not equals:
                raise word.error(f"no value in {word.text!r}", "cgset -r memory.limit_in_bytes=64M A")
            file = word.place.of(cgroupfs.writable, name)
            number = word.place.after(len(name) + 1).of(partial(cgroupfs.read_value, file), value)
            settings.append(c.Setting(word, file, number))
        return c.Set(simple.name, tuple(_group_name(word) for word in groups), tuple(settings))

    def cgget(self, simple: Simple) -> c.Action:
        """Cgget [-r FILE]... GROUP, or -g memory:GROUP."""
        options, rest = _options(simple, "rg")
        files = [word.place.of(cgroupfs.readable, word.text) for option, word in options if option == "r"]
        groups = [*rest]
        for option, word in options:
            if option == "g" and word.text != "memory":  # "-g memory A" names the controller only
                groups.append(_controller(word))
        if len(groups) != 1:
            raise (groups[1] if groups else simple.name).error(
                "cgget shows one group at a time here", "cgget -r memory.stat A"
            )
        return c.Get(simple.name, "cgget", _group_name(groups[0]), tuple(files) or cgroupfs.READABLE)

    # --- the shell's own

    def sleep(self, simple: Simple) -> c.Action:
        """Sleep TIME: seconds, or with a unit ("50ms")."""
        if len(simple.words) != 2:
            raise simple.name.error("sleep takes one time", "sleep 1.5, sleep 50ms")
        word = simple.words[1]
        return c.Sleep(simple.name, word.place.of(parse_time, word.text))

    def wait(self, simple: Simple) -> c.Action:
        """Wait, wait $!, wait %1, wait $NAME."""
        if len(simple.words) > 2:
            raise simple.words[2].error("wait takes one job at a time here", "wait, wait $!, wait %1")
        return c.Wait(simple.name, _job(simple.words[1]) if len(simple.words) == 2 else None)

    def kill(self, simple: Simple) -> c.Action:
        """Kill [-9] JOBS."""
        words: tuple[Word, ...] = simple.words[1:]
        if words and words[0].text.startswith("-"):
            signal = words[0].text
            if signal not in SIGNALS:
                raise words[0].error(f"only SIGKILL and SIGTERM are understood: {signal!r}", "kill -9 $!")
            words = words[1:]
        if not words:
            raise simple.name.error("kill needs a job", "kill -9 $!, kill %1")
        return c.Kill(simple.name, tuple(_job(word) for word in words))

    def nothing(self, simple: Simple) -> c.Action:
        """A command without an effect."""
        return c.Nothing(simple.name)

    def flags(
        self, simple: Simple, known: tuple[str, ...], others: tuple[str, ...] = ()
    ) -> tuple[tuple[Word, ...], list[str]]:
        """A command's words without its flags, and the flags."""
        words: list[Word] = []
        flags: list[str] = []
        for word in simple.words[1:]:
            if word.text.startswith("-") and word.text not in others:
                if word.text not in known:
                    raise _unknown_option(simple.name, word, (*known, *others))
                flags.append(word.text)
            else:
                words.append(word)
        return tuple(words), flags


def run(words: tuple[Word, ...]) -> c.Run:
    """A program to start, behind any number of cgexec and taskset."""
    group: Word | None = None
    cpu: int | None = None
    while words and words[0].text in ("cgexec", "taskset"):
        if words[0].text == "cgexec":
            words, group = _cgexec(words, group)
        else:
            words, cpu = _taskset(words)
    if group is not None:
        group = _group_name(group)
    return c.Run(words[0], words[1:], group, cpu)


def _cgexec(words: tuple[Word, ...], group: Word | None) -> tuple[tuple[Word, ...], Word | None]:
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
            raise _unknown_option(name, option, ("-g", "--sticky"))
        found = _controller(value)
    if found is None:
        raise name.error("cgexec needs -g memory:GROUP", "cgexec -g memory:A make -j")
    if not words:
        raise name.error("cgexec needs a command", "cgexec -g memory:A make -j")
    return words, found


def _taskset(words: tuple[Word, ...]) -> tuple[tuple[Word, ...], int]:
    """What follows "taskset -c CPU", and the CPU."""
    if len(words) < 4 or words[1].text != "-c":
        raise words[0].error("taskset needs -c CPU and a command", "taskset -c 1 make")
    return words[3:], cpu_number(words[2])


def cpu_number(word: Word) -> int:
    """A CPU's number from 0."""
    if re.fullmatch(r"[0-9]{1,4}", word.text) is None or int(word.text) >= CLOCK.cpus:
        raise word.error(f"{word.text!r} is not one CPU's number", f"CPUs are numbered from 0 to {CLOCK.cpus - 1}")
    return int(word.text)


def _options(simple: Simple, letters: str) -> tuple[list[tuple[str, Word]], list[Word]]:
    """The options of a command, each with its value ("-r X", "-rX"), and the other words."""
    options: list[tuple[str, Word]] = []
    rest: list[Word] = []
    words = list(simple.words[1:])
    while words:
        word = words.pop(0)
        if not word.text.startswith("-") or word.text == "-":
            rest.append(word)
        elif word.text[1:2] not in letters or word.text.startswith("--"):
            raise _unknown_option(simple.name, word, tuple(f"-{letter}" for letter in letters))
        elif len(word.text) > 2:
            options.append((word.text[1], Word(word.text[2:], word.place.after(2))))
        elif words:
            options.append((word.text[1], words.pop(0)))
        else:
            raise word.error(f"{word.text} needs a value")
    return options, rest


def _unknown_option(command: Word, word: Word, known: tuple[str, ...]) -> Exception:
    return word.error(
        f"unknown option of {command.text}: {word.text!r}",
        f"understood: {', '.join(known)}" if known else "it takes none",
    )


def _controller(word: Word) -> Word:
    """The group of "memory:GROUP"."""
    controllers, colon, group = word.text.partition(":")
    if not colon:
        raise word.error(f"not CONTROLLER:GROUP: {word.text!r}", "memory:A")
    for controller in controllers.split(","):
        if controller != "memory":
            raise word.error(f"only the memory controller is modelled, not {controller!r}", f"memory:{group or 'A'}")
    return _group_name(Word(group, word.place.after(len(controllers) + 1)))


def _group_name(word: Word) -> Word:
    """A group's name without slashes around it; "" is the root."""
    name = word.text.strip("/")
    parts = name.split("/") if name else []
    if any(part in ("", ".", "..") for part in parts) or (not name and not word.text):
        raise word.error(f"not a group's name: {word.text!r}", "A or A/B")
    return Word(name, word.place)


def _job(word: Word) -> Word:
    """A background job as it is named in the script: "!", "NAME", or "%1"."""
    variable = getattr(word, "variable", None)
    if variable is not None:
        return Word(variable, word.place)
    if re.fullmatch(r"%[0-9]{1,6}", word.text):
        return word
    if word.text in ("%%", "%+", "%"):
        return Word("!", word.place)
    known = ["$!", "%1"]
    raise word.error(f"not a background job: {word.text!r}", nearest(word.text, known, "jobs are $!, %1 or $NAME"))
