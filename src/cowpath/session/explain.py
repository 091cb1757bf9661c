"""The session that a pod, a compose file or a unit stands for, as a script that can be saved."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from cowpath.errors import Gathered, InputError
from cowpath.kernel import names as n
from cowpath.session.doors.door import is_door, session_of
from cowpath.session.limits import NUMBERS
from cowpath.session.load import NOTHING, around, known_of, tables_of
from cowpath.session.plan import MachineSettings
from cowpath.session.program.compile import compile_shell
from cowpath.session.program.writer import Shell
from cowpath.session.scope import for_people
from cowpath.session.syntax import read_script
from cowpath.session.uses import VERSIONS
from cowpath.words import read_text


def explain_limits(
    path: str | Path,
    *,
    table: str | Path | None = None,
    settings: MachineSettings | None = None,
    environment: Mapping[str, str] = NOTHING,
    programs: Sequence[str] = (),
    interfaces: Collection[str] = VERSIONS,
    memory_qos: bool = True,
) -> str:
    """The script. Raises InputError for all that is wrong in the file, but for programs that nobody knows.

    ``memory_qos``: with the kubelet's feature gate MemoryQoS (cgroup v2). The others are as of ``load_session``.
    """
    path = Path(path)
    text = read_text(path)
    if not is_door(path, text):
        raise InputError(
            "it stands for no other session", file=path, hint="a pod, a compose file, or a unit (.service)"
        )
    tables, errors = tables_of(path, table, programs, settings)
    errors.tell()
    shown = "stdin" if str(path) == "-" else str(path)
    written = session_of(path, text, shown, around(tables, environment, interfaces, memory_qos))
    script = written.text()
    found = Gathered(for_people)
    known = known_of(script, path.name, tables, (), environment, interfaces)
    shell = compile_shell(read_script(script, shown, found), 0, found, known, script)
    try:
        found.tell()
    except InputError as error:
        raise written.at_its_place(error, shown) from None
    return script if "\ncgset " in script else script + "".join(f"# {line}\n" for line in _comes_to(shell))


def _comes_to(shell: Shell) -> Iterator[str]:
    """What the commands write to which group's files, a line for each group: sizes in bytes."""
    found: dict[int, list[str]] = {}
    ops = shell.unit.code.ops
    for op in ops[ops["code"] == n.OP_CG_SET]:
        name, value = n.CG_FILES[op["b"]], int(op["c"])
        if name not in (*NUMBERS, "memory.oom_control", "memory.swappiness", "cgroup.subtree_control"):
            shown = "max" if value >= n.UNLIMITED else str(value * n.PAGE_SIZE)
            found.setdefault(int(op["a"]), []).append(f"{name} {shown}")
        elif name != "cgroup.subtree_control":
            found.setdefault(int(op["a"]), []).append(f"{name} {value}")
    for group, settings in found.items():
        yield f"comes to {shell.groups[group]}: {', '.join(settings)}"
