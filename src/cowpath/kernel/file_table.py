"""Open files (fs/file_table.c): what one costs its group, and a file that open(2) makes."""

from __future__ import annotations

from . import names as n
from . import objects as o
from .compiled import compiled
from .kmem import close_file, inode_objects, size_of
from .kmem_charge import hold_objects, is_counted
from .ra_state import open_file
from .wait import current


@compiled
def step_alloc_file(k, t):
    """alloc_empty_file: a struct file, charged to the task's group as kernel memory (5d097056c9a0, 4.5). A file that
    has no page yet is new: its inode and dentry are charged, too, until it is truncated.
    """
    f = current(k, t)
    if not is_counted(k, t, f):
        return n.NEXT
    tree = k.books.trees[f.file]
    size = size_of(k, o.FILE)
    makes = k.state.files[f.file].pages == 0 and tree.inode == 0
    if makes:
        size += inode_objects(k, f.file)
    status = hold_objects(k, t, f, size, 0)
    if status == n.NEXT:
        if makes:
            tree.inode = 1 + f.charged_group
        opened = open_file(k, t, f.file)
        close_file(k, opened)  # what it had before
        opened.kmem = 1 + f.charged_group
        f.objects = 0
        f.held &= ~n.H_KMEM
    return status
