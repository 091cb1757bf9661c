"""A task's stack of frames: entering a path and leaving it."""

from __future__ import annotations

from . import names as n
from . import state as st
from . import steps as s
from .compiled import compiled
from .folio import folio_nr_pages
from .generated import begin_frame
from .pgtable import lookup_pte, pte_of
from .records import FRAMES
from .wait import emit, spend

# how a reclaim pass is to be done (frame.arg of the path reclaim)
R_NOSWAP = 1  # nothing may be swapped out: memsw's limit was hit
R_KSWAPD = 2  # until free memory is above its high watermark
R_SHRINK = 4  # for a lower limit: one group of the hierarchy, then its caller looks
SWAPPINESS_SHIFT = 8  # above these bits: 1 + the swappiness that memory.reclaim asks for, or 0
R_PROACTIVE = 16  # for memory.reclaim, where that is counted by itself (e452872b40e3, 6.16)
R_HIGH = 8  # for memory.high: every group of the hierarchy, until as many pages (frame.count) are freed


@compiled
def swappiness_of(swappiness):
    """The bits for a swappiness, given as 1 + that, or 0: the group's own."""
    return swappiness << SWAPPINESS_SHIFT | (R_NOSWAP if swappiness == 1 else 0)


@compiled
def push(k, t, path):
    """A new frame at the beginning of a path. Frames that are not in use are zeroes."""
    task = k.state.tasks[t]
    if task.depth >= FRAMES:
        k.books.error = st.ERR_FRAMES
        return task.frames[FRAMES - 1]
    f = task.frames[task.depth]
    task.depth += 1
    begin_frame(f)
    f.path = path
    return f


@compiled
def do_page_fault(k, t, m, vpn, fault):
    """A page fault: the processor enters the kernel."""
    if (k.books.log_mask >> n.EV_FAULT_BEGIN) & 1:
        number = lookup_pte(k, m, vpn)
        there = number != n.NONE and pte_of(k, number).bits & n.PTE_PRESENT != 0
        emit(k, n.EV_FAULT_BEGIN, t, fault, 1 if there else 0, vpn, 0)
    f = push_fault(k, t, s.P_PAGE_FAULT, m, vpn, fault if k.state.allow_retry else fault & ~n.F_ALLOW_RETRY)
    spend(k, s.EXCEPTION)
    return f


@compiled
def push_fault(k, t, path, m, vpn, fault):
    """The frame of a fault: the processor's, or handle_mm_fault, for who holds the mmap_sem himself."""
    f = push(k, t, path)
    f.mm = m
    f.vpn = vpn
    f.fault = fault
    books = k.books.tasks[t]
    books.fault_at = k.books.now + k.books.spent
    books.asleep = 0
    return f


@compiled
def call_reclaim(k, t, f):
    """try_to_free_pages for the group in the frame, or for the machine; ``todo`` says how (R_*). As many as the folio
    in hand has, a cluster at least.
    """
    below = push(k, t, s.P_RECLAIM)
    below.group = f.group
    below.arg = f.todo
    if f.newpage != n.NONE:
        below.count = folio_nr_pages(k, f.newpage)
    return n.NEXT


@compiled
def finish_op(k, t):
    """On to the next instruction."""
    task = k.state.tasks[t]
    task.pc += 1
    task.progress = 0
    return n.NEXT
