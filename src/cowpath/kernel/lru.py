"""The lists on which pages wait for reclaim (mm/swap.c).

In 3.0 every page that can be reclaimed is on a list of the machine's zone; one that is charged is on the same list of
its group as well. Host-wide reclaim goes by the former, a group's by the latter. Group 0 (root) has lists of its own.
Since 3.3 (policy ``lru_lists``) a page is on its group's lists alone, one that nobody is charged for on the root's, and
reclaim of the machine goes over all groups; the zone's lists only count.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .folio import folio_nr_pages
from .res_counter import res_counter_uncharge

GONE = -1  # in a batch: this less the group that pays for a page that is nobody's any more


@compiled
def list_of(page):
    """The list on which a page belongs: page_lru()."""
    if page.bits & n.PG_UNEVICTABLE:
        return n.LRU_UNEVICTABLE
    base = n.LRU_INACTIVE_ANON if page.bits & (n.PG_ANON | n.PG_SWAPBACKED) else n.LRU_INACTIVE_FILE
    return base + (1 if page.bits & n.PG_ACTIVE else 0)


@compiled
def lruvec_of(page):
    """The group on whose lists a page stands: who is charged, or the root."""
    return page.group if page.group != n.NONE else 0


@compiled
def group_add(k, p):
    """Put a page at the head of its group's list."""
    pages = k.state.pages
    page = pages[p]
    chain = k.state.groups[lruvec_of(page)].lists[list_of(page)]
    page.lru_prev = n.NONE
    page.lru_next = chain.head
    if chain.head == n.NONE:
        chain.tail = p
    else:
        pages[chain.head].lru_prev = p
    chain.head = p
    chain.count += folio_nr_pages(k, p)


@compiled
def group_add_tail(k, p):
    """Put a page at the tail of its group's list."""
    pages = k.state.pages
    page = pages[p]
    chain = k.state.groups[lruvec_of(page)].lists[list_of(page)]
    page.lru_prev = chain.tail
    page.lru_next = n.NONE
    if chain.tail == n.NONE:
        chain.head = p
    else:
        pages[chain.tail].lru_next = p
    chain.tail = p
    chain.count += folio_nr_pages(k, p)


@compiled
def _zone_add(k, p):
    pages = k.state.pages
    page = pages[p]
    chain = k.state.zone.lists[list_of(page)]
    chain.count += folio_nr_pages(k, p)
    if k.state.lruvecs:
        return
    page.zone_prev = n.NONE
    page.zone_next = chain.head
    if chain.head == n.NONE:
        chain.tail = p
    else:
        pages[chain.head].zone_prev = p
    chain.head = p


@compiled
def _zone_add_tail(k, p):
    pages = k.state.pages
    page = pages[p]
    chain = k.state.zone.lists[list_of(page)]
    chain.count += folio_nr_pages(k, p)
    if k.state.lruvecs:
        return
    page.zone_prev = chain.tail
    page.zone_next = n.NONE
    if chain.tail == n.NONE:
        chain.head = p
    else:
        pages[chain.tail].zone_next = p
    chain.tail = p


@compiled
def _group_del(k, p):
    pages = k.state.pages
    page = pages[p]
    chain = k.state.groups[lruvec_of(page)].lists[list_of(page)]
    if page.lru_prev == n.NONE:
        chain.head = page.lru_next
    else:
        pages[page.lru_prev].lru_next = page.lru_next
    if page.lru_next == n.NONE:
        chain.tail = page.lru_prev
    else:
        pages[page.lru_next].lru_prev = page.lru_prev
    chain.count -= folio_nr_pages(k, p)
    page.lru_next = n.NONE
    page.lru_prev = n.NONE


