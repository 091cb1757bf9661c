"""Names of files (fs/namei.c, fs/dcache.c, fs/ext2/dir.c): what a directory's i_mutex is held over.

A directory is a file: its blocks are pages of the page cache, charged to whoever reads them first. A name that has been
looked up is in the dcache (``state.dentries``) for good, and found there without a lock.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .filemap import cached_page
from .page_writeback import set_page_dirty
from .wait import current


@compiled
def step_d_lookup(k, t):
    """d_lookup: somebody may have found the name while this one waited for the i_mutex; then no block is read."""
    f = current(k, t)
    if k.state.dentries[f.dentry]:
        f.count = 0
    return n.NEXT


@compiled
def step_d_add(k, t):
    """d_add, d_instantiate: the dcache has the name from now on. A new one is written into the last block."""
    f = current(k, t)
    if f.path == s.P_CREAT and k.state.dentries[f.dentry] == 0:
        p = cached_page(k, f.file, k.state.files[f.file].pages - 1)
        if p != n.NONE and k.state.pages[p].bits & n.PG_UPTODATE:
            set_page_dirty(k, p)
    k.state.dentries[f.dentry] = 1
    return n.NEXT
