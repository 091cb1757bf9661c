"""From combinations of values to parcels, and what names a point: a hash of all that it is played from."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cowpath import api
from cowpath.errors import InputError
from cowpath.options import Options
from cowpath.session.fixed import with_values
from cowpath.session.load import tables_of
from cowpath.session.table import PACKAGED, Table
from cowpath.words import read_text

from .grid import Grid, Setting
from .point import Parcel, Task, Work

if TYPE_CHECKING:
    from cowpath.designs import Design
    from cowpath.session.plan import Plan

LATER = ("tasks", "until", "reuse", "costs", "seed")  # options that a compiled session does not depend on
KEPT = 2  # compiled sessions


class Packer:
    """Compiles a session with each combination of values, and packs what comes of it."""

    def __init__(
        self, session: str | os.PathLike[str], grid: Grid, designs: Sequence[Design], options: Options
    ) -> None:
        """Reads what is to be played; nothing is compiled yet. Raises InputError."""
        if os.fspath(session) in ("-", "/dev/stdin"):
            raise InputError("a sweep reads its session many times", file=session, hint="a file: SESSION.sh")
        self.session = Path(session)
        self.grid, self.options = grid, options
        self.designs = {each.name: each for each in designs}
        self.source = read_text(self.session)
        self.table, errors = tables_of(self.session, options.table, options.programs, None)
        errors.tell()
        self._base = base_digest(self.source, self.table, options)
        self._are_costs = ["costs" in each.names for each in grid.dimensions]
        self._plans: dict[str, Plan] = {}
        self._read: dict[Path, str] = dict(self.table.sources)
        self._design_digests = {each.name: _digest(_told(each)) for each in designs}

    def other(self, grid: Grid, options: Options) -> Packer:
        """The same session with another grid, and options that differ in what a compiled session does not depend on."""
        made = copy.copy(self)  # what is compiled is shared
        made.grid, made.options = grid, options
        made._are_costs = ["costs" in each.names for each in grid.dimensions]
        return made

    @property
    def name(self) -> str:
        """The session's file name."""
        return self.session.name

    @property
    def sweep_id(self) -> str:
        """Of all points of this session that vary the same names."""
        names = [each.name for each in self.grid.dimensions]
        return _digest([self._base, names, options_told(self.options)])[:16]

    def setting(self, values: Sequence[str]) -> Setting:
        """What a combination comes to. Raises InputError."""
        return self.grid.setting(values, self.options, self.source)

    def tasks(self, values: Sequence[str]) -> list[Task]:
        """The points of a combination, each with what names it."""
        own = _digest(
            [self.sweep_id, [_content(value) if self._are_costs[at] else value for at, value in enumerate(values)]]
        )
        return [
            Task(_digest([own, self._design_digests[design], seed])[:32], design, seed)
            for design in self.grid.designs
            for seed in self.grid.seeds
        ]

    def pack(self, values: Sequence[str]) -> Parcel:
        """A combination, ready to be played. Raises InputError for what is wrong with it."""
        return Parcel.of(self.work(self.setting(values)))

    def work(self, setting: Setting) -> Work:
        """What it takes to play a setting. Raises InputError."""
        plan = self.plan(setting)
        for design in self.designs.values():
            api.check_cgroups(plan, design)
        files = tuple((group, name, value) for (group, name), value in setting.fixed.files.items())
        costs = api.load_costs(plan, setting.options)
        return Work(plan, self.designs, replace(setting.options, table=None, costs=None), costs, files)

    def plan(self, setting: Setting) -> Plan:
        """The session, compiled: once for all values of the files. Raises InputError."""
        fixed = setting.fixed
        key = json.dumps([
            sorted(map(list, fixed.files)), sorted([*name, value] for name, value in fixed.arguments.items()),
            fixed.jobs, options_told(setting.options, LATER),
        ])  # fmt: skip
        if key not in self._plans:
            plan = api.load_plan(self.session, setting.options, api.in_all(list(self.designs.values())), fixed)
            self._check_unchanged(plan)
            self._plans[key] = plan
            while len(self._plans) > KEPT:
                self._plans.pop(next(iter(self._plans)))
            return plan
        return with_values(self._plans[key], fixed)

    def _check_unchanged(self, plan: Plan) -> None:
        for path, text, before in (
            (self.session, plan.source, self._read.setdefault(self.session, plan.source)),
            *((path, text, self._read.setdefault(path, text)) for path, text in plan.sources),
        ):
            if text != before:
                raise InputError("it has changed meanwhile: the points would not be of one session", file=path)


def base_digest(source: str, table: Table, options: Options) -> str:
    """A hash of what all points are played from: the session, its tables, its programs and recordings, its costs."""
    parts: list[Any] = [source, sorted(table.sources.values())]
    for name, entry in sorted(table.programs.items()):
        if entry.table != PACKAGED:
            parts.append([name, entry.kind, _content(entry.source)])
    parts += [_content(str(costs)) for costs in (options.costs, table.settings.costs) if costs is not None]
    return _digest(parts)


def _content(name: str) -> str:
    """A hash of a file; the name of what is packaged."""
    path = Path(name)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else name


def _told(design: Design) -> list[Any]:
    return [design.name, design.kernel.name, design.paths, design.on_error, design.policies]


def options_told(options: Options, without: Sequence[str] = ("seed",)) -> dict[str, Any]:
    """The options that are not the default, in a form that JSON has. The table's content is in the base."""
    given = {
        each.name: getattr(options, each.name)
        for each in fields(options)
        if each.name not in (*without, "table") and getattr(options, each.name) != each.default
    }
    return {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}


def _digest(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=list).encode()).hexdigest()
