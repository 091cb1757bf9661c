"""A task's stack of frames: entering a path and leaving it."""

from __future__ import annotations

from . import names as n
from . import state as st
from . import steps as s
from .compiled import compiled
from .records import FRAMES
from .wait import spend


@compiled
def push(k, t, path):
    """A new frame at the beginning of a path. Frames that are not in use are zeroes."""
    task = k.state.tasks[t]
    if task.depth >= FRAMES:
        k.books.error = st.ERR_FRAMES
        return task.frames[FRAMES - 1]
    f = task.frames[task.depth]
    task.depth += 1
    f.path = path
    f.page = n.NONE
    f.newpage = n.NONE
    f.prealloc_pte = n.NONE
    f.vma = n.NONE
    f.file = n.NONE
    f.mm = n.NONE
    f.which = n.NONE
    return f


@compiled
def do_page_fault(k, t, m, vpn, fault):
    """A page fault: the processor enters the kernel."""
    f = push(k, t, s.P_PAGE_FAULT)
    f.mm = m
    f.vpn = vpn
    f.fault = fault if k.state.allow_retry else fault & ~n.F_ALLOW_RETRY
    books = k.books.tasks[t]
    books.fault_at = k.books.now + k.books.spent
    books.asleep = 0
    spend(k, s.EXCEPTION)
    return f


@compiled
def call_reclaim(k, t, f):
    """try_to_free_pages for the group in the frame, or for the machine; ``todo`` says how (R_*)."""
    below = push(k, t, s.P_RECLAIM)
    below.group = f.group
    below.arg = f.todo
    return n.NEXT


@compiled
def clear_frame(f):
    """A frame that is not in use is zeroes."""
    f.path = 0
    f.pc = 0
    f.phase = 0
    f.held = 0
    f.ret = 0
    f.unwinding = 0
    f.fault = 0
    f.relock = 0
    f.page = 0
    f.newpage = 0
    f.prealloc_pte = 0
    f.mm = 0
    f.vma = 0
    f.file = 0
    f.group = 0
    f.batch = 0
    f.retries = 0
    f.oomed = 0
    f.priority = 0
    f.which = 0
    f.todo = 0
    f.done = 0
    f.scanned = 0
    for i in range(len(f.scan)):
        f.scan[i] = 0
    f.vpn = 0
    f.index = 0
    f.count = 0
    f.arg = 0
