"""The canonical copy of a state, written down from the layout in plain Python: slow, and not gone on from another.

Only the names that the walk gives are the explorer's own (``fold.give_names``).
"""

from __future__ import annotations

import re
from functools import cache
from types import CodeType
from typing import Any

import numpy as np

from cowpath.engine.fold import COUNT, KINDS_RENAMED, NUMBER
from cowpath.kernel import names as n
from cowpath.kernel.layout import Field, Record, Ref
from cowpath.kernel.records import THINGS
from cowpath.kernel.state import EXPLORE, state_record

STATE = state_record(EXPLORE)
WORD = re.compile(r"[A-Za-z_]+")


@cache
def _code(condition: str) -> CodeType:
    return compile(condition, "<condition>", "eval")


class Copy:
    """A copy that is being made. ``names``: what the walk has given to the things of ``state``."""

    def __init__(self, state: Any, names: Any, age_counts: bool = True) -> None:
        self.state, self.age_counts = state, age_counts
        self.copy = np.zeros((), STATE.narrow)
        self.things: dict[str, list[int]] = {
            kind: names[NUMBER + place, : names[COUNT, place]].tolist() for place, kind in enumerate(KINDS_RENAMED)
        }
        self._make()

    def _make(self) -> None:
        named = {THINGS[kind].array for kind in KINDS_RENAMED}
        rest = Record({name: field for name, field in STATE.fields.items() if name not in named})
        for name in rest.fields:
            self.copy[name] = self.state[name]
        self._rename(rest, self.copy)
        for name, t in enumerate(self.things["task"]):
            if self.state["tasks"][t]["run_state"] != n.T_FREE:
                self._copy("task", name, t)
                if not self.age_counts:
                    self.copy["tasks"][name]["born"] = 0
        done = {kind: 0 for kind in KINDS_RENAMED if kind != "task"}
        while any(done[kind] < len(self.things[kind]) for kind in done):
            for kind in done:
                while done[kind] < len(self.things[kind]):
                    self._copy(kind, done[kind], self.things[kind][done[kind]])
                    done[kind] += 1

    def _copy(self, kind: str, name: int, number: int) -> None:
        array = THINGS[kind].array
        self.copy[array][name] = self.state[array][number]
        self._rename(STATE.fields[array].of, self.copy[array][name])

    def _rename(self, kind: Any, row: Any) -> None:
        for name, field in kind.fields.items():
            if not field.many:
                if isinstance(field.of, Record):
                    self._rename(field.of, row[name])
                else:
                    row[name] = self._renamed(field, int(row[name]), row)
                continue
            for i in range(int(row[field.used]) if field.used else field.many):
                if isinstance(field.of, Record):
                    self._rename(field.of, row[name][i])
                else:
                    row[name][i] = self._renamed(field, int(row[name][i]), row)

    def _renamed(self, field: Field, value: int, row: Any) -> int:
        if field.folded:
            return 0
        for each in field.refs:
            if not each.when or self._holds(each.when, row):
                return self._name(each, value)
        last = field.refs[-1].otherwise if field.refs else None
        return value if last is None else last

    def _holds(self, condition: str, row: Any) -> bool:
        said = {word: int(row[word]) for word in WORD.findall(condition) if word in row.dtype.names}
        return bool(eval(_code(condition), vars(n), said))

    def _name(self, ref: Ref, value: int) -> int:
        if ref.kind != "pte" and not THINGS[ref.kind].renamed:
            return value
        number = ref.at - value if ref.down else value - ref.at
        if number < 0:
            return value
        if ref.kind == "pte":
            table, entry = divmod(number, EXPLORE.entries)
            name = self._name_of("table", table) * EXPLORE.entries + entry
        else:
            name = self._name_of(ref.kind, number)
        return ref.at - name if ref.down else ref.at + name

    def _name_of(self, kind: str, number: int) -> int:
        if number not in self.things[kind]:
            self.things[kind].append(number)
        return self.things[kind].index(number)
