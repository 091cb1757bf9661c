"""From a directory tree of groups (live, or copied) to the session that sets the same limits."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cowpath.errors import InputError
from cowpath.session.cgroupfs import MOUNT_2, MOUNTS
from cowpath.session.options import group_name
from cowpath.units import UNLIMITED_BYTES, memparse
from cowpath.words import Place, Word, read_text

MOST_GROUPS = 1000
UNLIMITED_FROM = UNLIMITED_BYTES - (1 << 16)  # what v1 shows for no limit is a page less, or two
MOUNT = {"v1": MOUNTS[0], "v2": MOUNT_2}
MARK = {"v1": "memory.limit_in_bytes", "v2": "memory.max"}  # the file that every group with limits has
LIMITS = {  # in the order in which they are written
    "v1": ("memory.use_hierarchy", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.swappiness",
           "memory.oom_control"),
    "v2": ("memory.min", "memory.low", "memory.high", "memory.max", "memory.swap.high", "memory.swap.max",
           "memory.oom.group"),
}  # fmt: skip
DEFAULTS = {"memory.min": "0", "memory.low": "0", "memory.oom.group": "0", "memory.use_hierarchy": "0",
            "memory.swappiness": "60"}  # fmt: skip
COUNTERS = {
    "v1": ("memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.failcnt"),
    "v2": ("memory.current", "memory.peak", "memory.swap.current", "memory.events", "memory.pressure"),
}  # fmt: skip
NOT_MODELLED = {  # files whose limits are not modelled, and what they say where there is none
    "memory.zswap.max": "max", "cpu.max": "max 100000", "pids.max": "max", "memory.soft_limit_in_bytes": "",
    "io.max": "", "memory.kmem.limit_in_bytes": "",
}  # fmt: skip
FLAGS = ("memory.oom.group", "memory.use_hierarchy", "memory.swappiness")


@dataclass(frozen=True)
class Group:
    """A group's directory, and its name below the mount."""

    directory: Path
    name: str

    def read(self, file: str) -> str | None:
        """A file's text; None if it is not there."""
        path = self.directory / file
        return read_text(path).strip() if path.is_file() else None


def session_of(directory: str | Path) -> str:
    """The session. Raises InputError if there is no group in the directory, or a file is not what the kernel writes."""
    top = Path(directory)
    if not top.is_dir():
        raise InputError("not a directory", file=top, hint="a group's: /sys/fs/cgroup/system.slice, or a copy of it")
    found = sorted(_groups(top), key=lambda group: group.name)
    versions = {version for version, mark in MARK.items() for group in found if (group.directory / mark).is_file()}
    if len(versions) != 1:
        problem = "groups of both versions of cgroups" if versions else "no group in it"
        raise InputError(problem, file=top, hint=f"a directory with {' or '.join(MARK.values())}")
    (version,) = versions
    lines = [f"# Groups as they were found in {_shown(str(directory))}: their limits, and what they had as comments."]
    made: set[str] = set()
    for group in found:
        lines += ["", *_lines(group, version, made)]
    return "\n".join(lines) + "\n"


def _groups(top: Path) -> Iterator[Group]:
    """The directories with a limit's file, each with its name: below a mount's own, or below ``top``."""
    real = str(top.resolve())
    mount = next((mount for mount in (*MOUNTS, MOUNT_2) if f"{real}/".startswith(f"{mount}/")), None)
    count = 0
    for directory, _, files in sorted(os.walk(top)):
        if not any(mark in files for mark in MARK.values()):
            continue
        count += 1
        if count > MOST_GROUPS:
            raise InputError(f"more than {MOST_GROUPS} groups", file=top, hint="a directory further down")
        path = Path(directory)
        name = str(path.resolve())[len(mount) :] if mount else str(path.relative_to(top))
        name = top.resolve().name if name == "." else name
        group_name(Word(name, Place(str(path))))
        yield Group(path, name.strip("/"))


def _lines(group: Group, version: str, made: set[str]) -> Iterator[str]:
    """A group's comments and commands."""
    yield f"# {_shown(group.name)}: {'; '.join(_counted(group, version)) or 'no counters'}"
    for file, nothing in NOT_MODELLED.items():
        text = group.read(file)
        if text and text != nothing and not _is_unlimited(text):
            yield f"# not modelled: {file} {_shown(text)}"
    path = f"{MOUNT[version]}/{group.name}"
    yield f"mkdir -p {shlex.quote(path)}"
    parts = group.name.split("/")
    for depth in range(1, len(parts)) if version == "v2" else ():
        above = "/".join(parts[:depth])
        if above not in made:
            made.add(above)
            yield f"echo +memory > {shlex.quote(f'{MOUNT_2}/{above}/cgroup.subtree_control')}"
    for file in LIMITS[version]:
        value = _limit(group, file)
        if value is not None:
            yield f"echo {value} > {shlex.quote(f'{path}/{file}')}"


def _counted(group: Group, version: str) -> Iterator[str]:
    """What the group's counters said."""
    for file in COUNTERS[version]:
        text = group.read(file)
        if text:
            yield f"{file} {_shown(', '.join(text.splitlines()))}"


def _limit(group: Group, file: str) -> str | None:
    """The value of a limit's file; None where it is not there, or no limit."""
    text = group.read(file)
    if file == "memory.oom_control" and text is not None:  # oom_kill_disable 1
        words = text.split()
        text = words[1] if words[:1] == ["oom_kill_disable"] and len(words) > 1 else text
        if text not in ("0", "1"):
            raise _wrong(group, file, text)
        return text if text == "1" else None
    if text is None or text == DEFAULTS.get(file) or _is_unlimited(text):
        return None
    if not text.isdecimal() or memparse(text) is None or (file in FLAGS and int(text) > 200):
        raise _wrong(group, file, text)
    return text


def _wrong(group: Group, file: str, text: str) -> InputError:
    return InputError(
        f"not what the kernel writes: {_shown(text)!r}", file=group.directory / file, line=1, hint="a number, or max"
    )


def _is_unlimited(text: str) -> bool:
    return text == "max" or (text.isdecimal() and len(text) < 21 and int(text) >= UNLIMITED_FROM)


def _shown(text: str) -> str:
    """A text in a comment: one line, of what can be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:500]
