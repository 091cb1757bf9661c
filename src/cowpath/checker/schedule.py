"""A counterexample as a file: all that it takes to play it again, and what was said of it.

It holds the design and the case whole, so that it means the same wherever it is played. JSON; docs/json.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cowpath import __version__, designs
from cowpath.atomic import replacing
from cowpath.cases import Case, read
from cowpath.designs import Design
from cowpath.errors import InputError
from cowpath.words import read_text

from .result import Result

FORMAT = 1
TEXTS = ("cowpath", "property", "reason")
LISTS = ("schedule", "cycle", "chain")
KEYS = ("schedule_format", *TEXTS, "design", "case", *LISTS)


@dataclass(frozen=True)
class Schedule:
    """A schedule with the design and the case that it belongs to."""

    source: str
    design: Design
    case: Case
    property: str  # that it violates; empty: a walk that somebody has gone
    reason: str
    moves: list[str]
    cycle: list[str]
    chain: list[str]

    def title(self, played_on: str) -> str:
        """``isolation of commit on linux-3.0``."""
        return f"{self.property or 'a walk'} of {self.case.name} on {played_on}"


def save(target: Path, result: Result, design: Design, case: Case) -> None:
    """Write a violation's schedule, whole or not at all."""
    write(target, content(
        design, case, result.schedule, property=result.property, reason=result.reason, cycle=result.cycle,
        chain=result.chain,
    ))  # fmt: skip


def content(
    design: Design, case: Case, moves: Sequence[str] = (), *, property: str = "", reason: str = "",
    cycle: Sequence[str] = (), chain: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """What a saved schedule holds. A walk that violates nothing has no property, and no reason."""
    return {
        "schedule_format": FORMAT,
        "cowpath": __version__,
        "property": property,
        "reason": reason,
        "design": designs.to_data(design),
        "case": {"name": case.name, "text": case.text},
        "schedule": list(moves),
        "cycle": list(cycle),
        "chain": list(chain),
    }


def write(target: Path, content: dict[str, Any]) -> None:
    """Write it, whole or not at all."""
    with replacing(target) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def load(file: Path) -> Schedule:
    """Read a saved schedule. Raises InputError for what is none, is damaged, or comes from another version."""
    try:
        content = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise InputError(
            f"not a schedule: {error.msg}", file=file, line=error.lineno, column=error.colno,
            hint="a file that cowpath check --save has written",
        ) from None  # fmt: skip
    except RecursionError:
        raise InputError("not a schedule: nested too deeply", file=file) from None
    _check(content, file)
    name = content["case"]["name"]
    case = replace(read(content["case"]["text"], f"{file}: case {name}"), name=name)
    design = designs.from_data(content["design"], f"{file}: design")
    return Schedule(str(file), design, case, content["property"], content["reason"], content["schedule"],
                    content["cycle"], content["chain"])  # fmt: skip


def _check(content: Any, file: Path) -> None:
    if not isinstance(content, dict) or "schedule_format" not in content:
        raise InputError("not a schedule", file=file, hint="a file that cowpath check --save has written")
    if content["schedule_format"] != FORMAT:
        hint = f"this is cowpath {__version__}, which reads format {FORMAT}: check again, and save it anew"
        raise InputError(f"a schedule of another version: format {content['schedule_format']!r}", file=file, hint=hint)
    for key in content:
        if key not in KEYS:
            raise InputError(f"unknown key {key!r}", file=file, hint="known: " + ", ".join(KEYS))
    for key in KEYS:
        if key not in content:
            raise InputError(f"damaged: {key!r} is missing", file=file)
    for key in TEXTS:
        if not isinstance(content[key], str):
            raise InputError(f"damaged: {key!r} must be a text", file=file)
    for key in LISTS:
        if not isinstance(content[key], list) or not all(isinstance(each, str) for each in content[key]):
            raise InputError(f"damaged: {key!r} must be a list of texts", file=file)
    case = content["case"]
    if not isinstance(case, dict) or not all(isinstance(case.get(key), str) for key in ("name", "text")):
        raise InputError("damaged: 'case' must have a name and a text", file=file)
    if not isinstance(content["design"], dict):
        raise InputError("damaged: 'design' must be a table", file=file)
