"""A job whose limit is looked for: which files of its group are the limit, and how it is played at one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cowpath import api
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernels.chosen import interface_of
from cowpath.options import Options
from cowpath.session.fixed import Fixed

from .executors import Players
from .grid import Dimension, Grid
from .limit import Play, Result
from .packing import Packer
from .point import PLAYED
from .run import Runner
from .store import Store

if TYPE_CHECKING:
    from cowpath.designs import Design

NONE = {"v1": "-1", "v2": "max"}  # no limit, in each version of cgroups


@dataclass(frozen=True)
class Job:
    """A session, and the files that are its group's limit."""

    packer: Packer
    group: str
    version: str
    memsw: bool

    @staticmethod
    def of(session: str | os.PathLike[str], group: str, design: Design, options: Options) -> Job:
        """The limit of memory and swap goes with that of memory where the session sets it. Raises InputError."""
        packer = Packer(session, Grid((), (design.name,), (0,)), [design], options)
        plan = api.load_plan(session, options, design.kernel.interface)
        Fixed({(group, "memory.max"): ""}).check_groups(plan.groups)
        ops = plan.ops[plan.ops["code"] == n.OP_CG_SET]
        memsw = bool(((ops["a"] == plan.groups.index(group)) & (ops["b"] == n.CG_MEMSW_LIMIT)).any())
        return Job(packer, group, interface_of(design.kernel, plan.interfaces), memsw)

    @property
    def names(self) -> tuple[str, ...]:
        """What is varied."""
        if self.version == "v2":
            return (f"{self.group}:memory.max",)
        files = ["memory.limit_in_bytes", *(["memory.memsw.limit_in_bytes"] if self.memsw else [])]
        return tuple(f"{self.group}:{file}" for file in files)

    def play_on(self, store: Store, players: Players) -> Play:
        """How it is played at a limit: what the store has is not played again."""
        design = self.packer.grid.designs

        def play(limit: int | None, seeds: int, until: int | None) -> Sequence[Result]:
            value = NONE[self.version] if limit is None else str(limit)
            grid = Grid((Dimension(self.names, (value,)),), design, tuple(range(seeds)))
            options = self.packer.options if until is None else replace(self.packer.options, until=until)
            packer = self.packer.other(grid, options)
            runner = Runner(packer, store, players, lambda there, failed, total: None)
            runner.run()
            ids = [task.id for task in packer.tasks((value,))]
            rows = {row.seed: row for row in store.rows(runner.sweep, ids)}
            return [_result(rows[seed]) for seed in range(seeds)]

        return play


def _result(row: Any) -> Result:
    if row.status != PLAYED or row.result is None:
        raise InputError(f"seed {row.seed} at {row.values[0]}: {row.error}")
    found: Result = row.result
    return found
