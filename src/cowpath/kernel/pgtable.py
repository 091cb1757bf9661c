"""Page tables and the reverse mapping (mm/memory.c, mm/rmap.c).

Leaf tables of 512 entries hang under directories, as on x86-64. A page's mappings are a list through the entries
themselves (``page.rmap``, ``pte.rmap_next``): what the kernel reaches through anon_vma and the file's prio tree.
An entry's number is ``table * entries + place``.
"""

from __future__ import annotations

from . import names as n
from . import state as st
from . import steps as s
from .compiled import compiled
from .folio import page_folio
from .page_writeback import set_page_dirty
from .wait import spend


@compiled
def _new_directory(k, level, up, slot):
    state = k.state
    d = state.free_directory
    if d != n.NONE:
        state.free_directory = state.directories[d].up
    elif state.n_directories < len(state.directories):
        d = state.n_directories
        state.n_directories += 1
        entries = state.directories[d].entry
        for i in range(len(entries)):
            entries[i] = n.NONE
    else:
        k.books.error = st.ERR_DIRECTORIES
        return n.NONE
    state.directories[d].used = 0
    state.directories[d].level = level
    state.directories[d].up = up
    state.directories[d].slot = slot
    return d


@compiled
def _new_table(k, m, up, slot, base):
    state = k.state
    table = state.free_table
    if table != n.NONE:
        state.free_table = state.tables[table].up
    elif state.n_tables < len(state.tables):
        table = state.n_tables
        state.n_tables += 1
    else:
        k.books.error = st.ERR_TABLES
        return n.NONE
    leaf = state.tables[table]
    leaf.mm = m
    leaf.used = 0
    leaf.up = up
    leaf.slot = slot
    leaf.page = n.NONE
    leaf.start = base
    state.mms[m].tables += 1
    return table


@compiled
def _find_table(k, m, vpn, create):
    """The leaf table that covers a page, or NONE."""
    state = k.state
    entries = len(state.tables[0].pte)
    base = vpn & ~(entries - 1)
    cached = k.books.mm_table[m]
    if cached != n.NONE and state.tables[cached].mm == m and state.tables[cached].start == base:
        return cached
    bits = 0
    while (1 << bits) < entries:
        bits += 1
    d = state.mms[m].root
    if d == n.NONE:
        if not create:
            return n.NONE
        d = _new_directory(k, st.DIRECTORY_LEVELS, n.NONE, 0)
        if d == n.NONE:
            return n.NONE
        state.mms[m].root = d
    for level in range(st.DIRECTORY_LEVELS, 0, -1):
        slot = (vpn >> (bits * level)) & (entries - 1)
        below = state.directories[d].entry[slot]
        if below == n.NONE:
            if not create:
                return n.NONE
            below = _new_directory(k, level - 1, d, slot) if level > 1 else _new_table(k, m, d, slot, base)
            if below == n.NONE:
                return n.NONE
            state.directories[d].entry[slot] = below
            state.directories[d].used += 1
        d = below
    k.books.mm_table[m] = d
    return d


@compiled
def lookup_pte(k, m, vpn):
    """The number of a page's table entry, or NONE where there is no table."""
    table = _find_table(k, m, vpn, False)
    if table == n.NONE:
        return n.NONE
    entries = len(k.state.tables[0].pte)
    return table * entries + (vpn & (entries - 1))


@compiled
def set_table(k, m, vpn, p):
    """An empty page table, in page ``p``, covers ``vpn`` from now on."""
    table = _find_table(k, m, vpn, True)
    if table != n.NONE:
        k.state.tables[table].page = p


