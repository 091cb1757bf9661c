"""Every field that numbers something numbers what there is. Made from the layout, so that no field is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cowpath.kernel.generated import compile_source
from cowpath.kernel.layout import Record
from cowpath.kernel.state import EXPLORE, state_record

from .invariants_pages import OK
from .renaming import checks, field_lines

FIELDS: list[str] = []  # what is wrong, by what the rule answers
STATE = state_record(EXPLORE).fields  # the arrays' lengths are asked for where they are used


def _check_of(name: str, kind: Record, before: str = "") -> Callable[..., Any]:
    def lines(place: str, field: Any) -> Any:
        known = len(FIELDS)
        yield from checks(place, field, FIELDS)
        FIELDS[known:] = [before + each for each in FIELDS[known:]]

    body = field_lines(kind, "r", lines)
    return compile_source(f"check_{name}", [f"def check_{name}(k, r):", *body, f"    return {OK}"], {}, __name__)


def _whole_state() -> Callable[..., Any]:
    """A function for each array of the state, and one that calls them and looks at all else."""
    arrays = {name: field for name, field in STATE.items() if field.many and isinstance(field.of, Record)}
    rest = Record({name: field for name, field in STATE.items() if name not in arrays})
    known = {f"check_{name}": _check_of(name, field.of, f"{name}[].") for name, field in arrays.items()}  # type: ignore[arg-type]
    known["check_rest"] = _check_of("rest", rest)
    lines = ["def every_index_is_in_range(k):", "    at = check_rest(k, k.state)", f"    if at != {OK}: return at"]
    for name, field in arrays.items():
        used = f"k.state.{field.used}" if field.used else f"len(k.state.{name})"
        lines += [f"    for i in range({used}):", f"        at = check_{name}(k, k.state.{name}[i])"]
        lines += [f"        if at != {OK}: return at"]
    return compile_source("every_index_is_in_range", [*lines, f"    return {OK}"], known, __name__)


every_index_is_in_range = _whole_state()
"""OK, or the place in ``FIELDS`` of a field that holds no number of a thing that there is."""
