"""Buffer heads (fs/buffer.c): a page that is to be written to a file system has one for each block."""

from __future__ import annotations

from . import objects as o
from .compiled import compiled
from .kmem import free_reclaimable, size_of


@compiled
def buffer_heads(k):
    """Bytes of a page's buffer heads."""
    return k.books.buffers * size_of(k, o.BUFFER_HEAD)


@compiled
def try_to_free_buffers(k, p):
    """The page leaves the page cache."""
    owner = k.books.pages[p].buffers
    if owner > 1:
        free_reclaimable(k, owner - 1, buffer_heads(k) * k.books.pages[p].buffered)
    k.books.pages[p].buffers = 0
