"""What an allocation may do (include/linux/gfp.h): whether it is one in the midst of what a file system does."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .frames import R_HIGH


@compiled
def is_nofs(k, t):
    """GFP_NOFS: the task reads ahead, is in write(2), or has the lock of a file system's tree."""
    task = k.state.tasks[t]
    for d in range(task.depth):
        f = task.frames[d]
        if f.path == s.P_READAHEAD or f.path == s.P_WRITE or f.held & n.H_TREE_LOCK:
            return True
    return False


@compiled
def may_enter_fs(k, t, f):
    """__GFP_FS of a pass of reclaim: what it reclaims for says so; for memory.high policy ``high_gfp``, too."""
    if f.arg & R_HIGH and k.state.high_gfp_kernel:
        return True
    return not is_nofs(k, t)