@compiled
def _zone_del(k, p):
    pages = k.state.pages
    page = pages[p]
    chain = k.state.zone.lists[list_of(page)]
    chain.count -= folio_nr_pages(k, p)
    if k.state.lruvecs:
        return
    if page.zone_prev == n.NONE:
        chain.head = page.zone_next
    else:
        pages[page.zone_prev].zone_next = page.zone_next
    if page.zone_next == n.NONE:
        chain.tail = page.zone_prev
    else:
        pages[page.zone_next].zone_prev = page.zone_prev
    page.zone_next = n.NONE
    page.zone_prev = n.NONE


@compiled
def has_group_list(k, page):
    """The page stands on lists of a group: of the one that is charged, or in any case."""
    return page.group != n.NONE or k.state.lruvecs != 0


@compiled
def lru_add(k, p):
    """Put a page at the head of its lists: the zone's, and that of the group that is charged, if one is."""
    page = k.state.pages[p]
    if page.bits & n.PG_LRU:
        return
    page.bits |= n.PG_LRU
    _zone_add(k, p)
    if has_group_list(k, page):
        group_add(k, p)


@compiled
def lru_del(k, p):
    """Take a page off its lists."""
    page = k.state.pages[p]
    if page.bits & n.PG_LRU == 0:
        if k.books.pages[p].batched:
            leave_batch(k, p)
        return
    _zone_del(k, p)
    if has_group_list(k, page):
        _group_del(k, p)
    page.bits &= ~n.PG_LRU


@compiled
def set_group(k, p, g):
    """The page is this group's from now on, and on its lists if it is on any: one that was mapped before it was charged
    (way 2), or was read from swap.
    """
    page = k.state.pages[p]
    listed = page.bits & n.PG_LRU
    if listed and k.state.lruvecs:  # on the root's until now
        _group_del(k, p)
    page.group = g
    if listed:
        group_add(k, p)


@compiled
def note_recent(k, p, rotated):
    """update_page_reclaim_stat: a page of this kind was scanned (or is new), and ``rotated`` if it was found in use."""
    page = k.state.pages[p]
    kind = 0 if page.bits & (n.PG_ANON | n.PG_SWAPBACKED) else 1
    pages = folio_nr_pages(k, p)
    zone = k.state.zone.recent
    zone.scanned[kind] += pages
    zone.rotated[kind] += rotated * pages
    if page.group != n.NONE:
        group = k.state.groups[page.group].recent
        group.scanned[kind] += pages
        group.rotated[kind] += rotated * pages


@compiled
def lru_cache_add(k, p):
    """A new page joins its lists (folio_add_lru): when its CPU has gathered so many, or at once, if it has several."""
    if k.books.lru_batch == 0:
        lru_add(k, p)
        note_recent(k, p, 1 if k.state.pages[p].bits & n.PG_ACTIVE else 0)
        return
    cpu = k.books.cpus[k.books.cpu]
    cpu.lru_add[cpu.lru_adds] = p
    cpu.lru_adds += 1
    k.books.pages[p].batched = 1 + k.books.cpu
    if cpu.lru_adds >= k.books.lru_batch or folio_nr_pages(k, p) > 1:
        lru_add_drain(k, k.books.cpu)


@compiled
def lru_add_drain(k, c):
    """The new pages that a CPU has gathered join the lists."""
    cpu = k.books.cpus[c]
    for i in range(cpu.lru_adds):
        p = cpu.lru_add[i]
        if p < GONE:  # unmapped meanwhile: the last reference goes
            res_counter_uncharge(k, GONE - p, 1)
            continue
        k.books.pages[p].batched = 0
        lru_add(k, p)
        note_recent(k, p, 1 if k.state.pages[p].bits & n.PG_ACTIVE else 0)
    cpu.lru_adds = 0


@compiled
def lru_add_drain_all(k):
    """Those of all CPUs."""
    for c in range(k.state.n_cpus):
        lru_add_drain(k, c)


