"""Open files (fs/file_table.c): what one costs its group, and a file that open(2) makes."""

from __future__ import annotations

from . import names as n
from . import objects as o
from .compiled import compiled
from .kmem import RECLAIMABLE, UNRECLAIMABLE, close_file, inode_objects, size_of
from .kmem_charge import hold_objects, is_counted
from .ra_state import open_file
from .wait import current


@compiled
def looks_up(k, file):
    """The file is new, or neither its inode nor its dentry is in memory: nobody has opened it yet, and the page cache
    has nothing of it. Those of a file without a disk always are.
    """
    which = k.state.files[file]
    return k.books.trees[file].inode == 0 and (which.pages == 0 or (which.cached == 0 and not which.shmem))


@compiled
def step_alloc_file(k, t):
    """alloc_empty_file: a struct file, charged to the task's group as kernel memory (5d097056c9a0, 4.5). So are the
    inode and the dentry of a file that has to be looked up first, until it is truncated.
    """
    f = current(k, t)
    tree = k.books.trees[f.file]
    makes = looks_up(k, f.file)
    if not is_counted(k, t, f):
        if makes:
            tree.inode = 1
        return n.NEXT
    if makes and f.objects == 0:
        status = hold_objects(k, t, f, inode_objects(k, f.file), 0, RECLAIMABLE)
        if status != n.NEXT:
            return status
    status = hold_objects(k, t, f, size_of(k, o.FILE), 0, UNRECLAIMABLE)
    if status == n.NEXT:
        if makes:
            tree.inode = 1 + f.charged_group
        opened = open_file(k, t, f.file)
        close_file(k, opened)  # what it had before
        opened.kmem = 1 + f.charged_group
        f.objects = 0
        f.held &= ~n.H_KMEM
    return status