@compiled
def pte_of(k, number):
    """The entry with this number."""
    entries = len(k.state.tables[0].pte)
    return k.state.tables[number // entries].pte[number % entries]


@compiled
def mm_of_pte(k, number):
    """The address space to which an entry belongs."""
    return k.state.tables[number // len(k.state.tables[0].pte)].mm


@compiled
def vpn_of_pte(k, number):
    """The page number that an entry maps."""
    entries = len(k.state.tables[0].pte)
    return k.state.tables[number // entries].start + number % entries


@compiled
def is_none(pte):
    """pte_none: the entry maps nothing, and no slot of the swap space either."""
    return pte.bits & (n.PTE_PRESENT | n.PTE_SWAP) == 0


@compiled
def set_pte(k, m, vpn, p, bits):
    """Map page ``p`` (NONE: the zero page) at ``vpn``, which holds nothing or a swap slot; count it in mm and page.

    Takes over one reference to the page. Returns False where the machine has no table left.
    """
    table = _find_table(k, m, vpn, True)
    if table == n.NONE:
        return False
    state = k.state
    entries = len(state.tables[0].pte)
    number = table * entries + (vpn & (entries - 1))
    pte = pte_of(k, number)
    if pte.bits & n.PTE_SWAP:
        state.mms[m].swapents -= 1
    else:
        state.tables[table].used += 1
    pte.page = p
    pte.bits = bits | n.PTE_PRESENT
    pte.rmap_prev = n.NONE
    pte.rmap_next = n.NONE
    if p == n.NONE:
        pte.bits |= n.PTE_ZERO
        return True
    page = state.pages[p]
    pte.rmap_next = page.rmap
    if page.rmap != n.NONE:
        pte_of(k, page.rmap).rmap_prev = number
    page.rmap = number
    folio = state.pages[page_folio(k, p)]
    folio.mapcount += 1
    if folio.bits & n.PG_ANON:
        state.mms[m].anon_rss += 1
    else:
        state.mms[m].file_rss += 1
        page_add_file_rmap(k, folio, pte)
    return True


@compiled
def page_add_file_rmap(k, folio, pte):
    """A page of a file has one mapping more: with the first it is one of its group's mapped pages."""
    if pte.rmap_next == n.NONE and folio.group != n.NONE:
        k.books.groups[folio.group].mapped_file += 1


@compiled
def set_swap_pte(k, m, vpn, slot):
    """An empty entry now names a swap slot (fork copies it); the slot's count is the caller's."""
    table = _find_table(k, m, vpn, True)
    if table == n.NONE:
        return False
    entries = len(k.state.tables[0].pte)
    pte = pte_of(k, table * entries + (vpn & (entries - 1)))
    pte.page = slot
    pte.bits = n.PTE_SWAP
    k.state.tables[table].used += 1
    k.state.mms[m].swapents += 1
    return True


@compiled
def _unmap(k, number):
    """page_remove_rmap: the accounts and the dirty and accessed bits go to the folio. Returns that, or NONE."""
    state = k.state
    pte = pte_of(k, number)
    m = mm_of_pte(k, number)
    p = pte.page
    spend(k, s.ZAP_PTE)
    if p == n.NONE:
        return n.NONE
    bits = pte.bits
    page = state.pages[p]
    if pte.rmap_prev == n.NONE:
        page.rmap = pte.rmap_next
    else:
        pte_of(k, pte.rmap_prev).rmap_next = pte.rmap_next
    if pte.rmap_next != n.NONE:
        pte_of(k, pte.rmap_next).rmap_prev = pte.rmap_prev
    p = page_folio(k, p)
    folio = state.pages[p]
    folio.mapcount -= 1
    if bits & n.PTE_DIRTY:
        set_page_dirty(k, p)
    if folio.bits & n.PG_ANON:
        state.mms[m].anon_rss -= 1
    else:
        state.mms[m].file_rss -= 1
        if page.rmap == n.NONE and folio.group != n.NONE:
            k.books.groups[folio.group].mapped_file -= 1
        if bits & n.PTE_ACCESSED and not k.state.lruvecs:  # else only where the mapping goes (zap_pte)
            folio.bits |= n.PG_REFERENCED
    return p


@compiled
def _clear(k, number):
    """The entry holds nothing any more. An empty table is given back, but for one that is charged (free_pgtables)."""
    pte = pte_of(k, number)
    pte.page = 0
    pte.bits = 0
    pte.rmap_next = 0
    pte.rmap_prev = 0
    table = number // len(k.state.tables[0].pte)
    k.state.tables[table].used -= 1
    if k.state.tables[table].used == 0 and k.state.tables[table].page == n.NONE:
        free_table(k, table)


@compiled
def clear_pte(k, number):
    """Unmap one entry. The reference stays with the caller. Returns the folio, or NONE for the zero page."""
    p = _unmap(k, number)
    _clear(k, number)
    return p


@compiled
def swap_out_pte(k, number, slot):
    """Unmap one entry and leave the slot in it where the page will be (try_to_unmap_one)."""
    m = mm_of_pte(k, number)
    _unmap(k, number)
    pte = pte_of(k, number)
    pte.page = slot
    pte.bits = n.PTE_SWAP | (pte.bits & n.PTE_EXCLUSIVE)
    pte.rmap_next = 0
    pte.rmap_prev = 0
    k.state.mms[m].swapents += 1


@compiled
def clear_swap_pte(k, number):
    """An entry that names a swap slot is cleared. Returns the slot, whose count is the caller's."""
    slot = pte_of(k, number).page
    k.state.mms[mm_of_pte(k, number)].swapents -= 1
    spend(k, s.ZAP_PTE)
    _clear(k, number)
    return slot


@compiled
def free_table(k, table):
    """An empty table goes, and the directories that are empty without it. Its page, if it has one, is the caller's."""
    state = k.state
    leaf = state.tables[table]
    m = leaf.mm
    up = leaf.up
    slot = leaf.slot
    state.mms[m].tables -= 1
    leaf.mm = n.NONE
    leaf.page = n.NONE
    leaf.start = 0
    leaf.slot = 0
    leaf.up = state.free_table
    state.free_table = table
    k.books.mm_table[m] = n.NONE
    while up != n.NONE:
        directory = state.directories[up]
        directory.entry[slot] = n.NONE
        directory.used -= 1
        if directory.used > 0:
            return
        above = directory.up
        slot = directory.slot
        directory.slot = 0
        directory.up = state.free_directory
        state.free_directory = up
        if above == n.NONE:
            state.mms[m].root = n.NONE
        up = above