@compiled
def leave_batch(k, p):
    """The page goes before it has joined the lists."""
    cpu = k.books.cpus[k.books.pages[p].batched - 1]
    left = 0
    for i in range(cpu.lru_adds):
        if cpu.lru_add[i] != p:
            cpu.lru_add[left] = cpu.lru_add[i]
            left += 1
    cpu.lru_adds = left
    k.books.pages[p].batched = 0


@compiled
def keeps_charge(k, p):
    """Nobody but its CPU's batch has the page any more, and who unmaps it leaves that alone (``unmap_drains``)."""
    return k.state.unmap_keeps != 0 and k.books.pages[p].batched != 0 and k.state.pages[p].group > 0


@compiled
def stay_in_batch(k, p):
    """The page is no longer anybody's, and its place in the batch is taken: its group goes on paying for it."""
    cpu = k.books.cpus[k.books.pages[p].batched - 1]
    for i in range(cpu.lru_adds):
        if cpu.lru_add[i] == p:
            cpu.lru_add[i] = GONE - k.state.pages[p].group
    k.books.pages[p].batched = 0


@compiled
def activate_page(k, p):
    """From an inactive list to the active one of its kind."""
    page = k.state.pages[p]
    lru_del(k, p)
    page.bits = (page.bits | n.PG_ACTIVE) & ~n.PG_REFERENCED
    lru_add(k, p)
    note_recent(k, p, 1)
    note_activated(k, p)


@compiled
def mark_page_accessed(k, p):
    """inactive, unreferenced -> inactive, referenced -> active."""
    page = k.state.pages[p]
    if page.bits & (n.PG_ACTIVE | n.PG_UNEVICTABLE) == 0 and page.bits & n.PG_REFERENCED and page.bits & n.PG_LRU:
        activate_page(k, p)
    elif k.books.pages[p].batched and page.bits & n.PG_REFERENCED and page.bits & n.PG_ACTIVE == 0:
        page.bits = (page.bits | n.PG_ACTIVE) & ~n.PG_REFERENCED  # __lru_cache_activate_folio
        note_aged(k, p)
    else:
        page.bits |= n.PG_REFERENCED


@compiled
def rotate_reclaimable_page(k, p):
    """To the tail of its inactive lists: reclaim has had it written, and takes it next. Since c55e8d035b28 (4.11) what
    reclaim cannot free yet is out of its way meanwhile, on the active list, and comes back from there.
    """
    page = k.state.pages[p]
    page.bits &= ~n.PG_RECLAIM
    stays = n.PG_UNEVICTABLE if k.state.rotates_active else n.PG_UNEVICTABLE | n.PG_ACTIVE
    if page.bits & n.PG_LRU == 0 or page.bits & stays:
        return
    lru_del(k, p)
    page.bits = (page.bits | n.PG_LRU) & ~n.PG_ACTIVE
    _zone_add_tail(k, p)
    if has_group_list(k, page):
        group_add_tail(k, p)


# --- what reclaim remembers (since 3.15; workingset.py) --------------------------------------------
@compiled
def count_vm_events(k, p, which, pages):
    """count_memcg_folio_events: of the group that is charged for the page."""
    k.books.groups[lruvec_of(k.state.pages[p])].vm_events[which] += pages


@compiled
def age_nonresident(k, g, pages):
    """workingset_age_nonresident: what has been evicted from this group's subtree, and from those above, is so much
    older.
    """
    while True:
        k.books.groups[g].nonresident_age += pages
        if g == 0:
            return
        g = k.state.groups[g].parent


@compiled
def note_activated(k, p):
    """A page has become active because it was read again."""
    count_vm_events(k, p, n.VM_PGACTIVATE, folio_nr_pages(k, p))
    note_aged(k, p)


@compiled
def note_aged(k, p):
    """workingset_activation: what has been evicted is so much older."""
    if k.state.workingset and k.books.remembers:
        age_nonresident(k, lruvec_of(k.state.pages[p]), folio_nr_pages(k, p))
