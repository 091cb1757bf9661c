"""Who dirties too much (balance_dirty_pages_ratelimited, balance_dirty_pages: mm/page-writeback.c).

Above the limits a writer writes pages itself and pauses (3.0), or (policy ``dirty_throttling``, 143dfe8611a6, 3.2) only
sleeps, until the flusher has caught up. A fault that has dirtied a shared page does so with mmap_sem; or
(``dirty_fault``, 89b15332af7c, 5.5) lets that go before, and is then tried again, or complete (d92725256b4f, 6.0).
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .block import JIFFY_NS, SECOND_NS, TENTH_NS, pause
from .compiled import compiled
from .frames import push
from .memcg_dirty import has_dirty_limits, memcg_dirty, memcg_dirty_limits
from .page_lock import drop_mmap_sem
from .page_writeback import dirty_limits, wake_flusher
from .policies import number
from .wait import current, fatal_signal_pending, sleep_alone

WRITE_CHUNK = 48  # pages that a dirtier over the limit has to write: sync_writeback_pages
LEAST_PAUSE_NS = 10_000_000  # of who only sleeps
MOST_PAUSE_NS = 200_000_000  # MAX_PAUSE: HZ/5
INIT_BW = 25_600  # pages a second: what a disk is thought to write before it has been measured (100 MB/s)
PAGES_OF_A_PAUSE = 100  # what it writes in a tick: who has waited looks again after so many (wb_min_pause)
PAGES_OF_MOST_PAUSE = 801  # a pause is a tick longer at most for each so many that are dirty (wb_max_pause)
RATIO_BITS = 10

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
    most = k.books.tasks[t].dirtied_pause
    if cpu.dirtied < (most if most > 0 else k.books.dirty_ratelimit) or k.state.files[f.file].shmem:
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
    first = f.phase == 0
    zone = k.state.zone
    pause_ns = 0
    if over_domain(k, zone.dirty, zone.writeback, dirty_limits(k), first):
        f.retries += 1
        pause_ns = min(f.retries * LEAST_PAUSE_NS, MOST_PAUSE_NS)
    if has_dirty_limits(k, k.state.tasks[t].group):
        pause_ns = max(pause_ns, pause_of_group(k, t, first))
    if pause_ns == 0 or fatal_signal_pending(k, t):
        f.phase = 0
        return n.NEXT
    f.phase = PAUSED
    k.books.tasks[t].pause = pause_ns
    return sleep_alone(k, t, n.W_PAUSE, 0, 1)


@compiled
def pause_of_group(k, t, first):
    """How long the task has to wait for its group's limits, in ns: where these are near as long as it has been faster
    than the disk, or a little at a time while they are passed. And when it looks at them next.
    """
    task = k.books.tasks[t]
    g = k.state.tasks[t].group
    limits = memcg_dirty_limits(k, g)
    dirty, writeback = memcg_dirty(k, g)
    if not over_domain(k, dirty, writeback, limits, first):
        if first:
            task.dirtied_pause = dirty_poll_interval(limits[1] - dirty - writeback)
            task.paced_at = k.books.now
        return 0
    most = JIFFY_NS * (1 + (dirty + writeback) // PAGES_OF_MOST_PAUSE)
    pages = task.dirtied_pause
    task.dirtied_pause = PAGES_OF_A_PAUSE
    share = wb_position_ratio(dirty + writeback, limits)
    if share <= 0:
        return most
    period = pages * SECOND_NS // (INIT_BW * share >> RATIO_BITS)
    left = period - (k.books.now - task.paced_at)
    if left < JIFFY_NS:
        task.paced_at = k.books.now if left < -SECOND_NS else task.paced_at + period
        return 0
    task.paced_at = k.books.now + min(left, most)
    return min(left, most)


@compiled
def wb_position_ratio(dirty, limits):
    """pos_ratio_polynom: the share of the disk's pace that a dirtier may have, of 1 << RATIO_BITS: 1 in the middle
    between where it is looked at and the limit, where it is nothing.
    """
    background, limit = limits
    setpoint = ((background + limit) // 2 + limit) // 2
    if dirty >= limit:
        return 0
    x = ((setpoint - dirty) << RATIO_BITS) // (limit - setpoint + 1)
    return (x * x * x >> 2 * RATIO_BITS) + (1 << RATIO_BITS)


@compiled
def over_domain(k, dirty, writeback, limits, first):
    """Of one domain. It has the flusher write once more is dirty than it may leave alone."""
    background, limit = limits
    enough = (background + limit) // 2 if first else limit
    if dirty > background or dirty + writeback > enough:
        wake_flusher(k)
    return dirty + writeback > enough


@compiled
def dirty_poll_interval(room):
    """How many pages may become dirty until it is looked again: the root of those that there is room for."""
    interval = 1
    while room >= 4:
        room >>= 2
        interval <<= 1
    return interval
