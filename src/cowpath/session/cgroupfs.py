"""The cgroup file system: where it is mounted, which file is meant, and what the shell prints of one."""

from __future__ import annotations

import re
from typing import Any

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernels.memcg_files import MemcgFiles
from cowpath.session import cgroup1, cgroup2
from cowpath.session.cgroup1 import READABLE, TASK_FILES
from cowpath.session.groupfile import GroupFile
from cowpath.session.memcg_text import memory_stat
from cowpath.session.memcg_text2 import has_memory
from cowpath.units import memparse
from cowpath.words import nearest

__all__ = [
    "ALL", "MOUNTS", "MOUNT_2", "READABLE", "TASK_FILES", "memory_stat", "note_of", "read_file", "read_value",
    "readable", "refused", "version_of", "writable",
]  # fmt: skip

MOUNTS = ("/sys/fs/cgroup/memory", "/cgroup/memory", "/dev/cgroup/memory")  # of v1
MOUNT_2 = "/sys/fs/cgroup"
ALL = "*"  # all files that can be read (cgget)
TABLES = {"v1": cgroup1.FILES, "v2": cgroup2.FILES}

ERRORS = {  # by errno, in glibc's words
    2: "No such file or directory", 3: "No such process", 4: "Interrupted system call", 5: "Input/output error",
    11: "Resource temporarily unavailable", 12: "Cannot allocate memory", 13: "Permission denied", 14: "Bad address",
    16: "Device or resource busy", 17: "File exists", 22: "Invalid argument", 23: "Too many open files in system",
}  # fmt: skip


# --- which file is meant ---------------------------------------------------------------------------
def writable(name: str, version: str | None = None) -> int:
    """The CG_* of a file that can be written, in this version of cgroups or in any. Raises InputError, placeless."""
    file = _file(name, version, writing=True)
    if file.write is None:
        raise InputError(f"{name} cannot be written", hint=file.how)
    return n.CG_FILES.index(name)


def readable(name: str, version: str | None = None) -> str:
    """The name of a file that can be read. Raises InputError, without a place."""
    file = _file(name, version, writing=False)
    if file.read is None:
        raise InputError(f"{name} cannot be read", hint=file.how)
    return name


def version_of(name: str) -> str | None:
    """The only version of cgroups that has a file of this name; None: both have one."""
    found = [version for version, files in TABLES.items() if name in files]
    return found[0] if len(found) == 1 else None


def _file(name: str, version: str | None, writing: bool) -> GroupFile:
    """A file by its name."""
    tables = [TABLES[each] for each in (TABLES if version is None else [version])]
    for table in tables:
        if name in table:
            return table[name]
    for other in (cgroup1, cgroup2):
        if name in other.NOT_MODELLED and version in (None, "v1" if other is cgroup1 else "v2"):
            raise InputError(f"{name} is not modelled", hint=other.NOT_MODELLED[name])
    able = [name for table in tables for name, file in table.items() if (file.write if writing else file.read)]
    hint = nearest(name, able) or "cgget A shows all that there are"
    if version == "v1" and name in cgroup1.SAME_IN_V1:
        hint = f"cgroup v1 calls it {cgroup1.SAME_IN_V1[name]}"
    elif version == "v1" and name in cgroup1.ONLY_IN_V2:
        hint = f"of cgroup v2: {cgroup1.ONLY_IN_V2[name]}; v1 has no such file"
    elif version == "v2" and name in cgroup2.SAME_IN_V2:
        hint = f"cgroup v2 calls it {cgroup2.SAME_IN_V2[name]}"
    elif version == "v2" and name in (only := {**cgroup1.NOT_MODELLED, **cgroup2.ONLY_IN_V1}):
        hint = f"of cgroup v1: {only[name]}; v2 has no such file"
    elif name.partition(".")[0] in cgroup1.OTHER_CONTROLLERS:
        hint = "only the memory controller is modelled"
    raise InputError(f"no such file: {name!r}", hint=hint)


def read_value(number: int, value: str) -> tuple[int, int]:
    """What OP_CG_SET writes to a file, by its CG_*: a value, and for some another. Raises InputError, placeless."""
    name = n.CG_FILES[number]
    file = _file(name, None, writing=True)
    assert file.write is not None, f"{name} cannot be written"
    try:
        found = file.write(value)
    except InputError as error:
        raise InputError(error.problem.replace("a value of it", f"a value of {name}"), hint=error.hint) from None
    return found if isinstance(found, tuple) else (found, 0)


def refused(number: int, value: str) -> str | None:
    """Why the kernel answers EINVAL to a size that is written to a limit, as people write sizes elsewhere.

    ``memparse`` reads a whole number, decimal, 0x or 0, and one letter; the files take nothing behind it.
    """
    if number not in n.CG_LIMITS or not value[:1].isdigit() or memparse(value) is not None:
        return None
    match = re.match(r"([0-9]+)(?:\.[0-9]+)?([KMGTkmgt]?)", value)
    assert match is not None
    hint = f"{match[1]}{match[2]}" if "." not in match[0] else f"{_smaller(match[0])}"
    return f"the kernel reads a whole number and one of K, M, G: {hint}"


def _smaller(text: str) -> str:
    """1.5G as 1536M."""
    letters, number = "KMGT", float(re.match("[0-9.]+", text)[0])  # type: ignore[index]
    letter = text[-1].upper() if text[-1].isalpha() else ""
    if letter in ("", "K"):
        return str(int(number * (1024 if letter else 1)))
    return f"{int(number * 1024)}{letters[letters.index(letter) - 1]}"


def note_of(number: int, value: str) -> str | None:
    """What to say of a value that the kernel takes, and that was hardly meant."""
    name = n.CG_FILES[number]
    if number in n.CG_LIMITS and value.isdecimal() and 0 < int(value) < n.PAGE_SIZE:
        return f"{name}: {int(value)} bytes: less than a page; {int(value)}M?"
    if number == n.CG_SUBTREE and (others := [word for word in value.split() if word[1:] != "memory"]):
        return f"{name}: {' '.join(others)}: only the memory controller is modelled"
    return None


def not_on_root(name: str) -> bool:
    """The root group of cgroup v2 has no such file."""
    return name in cgroup2.FILES and not cgroup2.FILES[name].on_root


def is_the_controllers(name: str) -> bool:
    """The file is there only with the memory controller. PSI is kept without."""
    return name.startswith("memory.") and name != "memory.pressure"


# --- what is read ---------------------------------------------------------------------------------
def all_files(k: Any, group: int, keys: MemcgFiles | None) -> tuple[str, ...]:
    """The files of a group that cgget shows."""
    if keys is None:
        return READABLE
    return tuple(
        name for name in keys.files
        if name.startswith("memory.") and name in cgroup2.FILES and cgroup2.FILES[name].read is not None
        and has_memory(k, group) and (group > 0 or cgroup2.FILES[name].on_root)
    )  # fmt: skip


def reason(status: int) -> str:
    """An errno in words."""
    return ERRORS.get(status, f"error {status}")


def read_file(k: Any, group: int, name: str, keys: MemcgFiles | None = None) -> str:
    """A file's text, with its last newline."""
    read = TABLES["v1" if keys is None else "v2"][name].read
    assert read is not None, f"{name} cannot be read"
    return read(k, group) if keys is None else read(k, group, keys)
