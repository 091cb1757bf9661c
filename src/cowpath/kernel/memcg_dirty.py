"""A group's own limits of dirty pages (cgroup writeback, 4.2; mm/page-writeback.c, mm/memcontrol.c).

Of cgroup v2 alone (policy ``memcg_dirty``). A group's pages of files, and as many as it may still be charged for, could
be dirty; of these the same shares may be as of the machine's. Who dirties more waits for the flusher.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .page_writeback import dirtyable_memory, limits_of
from .workingset import descendant, lruvec_page_state


@compiled
def has_dirty_limits(k, g):
    """The group has limits of its own (mdtc). Not where reclaim remembers nothing either: these counts are no state."""
    return g > 0 and k.state.memcg_dirty != 0 and k.state.cgroup2 != 0 and k.books.remembers != 0


@compiled
def memcg_dirty(k, g):
    """Pages of files that are dirty, and that are being written, of a group and those below (mem_cgroup_wb_stats)."""
    dirty = 0
    writeback = 0
    for other in range(g, k.state.n_groups):
        books = k.books.groups[other]
        if (books.dirty != 0 or books.writeback != 0) and descendant(k, other, g):
            dirty += books.dirty
            writeback += books.writeback
    return dirty, writeback


@compiled
def headroom_of(k, g):
    """How many pages more the group may be charged for before it meets a limit, or memory.high, of it or one above."""
    room = n.UNLIMITED
    while g > 0:
        group = k.state.groups[g]
        room = min(room, max(min(group.res.limit, group.high) - group.res.usage, 0))
        g = group.parent
    return room


@compiled
def memcg_dirty_limits(k, g):
    """(background, dirty): mdtc_calc_avail and domain_dirty_limits."""
    files = lruvec_page_state(k, g, n.LRU_INACTIVE_FILE) + lruvec_page_state(k, g, n.LRU_ACTIVE_FILE)
    dirty, writeback = memcg_dirty(k, g)
    clean = max(files - dirty - writeback, 0)
    zone = k.state.zone
    clean_elsewhere = max(dirtyable_memory(k) - zone.dirty - zone.writeback - clean, 0)
    return limits_of(files + min(headroom_of(k, g), clean_elsewhere))


@compiled
def wb_over_bg_thresh(k):
    """Some group has more dirty pages than may be without anybody writing them."""
    for g in range(1, k.state.n_groups):
        if not has_dirty_limits(k, g):
            return False
        if k.books.groups[g].dirty > 0 and memcg_dirty(k, g)[0] > memcg_dirty_limits(k, g)[0]:
            return True
    return False
