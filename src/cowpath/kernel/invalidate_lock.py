"""invalidate_lock (include/linux/fs.h: filemap_invalidate_lock; 730633f0b7f9, 5.15).

Who puts a file's pages into the cache has it shared, so that none come while somebody, who has it alone, takes pages
out. Shmem does without.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .rwsem import down_read, down_write, up_read, up_write
from .wait import current


@compiled
def step_invalidate_lock_shared(k, t):
    """filemap_invalidate_lock_shared (page_cache_ra_unbounded, filemap_create_folio): if there is anything to read."""
    f = current(k, t)
    if k.state.files[f.file].shmem or f.count <= 0:
        return n.NEXT
    if not down_read(k, t, k.state.files[f.file].invalidate_lock, n.W_INVALIDATE_READ, f.file):
        return n.SLEEP
    f.held |= n.H_INVALIDATE_READ
    return n.NEXT


@compiled
def step_invalidate_lock(k, t):
    """filemap_invalidate_lock (ext4_setattr)"""
    f = current(k, t)
    if k.state.files[f.file].shmem:
        return n.NEXT
    if not down_write(k, t, k.state.files[f.file].invalidate_lock, n.W_INVALIDATE_WRITE, f.file):
        return n.SLEEP
    f.held |= n.H_INVALIDATE_WRITE
    return n.NEXT


@compiled
def invalidate_unlock(k, f):
    """Let go what of it the frame has."""
    sem = k.state.files[f.file].invalidate_lock
    if f.held & n.H_INVALIDATE_READ:
        up_read(k, sem)
    elif f.held & n.H_INVALIDATE_WRITE:
        up_write(k, sem)
    f.held &= ~(n.H_INVALIDATE_READ | n.H_INVALIDATE_WRITE)


@compiled
def step_invalidate_unlock_shared(k, t):
    """filemap_invalidate_unlock_shared"""
    invalidate_unlock(k, current(k, t))
    return n.NEXT


@compiled
def step_invalidate_unlock(k, t):
    """filemap_invalidate_unlock"""
    invalidate_unlock(k, current(k, t))
    return n.NEXT
