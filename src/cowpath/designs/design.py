"""Reading a design: a set of paths (lists of steps) and policies, from the package or from a user's file."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from cowpath.errors import InputError
from cowpath.kernel.policies import BY_NAME, POLICIES
from cowpath.kernel.steps import MAY_BE_EMPTY, PATH_NAMES
from cowpath.kinds import check_kind
from cowpath.words import slip_of

from .check import ERROR_EXIT_STEPS, check_error_exit, check_path

KEYS = ("name", "extends", "summary", "commit", "policies", "paths", "on_error")
_RELEASE = re.compile(r"(?:linux[- ]?)?v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,3})", re.IGNORECASE)
MAX_CHAIN = 8  # designs that extend one another


@dataclass(frozen=True)
class Design:
    """A complete design: every path has its steps."""

    name: str
    summary: str
    commit: str
    extends: str | None
    source: str
    paths: dict[str, tuple[str, ...]]
    on_error: dict[str, tuple[str, ...]]
    policies: dict[str, Any]


def _folder() -> Any:
    return resources.files("cowpath") / "designs"


def names() -> list[str]:
    """The packaged designs: 3.0 first, then what cures it, in the order of the commit's own list."""
    first = ["linux-3.0", "preallocate", "charge-after-map", "charge-after-unlock", "unlock-charge-relock",
             "linux-3.0-oom-flag", "linux-3.1"]  # fmt: skip
    found = sorted(entry.name[:-5] for entry in _folder().iterdir() if entry.name.endswith(".toml"))
    return first + [name for name in found if name not in first]


def load(name: str | Path) -> Design:
    """A packaged design by its name, or a user's by its path (``*.toml``). Raises InputError."""
    return _load(str(name), Path.cwd(), 0)


def _load(name: str, beside: Path, depth: int) -> Design:
    text, source, folder = _read(name, beside)
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid TOML: {error}", file=source) from None
    return from_data(data, source, folder, depth)


def from_data(data: dict[str, Any], source: str, folder: Path | None = None, depth: int = 0) -> Design:
    """A design from what its file holds; ``folder``: where what it extends is looked for. Raises InputError."""
    _check_keys(data, source)
    extends = data.get("extends")
    if depth >= MAX_CHAIN:
        raise InputError(f"more than {MAX_CHAIN} designs extend one another", file=source)
    if extends is None:
        nothing: dict[str, tuple[str, ...]] = dict.fromkeys(MAY_BE_EMPTY, ())
        base = Design("", "", "", None, "", nothing, {}, {policy.name: policy.default for policy in POLICIES})
    else:
        base = _load(str(extends), folder or Path.cwd(), depth + 1)
    policies = base.policies | _policies(data.get("policies", {}), source)
    paths = base.paths | _paths(data.get("paths", {}), source)
    on_error = base.on_error | _error_exits(data.get("on_error", {}), source)
    for missing in [path for path in PATH_NAMES if path not in paths]:
        raise InputError(f"path {missing!r} has no steps", file=source, hint='extends = "linux-3.0" brings them all')
    default = Path(source).stem
    return Design(str(data.get("name", default)), str(data.get("summary", "")), str(data.get("commit", "")), extends,
                  source, paths, on_error, policies)  # fmt: skip


def _read(name: str, beside: Path) -> tuple[str, str, Path]:
    if name in names():
        entry = _folder() / f"{name}.toml"
        return entry.read_text(encoding="utf-8"), f"{name}.toml", beside
    path = beside / name
    if name.endswith(".toml") or path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise InputError(f"cannot read the design: {why}", file=name) from None
        check_kind(name, text, "a design")
        return text, str(name), path.parent
    raise InputError(f"no design {name!r}", hint=_release_or(name) + "; a file of your own ends in .toml")


def _release_or(name: str) -> str:
    """What to say of a design that is not there. A release is that one or none: no other is as good."""
    several = [part.strip() for part in re.split("[,; ]", name) if part.strip()]
    if len(several) > 1 and all(part in names() for part in several):
        return "one --design for each: " + " ".join(f"-d {part}" for part in several)
    wanted = _RELEASE.fullmatch(name)
    if wanted is None:
        return _near(name, names())
    releases = {_numbers(match[1]): match[0] for known in names() if (match := _RELEASE.fullmatch(known))}
    if found := releases.get(_numbers(wanted[1])):
        return f"did you mean {found!r}?"
    return "of Linux these releases are modelled: " + ", ".join(found for _, found in sorted(releases.items()))


