"""What a file that stands for a session comes to: the values that are written, what runs, the errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cowpath.errors import InputError, InputErrors
from cowpath.kernel import names as n
from cowpath.session.explain import explain_limits
from cowpath.session.load import load_session
from cowpath.session.plan import MachineSettings, Plan

SAMPLES = Path(__file__).parent.parent.parent / "data" / "doors"
MIB = 1 << 20


def plan(file: Path, *programs: str, version: str = "v2", env: Mapping[str, str] = {}, memory: int = 4096) -> Plan:
    return load_session(
        file, programs=programs, interfaces=(version,), environment=env, bystanders=(), settle=0,
        settings=MachineSettings(memory=memory * MIB),
    )  # fmt: skip


def sets(found: Plan, group: str) -> dict[str, int]:
    """What is written to the files of the groups whose name ends so; limits in bytes."""
    ops = found.ops[found.ops["code"] == n.OP_CG_SET]
    numbers = ("memory.oom.group", "memory.oom_control", "memory.swappiness", "memory.use_hierarchy")
    return {
        (name := n.CG_FILES[op["b"]]): int(op["c"]) * (1 if name in numbers else n.PAGE_SIZE)
        for op in ops
        if found.groups[op["a"]].endswith(group) and n.CG_FILES[op["b"]] != "cgroup.subtree_control"
    }


def script(file: Path, *programs: str, version: str = "v2", env: Mapping[str, str] = {}) -> str:
    return explain_limits(file, programs=programs, interfaces=(version,), environment=env)


def commands(text: str) -> list[str]:
    """The lines of a script that are no comments, with continued ones joined."""
    joined = text.replace(" \\\n    ", " ")
    return [line.strip() for line in joined.splitlines() if line and not line.startswith("#")]


def errors(file: Path, programs: Sequence[str] = (), version: str = "v2", env: Mapping[str, str] = {}) -> list[str]:
    """The errors of a file, without its folder."""
    try:
        plan(file, *programs, version=version, env=env)
    except InputError as error:
        lines = error.lines if isinstance(error, InputErrors) else (str(error),)
        return [line.removeprefix(f"{file.parent}/") for line in lines]
    return []
