"""The cgroup file system: where it is mounted, which file is meant, and what the shell prints of one."""

from __future__ import annotations

from typing import Any

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernels.memcg_files import MemcgFiles
from cowpath.session import cgroup1, cgroup2
from cowpath.session.cgroup1 import READABLE, TASK_FILES
from cowpath.session.groupfile import GroupFile
from cowpath.session.memcg_text import memory_stat
from cowpath.session.memcg_text2 import has_memory
from cowpath.session.plan import HostText, Plan
from cowpath.words import nearest

__all__ = [
    "ALL", "MOUNTS", "MOUNT_2", "READABLE", "TASK_FILES", "memory_stat", "note_of", "printed", "read_file",
    "read_value", "readable", "render", "version_of", "writable",
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
FORK = {  # bash's make_child
    n.HOST_FORK_RETRY: "fork: retry: Resource temporarily unavailable",
    n.HOST_FORK_FAILED: "fork: Resource temporarily unavailable",
    n.HOST_FORK_NOMEM: "fork: Cannot allocate memory",
}


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


# --- what is printed -------------------------------------------------------------------------------
def printed(k: Any, plan: Plan, number: int, keys: MemcgFiles | None = None) -> str:
    """What the machine asks to be printed (books.host): a text of the plan, or what a shell says that cannot fork.

    ``keys``: the kernel's files, if the machine has cgroup v2.
    """
    if number in FORK:
        return f"{plan.name}: {FORK[number]}\n"
    return render(k, plan.texts[number], int(k.state.tasks[int(k.books.host_task)].status), keys)


def render(k: Any, text: HostText, status: int, keys: MemcgFiles | None = None) -> str:
    """What the shell prints at an OP_HOST, with its last newline. ``status`` is the task's: an errno."""
    if text.kind == "echo":
        return text.text + "\n"
    if text.kind == "error":
        return f"{text.text}{reason(status)}\n"
    if status:
        return f"{text.kind}: {text.text}: {reason(status)}\n"
    files = all_files(k, text.group, keys) if text.files == (ALL,) else text.files
    if text.kind == "cat":
        return "".join(read_file(k, text.group, name, keys) for name in files)
    values = (f"{name}: " + read_file(k, text.group, name, keys).rstrip("\n").replace("\n", "\n\t") for name in files)
    return f"{text.text}:\n" + "".join(f"{value}\n" for value in values) + "\n"


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
