"""Which file a path of the script is: one of a memory cgroup, one of /proc, or any other."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from cowpath.session import cgroupfs
from cowpath.session.cgroup1 import OTHER_CONTROLLERS
from cowpath.session.cgtools import refuse_job
from cowpath.session.live import is_live, refuse
from cowpath.session.scope import HOME, UNSURE, Scope
from cowpath.words import Word

OTHER_HIERARCHIES = (
    *(each for each in OTHER_CONTROLLERS if each != "io"),
    "cpu,cpuacct",
    "net_cls,net_prio",
    "systemd",
    "unified",
)  # as v1 mounts them
SHOWN_AS = ("/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/fd/1", "/dev/fd/2")
KERNELS = ("/proc", "/sys", "/dev")  # below these every file is something of its own


@dataclass(frozen=True)
class CgroupFile:
    """A file of a group."""

    group: Word
    name: Word
    version: str  # "v1" or "v2"


@dataclass(frozen=True)
class ProcFile:
    """A file of a task: /proc/TASK/NAME, or one of the machine: /proc/NAME (task is None)."""

    task: Word | None
    name: str


@dataclass(frozen=True)
class Stream:
    """Something that is no file: what is written to it is shown, or not."""

    shown: bool


@dataclass(frozen=True)
class Ordinary:
    """Any other file."""

    path: str


File = CgroupFile | ProcFile | Stream | Ordinary


def absolute(word: Word, path: str, scope: Scope) -> str:
    """A path (in ``word``) as seen from the shell's directory, without "." and ".."."""
    if path == "~" or path.startswith("~/"):
        path = HOME + path[1:]
    if is_live(path):
        raise refuse(word)
    if not path.startswith("/") and scope.directory == UNSURE:
        raise word.error(
            f"{path!r}: the directory depends on how a command before it ends", "the whole path, from / on"
        )
    joined = posixpath.normpath(posixpath.join(scope.directory, path))
    return "/" + joined.lstrip("/")


def version_at(path: str) -> str:
    """The version of cgroups that is mounted where this path leads."""
    return "v1" if any(_is_below(path, mount) for mount in cgroupfs.MOUNTS) else "v2"


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory + "/")


def group_of(word: Word, path: str, scope: Scope) -> Word | None:
    """The group that a directory of the cgroup file system is, or None for any other directory."""
    for mount in (*cgroupfs.MOUNTS, cgroupfs.MOUNT_2):
        if _is_below(path, mount):
            group = path[len(mount) :].strip("/")
            if mount == cgroupfs.MOUNT_2 and group.partition("/")[0] in OTHER_HIERARCHIES:
                raise word.error(
                    f"{word.text!r} is of another controller of cgroup v1", "only the memory controller is modelled"
                )
            if pattern := re.search(r"[*?\[]", group):
                raise word.error(
                    f"a pattern of file names is not understood here: {pattern[0]!r}", "the groups by their names"
                )
            scope.uses.note("v2" if mount == cgroupfs.MOUNT_2 else "v1", word)
            return Word(group, word.place)
    return None


def file_of(word: Word, scope: Scope) -> File:
    """The file that a word of the script names."""
    path = absolute(word, word.text, scope)
    if "\0" in path and not path.startswith("/proc/"):
        raise refuse_job(word)
    if path == "/dev/null" or path in SHOWN_AS:
        return Stream(path != "/dev/null")
    directory, name = posixpath.split(path)
    group = group_of(word, directory, scope)
    if group is not None:
        return CgroupFile(group, Word(name, word.place), version_at(directory))
    if _is_below(path, "/proc"):
        parts = path.split("/")[2:]
        own = parts[0] if parts else ""
        if own.isdigit() or own == "self" or "\0" in own:
            return ProcFile(Word(own, word.place), "/".join(parts[1:]))
        return ProcFile(None, "/".join(parts))
    if any(_is_below(path, each) for each in KERNELS) and not _is_below(path, "/dev/shm"):
        raise word.error(f"{path!r} is not modelled", f"{cgroupfs.MOUNT_2}/A/memory.max, /dev/null, /proc/sys/vm/...")
    return Ordinary(path)
