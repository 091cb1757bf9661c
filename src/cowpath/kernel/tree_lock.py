"""The lock of a file system's tree of metadata (of btrfs; fs/btrfs/locking.c): one of the machine.

Whoever changes the tree has it, and may charge meanwhile (an extent buffer's pages). Reclaim that may enter the file
system drops inodes as well, which is a change of the tree, too.
"""

from __future__ import annotations

from . import names as n
from . import waits
from .compiled import compiled
from .gfp import may_enter_fs
from .mutex import mutex_lock, mutex_unlock
from .wait import current

W_TREE_LOCK = waits.number("tree_lock")


@compiled
def step_tree_lock(k, t):
    """btrfs_tree_lock"""
    return mutex_lock(k, t, W_TREE_LOCK)


@compiled
def step_tree_unlock(k, t):
    """btrfs_tree_unlock"""
    return mutex_unlock(k, t, W_TREE_LOCK)


@compiled
def step_evict_inode(k, t):
    """super_cache_scan, evict, btrfs_evict_inode: with the tree's lock, but not under __GFP_FS-less reclaim."""
    f = current(k, t)
    if f.held & n.H_TREE_LOCK:
        return mutex_unlock(k, t, W_TREE_LOCK)
    if not may_enter_fs(k, t, f):
        return n.NEXT
    locked = mutex_lock(k, t, W_TREE_LOCK)
    return n.AGAIN if locked == n.NEXT else locked