def _numbers(release: str) -> tuple[int, ...]:
    """The numbers of a release: 3.00 is 3.0."""
    return tuple(map(int, release.split(".")))


def _near(word: str, known: list[str] | tuple[str, ...]) -> str:
    slip = slip_of(word, known)
    return f"did you mean {slip!r}?" if slip else "known: " + ", ".join(known)


def _check_keys(data: dict[str, Any], source: str) -> None:
    for key in data:
        if key not in KEYS:
            raise InputError(f"unknown key {key!r}", file=source, hint=_near(key, KEYS))
    for key in ("name", "extends", "summary", "commit"):
        if not isinstance(data.get(key, ""), str):
            raise InputError(f"{key} must be a text", file=source, hint=f'{key} = "..."')
    for key in ("policies", "paths", "on_error"):
        if not isinstance(data.get(key, {}), dict):
            raise InputError(f"{key} must be a table", file=source, hint=f"[{key}]")


def _policies(table: dict[str, Any], source: str) -> dict[str, Any]:
    for name, value in table.items():
        if name not in BY_NAME:
            raise InputError(f"unknown policy {name!r}", file=source, hint=_near(name, tuple(BY_NAME)))
        values = BY_NAME[name].values
        if value not in values or isinstance(value, bool) != isinstance(values[0], bool):
            choices = ", ".join(repr(choice) for choice in values)
            raise InputError(f"policy {name}: {value!r} is not one of {choices}", file=source)
    return table


def _lists(table: dict[str, Any], source: str, what: str) -> dict[str, tuple[str, ...]]:
    for path, steps in table.items():
        if path not in PATH_NAMES:
            raise InputError(f"unknown path {path!r}", file=source, hint=_near(path, PATH_NAMES))
        if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
            raise InputError(f"{what} {path!r} must be a list of step names", file=source)
    return {path: tuple(steps) for path, steps in table.items()}


def _paths(table: dict[str, Any], source: str) -> dict[str, tuple[str, ...]]:
    paths = _lists(table, source, "path")
    for path, steps in paths.items():
        check_path(path, steps, source)
    return paths


def _error_exits(table: dict[str, Any], source: str) -> dict[str, tuple[str, ...]]:
    exits = _lists(table, source, "the error exit of")
    for path, steps in exits.items():
        check_error_exit(path, steps, source)
    return exits


def has_memory_high(design: Design) -> bool:
    """Whether anything on any path is done for who is over memory.high."""
    return any({"reclaim_high", "high_delay"} & set(steps) for steps in design.paths.values())


def to_data(design: Design) -> dict[str, Any]:
    """What a file of the design would hold that extends nothing: ``from_data`` reads it back."""
    return {
        "name": design.name, "summary": design.summary, "commit": design.commit, "policies": dict(design.policies),
        "paths": {path: list(steps) for path, steps in design.paths.items()},
        "on_error": {path: list(steps) for path, steps in design.on_error.items()},
    }  # fmt: skip


def diff(first: Design, second: Design) -> list[str]:
    """What is different in the second design, line by line: paths with the moved steps marked, policies."""
    lines = []
    for path in PATH_NAMES:
        old, new = first.paths[path], second.paths[path]
        if old == new:
            continue
        kept = {
            index
            for match in difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
            for index in range(match.b, match.b + match.size)
        }
        lines.append(f"{path}:")
        lines.append("  - " + " ".join(old))
        lines.append("  + " + " ".join(s if i in kept else f"[{s}]" for i, s in enumerate(new)))
    for path in PATH_NAMES:
        if first.on_error.get(path) != second.on_error.get(path):
            lines.append(f"error exit of {path}: {first.on_error.get(path)} -> {second.on_error.get(path)}")
    for name in BY_NAME:
        if first.policies[name] != second.policies[name]:
            lines.append(f"policy {name}: {first.policies[name]} -> {second.policies[name]}")
    return lines


__all__ = ["ERROR_EXIT_STEPS", "Design", "diff", "from_data", "has_memory_high", "load", "names", "to_data"]
