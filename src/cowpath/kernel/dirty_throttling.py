"""Who dirties too much (balance_dirty_pages_ratelimited, balance_dirty_pages: mm/page-writeback.c).

Above the limits a writer writes pages itself and pauses (3.0), or (policy ``dirty_throttling``, 143dfe8611a6, 3.2) only
sleeps, until the flusher has caught up. A fault that has dirtied a shared page does so with mmap_sem; or
(``dirty_fault``, 89b15332af7c, 5.5) lets that go before, and is then tried again, or complete (d92725256b4f, 6.0).
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .block import JIFFY_NS, TENTH_NS, pause
from .compiled import compiled
from .frames import push
from .page_lock import drop_mmap_sem
from .page_writeback import dirty_limits, wake_flusher
from .policies import number
from .wait import current, fatal_signal_pending, sleep_alone

WRITE_CHUNK = 48  # pages that a dirtier over the limit has to write: sync_writeback_pages
LEAST_PAUSE_NS = 10_000_000  # of who only sleeps
MOST_PAUSE_NS = 200_000_000  # MAX_PAUSE: HZ/5

KEEPS = number("dirty_fault", "keeps")

# phases of balance_dirty_pages
WRITTEN = 1
PAUSED = 2


@compiled
def step_balance_dirty_pages(k, t):
    """Who dirties a page looks at the limits now and then."""
    f = current(k, t)
    if f.phase == 0:
        drop_for_pause(k, t, f)
    return sleep_while_dirty(k, t, f) if k.state.dirty_sleeps else balance_dirty_pages(k, t, f)


@compiled
def drop_for_pause(k, t, f):
    """fault_dirty_shared_page: the first try of a fault lets the lock of its address space go, pause or not."""
    if k.state.dirty_fault != KEEPS and f.fault & n.F_ALLOW_RETRY and f.fault & n.F_FPIN == 0:
        drop_mmap_sem(k, t)
        f.fault |= n.F_FPIN


@compiled
def is_due(k, t, f):
    """balance_dirty_pages_ratelimited: so many pages have been dirtied on this CPU since it was looked at last."""
    cpu = k.state.cpus[k.state.tasks[t].cpu]
    cpu.dirtied += 1
    if cpu.dirtied < k.books.dirty_ratelimit or k.state.files[f.file].shmem:
        return False
    cpu.dirtied = 0
    f.retries = 0
    return True


@compiled
def balance_dirty_pages(k, t, f):
    """3.0's: above the limit the writer writes pages itself, and pauses, longer each time."""
    if f.phase == 0:
        if not is_due(k, t, f):
            return n.NEXT
    elif f.phase == WRITTEN and f.ret < WRITE_CHUNK:
        f.phase = PAUSED
        f.retries = min(f.retries * 2, 25) if f.retries > 0 else 1
        return pause(k, t, min(f.retries * JIFFY_NS, TENTH_NS))
    elif f.phase == WRITTEN:  # it has done its share
        f.phase = 0
        return n.NEXT
    background, limit = dirty_limits(k)
    zone = k.state.zone
    if zone.dirty > background:
        wake_flusher(k)
    if zone.dirty + zone.writeback <= (background + limit) // 2:
        f.phase = 0
        return n.NEXT
    f.phase = WRITTEN
    return n.CALL


@compiled
def call_balance_dirty_pages(k, t, f):
    """The writer's share."""
    below = push(k, t, s.P_WRITEBACK)
    below.count = WRITE_CHUNK
    return n.NEXT


@compiled
def sleep_while_dirty(k, t, f):
    """3.2's: one sleep where the limits are near, and more, longer each time, while they are passed. Killable."""
    if f.phase == 0 and not is_due(k, t, f):
        return n.NEXT
    background, limit = dirty_limits(k)
    zone = k.state.zone
    dirty = zone.dirty + zone.writeback
    enough = (background + limit) // 2 if f.phase == 0 else limit
    if zone.dirty > background or dirty > enough:
        wake_flusher(k)
    if dirty <= enough or fatal_signal_pending(k, t):
        f.phase = 0
        return n.NEXT
    f.phase = PAUSED
    f.retries += 1
    k.books.tasks[t].pause = min(f.retries * LEAST_PAUSE_NS, MOST_PAUSE_NS)
    return sleep_alone(k, t, n.W_PAUSE, 0, 1)
