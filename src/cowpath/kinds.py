"""What a file is, from what it holds, for the message where another kind of file is wanted."""

from __future__ import annotations

import os
import re
import tomllib
from typing import Any

from cowpath.errors import InputError

USES = {
    "a case": "cowpath check --case {file}",
    "a design": "cowpath run SESSION --design {file}",
    "a session's table": "it belongs beside a session of its name, or to --table {file}",
    "a table of costs": "cowpath run SESSION --costs {file}",
    "a session": "cowpath run {file}",
    "a written program": "a session's table names it: [programs.NAME] written = ...",
    "a schedule": "cowpath replay {file}",
    "a recording": "a session's table names it: [programs.NAME] recording = ...",
    "a pod or a compose file": "cowpath run {file}",
    "a unit": "cowpath run {file}",
}
DOORS = ("a pod or a compose file", "a unit")  # what stands for a session (session/doors/)
ENDINGS = {
    ".sh": "a session", ".prog": "a written program", ".json": "a schedule", ".recording": "a recording",
    ".yaml": DOORS[0], ".yml": DOORS[0], ".service": DOORS[1], ".slice": DOORS[1],
}  # fmt: skip
# keys that only files of one kind have
OWN_KEYS = {
    "a case": {"tasks", "setup", "outside"},
    "a design": {"extends", "policies", "paths", "on_error", "commit"},
    "a session's table": {"include", "programs", "bystanders"},
    "a table of costs": {"steps", "sched", "disk"},
}
TABLES_MACHINE = {"until", "settle", "reuse", "copies", "cold", "costs", "swappiness"}  # [machine] of a session's table


ARGUMENTS = re.compile(r"\$\{?[1-9@*#]|\bshift\b|\bfor\s+\w+\s*(;|\n|do\b)")  # in a session that reads its arguments


def kind_of_toml(data: dict[str, Any]) -> str | None:
    """What a TOML file is, if its keys are of one kind only."""
    found = [kind for kind, keys in OWN_KEYS.items() if keys & data.keys()]
    machine = data.get("machine")
    if not found and isinstance(machine, dict) and TABLES_MACHINE & machine.keys():
        found = ["a session's table"]
    return found[0] if len(found) == 1 else None


def kind_of(file: str | os.PathLike[str], text: str) -> str | None:
    """What a file is, by what it holds or by its ending."""
    name = os.fspath(file)
    ending = os.path.splitext(name)[1]  # noqa: PTH122 - of a name that need not be a path
    if ending != ".toml":
        return ENDINGS.get(ending)
    try:
        return kind_of_toml(tomllib.loads(text)) or "a TOML file"
    except (ValueError, RecursionError):
        return "a TOML file"


def check_kind(file: str | os.PathLike[str], text: str, wanted: str) -> None:
    """Raise InputError if a file is of another kind than the one that is wanted here; what is of no kind may pass."""
    kind = kind_of(file, text)
    if kind is not None and kind != wanted and not (kind == "a TOML file" and wanted != "a session"):
        use = USES[kind].format(file=os.fspath(file)) if kind in USES else "a shell script: NAME.sh"
        raise InputError(f"{kind}, where {wanted} belongs", file=file, hint=use)
