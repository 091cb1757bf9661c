"""The cost table: what each step costs in nanoseconds, the scheduler's constants, the disk."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from cowpath.errors import InputError
from cowpath.kernel.steps import STEPS
from cowpath.kernel.steps import costs as cost_numbers
from cowpath.kinds import check_kind
from cowpath.words import slip_of

DEFAULT = "slow-vm"
SCHED = {"latency": 6_000_000, "min_granularity": 750_000, "wakeup_granularity": 1_000_000, "jitter": 0}
DISK = {"latency": 100_000, "bandwidth": 500}
MAX_NS = 10**12


@dataclass(frozen=True)
class Costs:
    """``steps``: ns by name; ``sched``: ns, and the jitter in percent; ``disk``: latency in ns, bandwidth in MB/s."""

    name: str
    steps: dict[str, int]
    sched: dict[str, int]
    disk: dict[str, int]


def names() -> list[str]:
    """The packaged cost tables."""
    folder = resources.files("cowpath") / "data" / "costs"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load(name: str | None = None) -> Costs:
    """A packaged table by its name, or a user's file: what that leaves out is as in the packaged one that it
    ``extends``, or in the default. Raises InputError.
    """
    if name is None or name == DEFAULT:
        return _table(_packaged(DEFAULT), f"{DEFAULT}.toml", whole=True)
    if name in names():
        return _table(_packaged(name), f"{name}.toml")
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(f"cannot read the costs: {why}", file=name, hint="packaged: " + ", ".join(names())) from None
    check_kind(name, text, "a table of costs")
    return _table(text, name)


def _packaged(name: str) -> str:
    return (resources.files("cowpath") / "data" / "costs" / f"{name}.toml").read_text(encoding="utf-8")


def _table(text: str, source: str, whole: bool = False) -> Costs:
    """``whole``: it is no part of another one."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid TOML: {error}", file=source) from None
    for key in data:
        if key not in ("extends", "steps", "sched", "disk"):
            raise InputError(f"unknown table [{key}]", file=source, hint='[steps], [sched], [disk] or extends = "bare"')
    own = {info.name: info.cost_ns for info in STEPS}
    base = None if whole else _base(data.get("extends", DEFAULT), source)
    steps = dict.fromkeys(cost_numbers(), 0) | own if base is None else base.steps
    sched = SCHED if base is None else base.sched
    disk = DISK if base is None else base.disk
    return Costs(
        Path(source).stem,
        steps | _numbers(data, "steps", tuple(cost_numbers()), source),
        sched | _numbers(data, "sched", tuple(SCHED), source),
        disk | _numbers(data, "disk", tuple(DISK), source),
    )


def _base(extends: Any, source: str) -> Costs:
    if not isinstance(extends, str) or extends not in names():
        raise InputError(f"extends = {extends!r}", file=source, hint="packaged: " + ", ".join(names()))
    return load(extends)


def _numbers(data: dict[str, Any], table: str, known: tuple[str, ...], source: str) -> dict[str, int]:
    rows = data.get(table, {})
    if not isinstance(rows, dict):
        raise InputError(f"{table} must be a table", file=source, hint=f"[{table}]")
    for name, value in rows.items():
        if name not in known:
            slip = slip_of(name, known)
            hint = f"did you mean {slip!r}?" if slip else "known: " + ", ".join(known)
            raise InputError(f"[{table}]: unknown name {name!r}", file=source, hint=hint)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_NS:
            raise InputError(f"[{table}]: {name} = {value!r}", file=source, hint="a whole number, 0 or more")
    if rows.get("min_granularity") == 0 or rows.get("bandwidth") == 0:
        raise InputError(f"[{table}]: granularity and bandwidth cannot be 0", file=source)
    return rows
