"""A memory cgroup for the command alone, in v1 or v2: made, read and removed.

Sources: Documentation/admin-guide/cgroup-v1/memory.rst, cgroup-v2.rst; proc(5) on mountinfo and cgroup.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cowpath.errors import InputError

PROCS = "cgroup.procs"
PREFIX = "cowpath-record-"
REMOVAL_S = 5.0  # for which a group stays busy at most after its last task has gone
FILES = {  # interface -> what a counter is called here -> the file that has it
    "v1": {"usage": "memory.usage_in_bytes", "max_usage": "memory.max_usage_in_bytes",
           "kmem": "memory.kmem.usage_in_bytes", "failcnt": "memory.failcnt"},
    "v2": {"usage": "memory.current", "max_usage": "memory.peak"},
}  # fmt: skip
STAT_KEYS = {  # key of memory.stat -> what it is called here
    "pgfault": "pgfault", "pgmajfault": "pgmajfault", "rss": "anon", "anon": "anon", "cache": "file", "file": "file",
    "mapped_file": "mapped_file", "file_mapped": "mapped_file", "oom_kill": "oom_kill",
}  # fmt: skip
LIMIT = {"v1": "memory.limit_in_bytes", "v2": "memory.max"}
NO_GROUP_HINT = "--no-group records without one, and without the group's counters"


@dataclass(frozen=True)
class Group:
    """A memory cgroup that is there."""

    path: Path
    interface: str  # "v1" or "v2"
    home: Path  # the file by which one goes back to the group that cowpath is in

    @property
    def tasks(self) -> Path:
        """The file that a process joins by."""
        return self.path / PROCS

    def pids(self) -> list[int]:
        """The processes in it."""
        try:
            return [int(pid) for pid in self.tasks.read_text().split()]
        except OSError:
            return []

    def counters(self) -> dict[str, int]:
        """What the group counts, in bytes and events; what this kernel does not count is left out."""
        found: dict[str, int] = {}
        for name, file in FILES[self.interface].items():
            with suppress(OSError, ValueError):
                found[name] = int((self.path / file).read_text())
        for file in ("memory.stat", "memory.oom_control", "memory.events"):
            with suppress(OSError):
                found |= stat(self.path.joinpath(file).read_text())
        return found

    def limit(self, size: int) -> None:
        """Give it a limit of so many bytes."""
        (self.path / LIMIT[self.interface]).write_text(str(size))

    def remove(self) -> list[int]:
        """Remove it, and return the processes that were left in it: they go to cowpath's own. Raises InputError."""
        left = self.pids()
        for pid in left:
            with suppress(OSError):
                self.home.write_text(str(pid))
        until = time.monotonic() + REMOVAL_S
        while True:
            try:
                self.path.rmdir()
                return left
            except FileNotFoundError:
                return left
            except OSError as error:
                if time.monotonic() > until:
                    raise InputError(f"the group can't be removed: {error.strerror}", file=self.path,
                                     hint=f"when its processes have ended: rmdir {self.path}") from error  # fmt: skip
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill all that is in it, also what is forked meanwhile."""
        for _ in range(100):
            pids = self.pids()
            if not pids:
                return
            for pid in pids:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)


def stat(text: str) -> dict[str, int]:
    """The lines ``key value`` of a group's file whose keys are known here."""
    pairs = (line.split() for line in text.splitlines())
    return {STAT_KEYS[pair[0]]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[0] in STAT_KEYS}


@contextmanager
def own_group() -> Iterator[Group]:
    """A new group beside or below the one that cowpath is in; it goes when the block ends. Raises InputError."""
    group = make()
    try:
        yield group
    except BaseException:
        group.kill()
        with suppress(InputError):
            group.remove()
        raise
    else:
        group.remove()  # again: the block has, if all went well


def make(mountinfo: str | None = None, cgroups: str | None = None) -> Group:
    """Make it. Raises InputError that says why there can be none."""
    folders = places(mountinfo, cgroups)
    if not folders:
        hint = f"mount -t cgroup -o memory none /sys/fs/cgroup/memory, or CONFIG_MEMCG in the kernel; {NO_GROUP_HINT}"
        raise InputError("no memory cgroups are mounted here", hint=hint)
    refused: OSError | None = None
    for interface, folder, own in folders:
        _sweep(folder)
        path = folder / f"{PREFIX}{os.getpid()}"
        try:
            path.mkdir()
        except OSError as error:
            refused = refused or error
            continue
        if (path / FILES[interface]["usage"]).exists():
            return Group(path, interface, own / PROCS)
        path.rmdir()  # the controller is not passed on to it
    hint = f"run it as root: sudo cowpath record -- COMMAND; {NO_GROUP_HINT}"
    if refused is None:
        hint = f"echo +memory > {folders[-1][1]}/cgroup.subtree_control; {NO_GROUP_HINT}"
    reason = f": {refused.strerror}" if refused else ", where the memory controller counts"
    raise InputError(f"no memory cgroup can be made{reason}", file=folders[0][1], hint=hint)


def places(mountinfo: str | None = None, cgroups: str | None = None) -> list[tuple[str, Path, Path]]:
    """The interface, the folder in which a group may be made, and our own group's; the best first."""
    seen = mountinfo or Path("/proc/self/mountinfo").read_text(), cgroups or Path("/proc/self/cgroup").read_text()
    return list(_places(*seen))


def _places(mountinfo: str, cgroups: str) -> Iterator[tuple[str, Path, Path]]:
    """In v1 below our own; in v2 below it, beside it or higher, up to the root."""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind, options = [*after.split(), ""][0], after.split(" ")[-1].split(",")
        fields = before.split()
        if len(fields) < 5:
            continue
        root, mount = unescaped(fields[3]), Path(unescaped(fields[4]))
        if kind == "cgroup" and "memory" in options:
            own = mount / _own(cgroups, "memory", root)
            own = own if own.is_dir() else mount
            yield "v1", own, own
        elif kind == "cgroup2" and "memory" in _words(mount / "cgroup.controllers"):
            own = mount / _own(cgroups, "", root)
            for folder in (own, *own.parents):
                if folder.is_relative_to(mount) and "memory" in _words(folder / "cgroup.subtree_control"):
                    yield "v2", folder, own


def unescaped(text: str) -> str:
    """A field of mountinfo: blanks and backslashes are octal there."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)


def _own(cgroups: str, controller: str, root: str) -> str:
    """The path of our own group below the mount whose root is ``root``."""
    for line in cgroups.splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controller in controllers.split(","):
            return os.path.relpath(path, root) if path.startswith(root) else "."
    return "."


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _sweep(folder: Path) -> None:
    """Remove what a cowpath that was killed outright has left: groups of processes that are gone, with nobody in."""
    with suppress(OSError):
        for path in folder.glob(f"{PREFIX}*"):
            pid = path.name.removeprefix(PREFIX)
            if pid.isdigit() and not Path("/proc", pid).exists():
                with suppress(OSError):
                    path.rmdir()
