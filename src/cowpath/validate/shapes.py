"""What the values of a scenario's row may be: a kind for each key of its groups, tasks, files and results."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cowpath.words import Place, nearest

MOST = 1 << 62  # of all numbers: they are counted in 64 bits
SHOWN = 60  # letters of a value in a message


@dataclass(frozen=True)
class Kind:
    """What a value may be, and that in words."""

    says: str
    holds: Callable[[Any], bool]


def whole(least: int, most: int, otherwise: tuple[Any, ...] = (), says: str = "") -> Kind:
    """Whole numbers, and a few values that are none."""
    return Kind(
        says or f"a whole number from {least} to {most}",
        lambda value: (_is_whole(value) and least <= value <= most) or _among(value, otherwise),
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _among(value: Any, values: tuple[Any, ...]) -> bool:
    return any(type(value) is type(each) and value == each for each in values)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)  # true and false are 1 and 0


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _list_of(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(each is None or test(each) for each in value)


def _or_list(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """One for all runs, or one for each."""
    return lambda value: test(value) or _list_of(test)(value)


def _is_slow(value: Any) -> bool:
    first = value.get("first") if isinstance(value, dict) else None
    return (
        isinstance(first, list)
        and all(isinstance(each, list) and len(each) == 2 and all(map(_is_number, each)) for each in first)
        and _is_number(value.get("n")) and _is_number(value.get("sum_us"))
    )  # fmt: skip


def _is_counts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


def _or_per_run(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """One for all runs, or ``{"per_run": [...]}`` where they differ."""
    runs = _list_of(test)
    return lambda value: runs(value["per_run"]) if isinstance(value, dict) and "per_run" in value else test(value)


BYTES = whole(0, MOST, says=f"bytes, from 0 to {MOST}, or null for none")
LIMIT = whole(0, MOST, ("max",), f'bytes, from 0 to {MOST}, or null or "max" for none')
FLAG = whole(0, 1, (True, False), "0, 1, true or false")
TEXT = Kind("a text", _is_text)
GROUPS = {
    "v1": {"limit": BYTES, "memsw": BYTES, "oom_kill_disable": FLAG, "swappiness": whole(0, 200), "parent": TEXT},
    "v2": {"max": LIMIT, "high": LIMIT, "low": LIMIT, "min": LIMIT, "swap_max": LIMIT, "oom_group": FLAG,
           "parent": TEXT},
}  # fmt: skip
TASK = {
    "group": TEXT, "cpu": whole(0, 1), "oom_score_adj": whole(-1000, 1000), "thread_of": TEXT, "child_of": TEXT,
}  # fmt: skip
FILE = {
    "pages": whole(0, 1 << 31), "absent": FLAG, "fresh": FLAG,
    "state": Kind("cold, warm_outside or absent", lambda value: value in ("cold", "warm_outside", "absent")),
}  # fmt: skip

TABLE = Kind("an object", _is_table)
NUMBERS = Kind("a number, or a list with one for each run", _or_list(_is_number))
TEXTS = Kind("a text, or a list with one for each run", lambda value: _is_text(value) or _is_texts(value))
YES = Kind("true or false, or a list with one for each run", _or_list(lambda value: isinstance(value, bool)))
ENTRY = {  # of "result" and "settled", as far as it is compared
    "step": TEXT, "groups": TABLE, "minflt": NUMBERS, "majflt": NUMBERS, "progress": NUMBERS,
    "value": Kind("a number or a text, or a list with one for each run",
                  _or_list(lambda value: _is_number(value) or _is_text(value))),
    "rc": NUMBERS, "exit": NUMBERS, "reply": Kind(TEXTS.says, _or_list(_is_text)),
    "died": YES, "dead": YES, "blocked": YES, "state": TEXTS,
    "wchan": TEXTS, "stack": Kind('a list of functions, or {"per_run": [...]}', _or_per_run(_is_texts)),
    "slow": Kind('{"n": ..., "sum_us": ..., "first": [[index, us], ...]}, or {"per_run": [...]}',
                 _or_per_run(_is_slow)),
    "histogram": Kind('{"STATE WCHAN STACK": how often}, or {"per_run": [...]}', _or_per_run(_is_counts)),
    "alive": Kind("an object of true and false, or a list of tasks", lambda value: _is_table(value)
                  or _or_list(_list_of(_is_text))(value) or _list_of(_is_text)(value)),
    "text": TEXTS, "runs": whole(0, MOST), "locked": NUMBERS, "locked_most": NUMBERS, "copies": NUMBERS,
    "kills": YES, "gets_on": YES,
}  # fmt: skip
COUNTER = Kind("a number, or a list with one for each run or the least and the most", _or_list(_is_number))
FILES_OF_KEYS = ("stat", "stat_total", "events", "events.local", "swap.events")
KILLED = Kind(
    "a list of tasks, or a list of those for each run",
    lambda value: _is_texts(value) or (isinstance(value, list) and all(map(_is_texts, value))),
)


def check_fields(values: Mapping[str, Any], kinds: Mapping[str, Kind], whose: str, place: Place) -> None:
    """Known keys, each with a value of its kind or null. Raises InputError."""
    for key, value in values.items():
        if key not in kinds:
            raise place.error(f"{whose} has {key!r}, which is not known", nearest(key, kinds, ", ".join(sorted(kinds))))
        if value is not None:
            _check(value, kinds[key], f"{key} of {whose}", place)


def check_measured(row: Mapping[str, Any], place: Place) -> None:
    """What was measured is of the kinds that can be compared. Raises InputError."""
    _check(row.get("runs", 1), whole(0, MOST), "runs", place)
    if row.get("oom_killed") is not None:  # else nobody knows
        _check(row["oom_killed"], KILLED, "oom_killed", place)
    for part in ("result", "settled"):
        entries = row.get(part, [])
        if not isinstance(entries, list):
            raise place.error(f"{part!r} is no list", f'"{part}": [{{"step": ...}}, ...]')
        for number, entry in enumerate(entries):
            _check_entry(entry, f"{part}[{number}]", place)
    _check(row.get("events", {}), TABLE, "events", place)
    for group, events in row.get("events", {}).items():
        _check_counters(events, f"events of {group!r}", place)
    _check_order(row, place)


def _check_entry(entry: Any, whose: str, place: Place) -> None:
    if not isinstance(entry, dict) or "step" not in entry:
        raise place.error(f"{whose} is no object with a step", f'{{"step": ..., ...}}, not {shown(entry)}')
    for key, value in entry.items():
        if key in ENTRY:
            _check(value, ENTRY[key], f"{key} of {whose}", place)
    if "state" not in entry and ("wchan" in entry or "stack" in entry):
        raise place.error(f"{whose} has a stack, or what it waits in, and no state", '"state": "D"')
    for group, counters in entry.get("groups", {}).items():
        if counters != "removed":
            _check_counters(counters, f"group {group!r} of {whose}", place)


def _check_counters(counters: Any, whose: str, place: Place) -> None:
    """Numbers by their names; those of a file with many keys stand in an object of their own."""
    if not isinstance(counters, dict):
        raise place.error(f"{whose} is {shown(counters)}", "an object of counters")
    for key, value in counters.items():
        if key in FILES_OF_KEYS:
            _check_counters(value, f"{key} of {whose}", place)
        else:
            _check(value, COUNTER, f"{key} of {whose}", place)


def _check_order(row: Mapping[str, Any], place: Place) -> None:
    """An entry of ``result`` for the start, then one for each step; who writes less has measured less."""
    texts = [" ".join(step) for step in row["steps"]]
    for number, entry in enumerate(row["result"]):
        if number > len(texts):
            break
        step, given = ("start" if number == 0 else texts[number - 1]), " ".join(entry["step"].split())
        if given not in (step, step.removesuffix(" async")):
            raise place.error(
                f"result[{number}] is of {shown(given)}",
                f"an entry for the start, then one for each step: {shown(step)}",
            )


def _check(value: Any, kind: Kind, what: str, place: Place) -> None:
    if not kind.holds(value):
        raise place.error(f"{what}: {shown(value)}", kind.says)


def shown(value: Any) -> str:
    """A value in a message."""
    text = json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
