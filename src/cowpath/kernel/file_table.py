"""Open files (fs/file_table.c): what one costs its group."""

from __future__ import annotations

from .compiled import compiled
from .memcg_charge import charge_group
from .wait import current


@compiled
def step_alloc_file(k, t):
    """alloc_empty_file: a struct file, charged to the task's group as kernel memory (5d097056c9a0, 4.5)."""
    return charge_group(k, t, current(k, t), k.state.tasks[t].group)
