"""What the files of kernels and designs have in common: their tables of policies, paths and error exits."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from cowpath.errors import InputError
from cowpath.kernel.policies import BY_NAME
from cowpath.kernel.steps import PATH_NAMES
from cowpath.words import slip_of

from .check import check_error_exit, check_path

TABLES = ("policies", "paths", "on_error")
Lists = dict[str, tuple[str, ...]]  # steps by path


def parse(text: str, source: str) -> dict[str, Any]:
    """What a TOML file holds. Raises InputError."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid TOML: {error}", file=source) from None


def near(word: str, known: Sequence[str]) -> str:
    """What was meant, or what there is."""
    slip = slip_of(word, known)
    return f"did you mean {slip!r}?" if slip else "known: " + ", ".join(known)


def check_keys(data: dict[str, Any], known: Sequence[str], texts: Sequence[str], source: str) -> None:
    """Raise InputError for a key that is none of them, and for one of the wrong kind."""
    for key in data:
        if key not in known:
            raise InputError(f"unknown key {key!r}", file=source, hint=near(key, known))
    for key in texts:
        if not isinstance(data.get(key, ""), str):
            raise InputError(f"{key} must be a text", file=source, hint=f'{key} = "..."')
    for key in TABLES:
        if not isinstance(data.get(key, {}), dict):
            raise InputError(f"{key} must be a table", file=source, hint=f"[{key}]")


def policies(data: dict[str, Any], source: str) -> dict[str, Any]:
    """Its policies. Raises InputError for one that there is not, and for a value that it has not."""
    table: dict[str, Any] = data.get("policies", {})
    for name, value in table.items():
        if name not in BY_NAME:
            raise InputError(f"unknown policy {name!r}", file=source, hint=near(name, tuple(BY_NAME)))
        values = BY_NAME[name].values
        if not any(value == choice and type(value) is type(choice) for choice in values):  # 0 is not false
            choices = ", ".join(repr(choice) for choice in values)
            raise InputError(f"policy {name}: {value!r} is not one of {choices}", file=source)
    return table


def paths(data: dict[str, Any], source: str) -> Lists:
    """Its paths, each checked. Raises InputError."""
    found = _lists(data.get("paths", {}), source, "path")
    for path, steps in found.items():
        check_path(path, steps, source)
    return found


def error_exits(data: dict[str, Any], source: str) -> Lists:
    """Its error exits, each checked. Raises InputError."""
    found = _lists(data.get("on_error", {}), source, "the error exit of")
    for path, steps in found.items():
        check_error_exit(path, steps, source)
    return found


def _lists(table: dict[str, Any], source: str, what: str) -> Lists:
    for path, steps in table.items():
        if path not in PATH_NAMES:
            raise InputError(f"unknown path {path!r}", file=source, hint=near(path, PATH_NAMES))
        if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
            raise InputError(f"{what} {path!r} must be a list of step names", file=source)
    return {path: tuple(steps) for path, steps in table.items()}
