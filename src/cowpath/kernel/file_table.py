"""Open files (fs/file_table.c): what one costs its group."""

from __future__ import annotations

from . import names as n
from . import objects as o
from .compiled import compiled
from .kmem import close_file, size_of
from .kmem_charge import hold_objects, is_counted
from .readahead import open_file
from .wait import current


@compiled
def step_alloc_file(k, t):
    """alloc_empty_file: a struct file, charged to the task's group as kernel memory (5d097056c9a0, 4.5)."""
    f = current(k, t)
    if not is_counted(k, t, f):
        return n.NEXT
    status = hold_objects(k, t, f, size_of(k, o.FILE), 0)
    if status == n.NEXT:
        opened = open_file(k, t, f.file)
        close_file(k, opened)  # what it had before
        opened.kmem = 1 + f.charged_group
        f.objects = 0
        f.held &= ~n.H_KMEM
    return status
