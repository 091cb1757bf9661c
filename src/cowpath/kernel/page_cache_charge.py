"""Steps that charge for what a page has in the page cache: the nodes of its tree (``xarray.py``), its buffer heads
(``buffer.py``).
"""

from __future__ import annotations

from . import names as n
from . import objects as o
from . import steps as s
from .buffer import buffer_heads
from .compiled import compiled
from .folio import folio_nr_pages, ilog2
from .hierarchy import living
from .kmem import RECLAIMABLE, note_kernel_page, size_of, undo_kmem
from .kmem_charge import hold_objects, is_counted
from .memcg_commit import leave_out
from .page_counter import page_counter_charge
from .wait import current
from .xarray import keeps_nodes, missing_nodes


@compiled
def step_xas_create(k, t):
    """xas_nomem, xas_create: the nodes that the new page of a file needs, charged after it. Read-ahead leaves out a
    page for which they cannot be had.
    """
    f = current(k, t)
    if f.newpage == n.NONE or not keeps_nodes(k) or not is_counted(k, t, f):
        return n.NEXT
    order = ilog2(folio_nr_pages(k, f.newpage))
    if f.gfp & n.GFP_KERNEL_PAGE == 0:
        f.batch = 0  # a charge that begins
        if f.objects > 0 or (f.kmem == 0 and missing_nodes(k, f.file, f.index, order) == 0):
            return n.NEXT
    needed = max(1, missing_nodes(k, f.file, f.index, order))
    status = hold_objects(k, t, f, needed * size_of(k, o.XA_NODE), 0, RECLAIMABLE)
    if status == n.FAIL_CHARGE and f.path == s.P_READAHEAD and f.gfp & n.GFP_READAHEAD:
        undo_kmem(k, f)
        f.held &= ~n.H_CHARGE
        return leave_out(k, t, f)
    return status


@compiled
def step_create_empty_buffers(k, t):
    """create_empty_buffers: the page's, charged to the group that the page is charged to. It never fails
    (__GFP_NOFAIL): a charge that is refused is made over the limit.
    """
    f = current(k, t)
    if f.page == n.NONE or not k.books.charges_kmem or k.state.files[f.file].shmem:
        return n.NEXT
    if buffer_heads(k) == 0 or k.books.pages[f.page].buffers:
        undo_kmem(k, f)  # what was charged for them before another task made them
        return n.NEXT
    if f.gfp & n.GFP_KERNEL_PAGE == 0:
        f.batch = 0  # a charge that begins
    if f.kmem == 0 and f.phase == 0:
        f.charged_group = living(k, k.state.pages[f.page].group)
    if f.charged_group <= 0:
        return n.NEXT
    pages = folio_nr_pages(k, f.page)
    status = hold_objects(k, t, f, buffer_heads(k) * pages, 0, RECLAIMABLE)
    if status == n.FAIL_CHARGE:
        k.state.tasks[t].memcg_oom = 0
        k.state.tasks[t].short_of = 0
        page_counter_charge(k, f.charged_group, 1)
        note_kernel_page(k, f, f.charged_group)
        return n.AGAIN
    if status == n.NEXT:
        k.books.pages[f.page].buffers = 1 + f.charged_group
        k.books.pages[f.page].buffered = pages
        f.objects = 0
        f.charged_group = n.NONE
        f.held &= ~n.H_KMEM
    return status
