"""An allocation when memory runs short (mm/page_alloc.c of 3.0): reclaim, and the host's OOM killer."""

from __future__ import annotations

from . import names as n
from . import state as st
from .block import JIFFY_NS, pause
from .compiled import compiled
from .oom_kill import out_of_memory
from .page_alloc import free_pages, may_take, take_page

# phases of alloc_page
RECLAIMED = 1
KILLED = 2


@compiled
def __alloc_pages_nodemask(k, t, f):
    """NEXT (frame.newpage), CALL (reclaim first), SLEEP, or FAIL_OOM for a task that dies."""
    if f.phase == RECLAIMED:
        f.phase = 0
        if f.ret == 0 and free_pages(k) <= k.state.zone.high_pages:
            return __alloc_pages_may_oom(k, t, f)
    f.phase = 0
    if may_take(k, t):
        p = take_page(k)
        if p != n.NONE:
            f.newpage = p
            return n.NEXT
    return __alloc_pages_slowpath(k, t, f)


@compiled
def __alloc_pages_slowpath(k, t, f):
    """No page is to be had: a dying task fails, another reclaims (another path) and tries again."""
    if k.state.tasks[t].memdie:
        return n.FAIL_OOM
    f.group = 0
    f.todo = 0
    f.phase = RECLAIMED
    return n.CALL


@compiled
def __alloc_pages_may_oom(k, t, f):
    """Kill somebody, wait a jiffy, try again; with nobody to kill the machine is at its end."""
    if not out_of_memory(k, t):
        k.books.error = st.ERR_PAGES
    f.phase = KILLED
    if k.state.tasks[t].memdie:
        return n.AGAIN
    return pause(k, t, JIFFY_NS)
