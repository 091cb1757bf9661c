"""The lists on which a group's pages wait for reclaim (mm/swap.c). Group 0 (root) has lists of its own."""

from __future__ import annotations

from . import names as n
from .compiled import compiled


@compiled
def list_of(page):
    """The list on which a page belongs: page_lru()."""
    if page.bits & n.PG_UNEVICTABLE:
        return n.LRU_UNEVICTABLE
    base = n.LRU_INACTIVE_ANON if page.bits & (n.PG_ANON | n.PG_SWAPBACKED) else n.LRU_INACTIVE_FILE
    return base + (1 if page.bits & n.PG_ACTIVE else 0)


@compiled
def lru_add(k, p):
    """Put a page at the head of its group's list. A page that nobody is charged for is on no list."""
    page = k.state.pages[p]
    if page.group == n.NONE or page.bits & n.PG_LRU:
        return
    chain = k.state.groups[page.group].lists[list_of(page)]
    page.bits |= n.PG_LRU
    page.lru_prev = n.NONE
    page.lru_next = chain.head
    if chain.head == n.NONE:
        chain.tail = p
    else:
        k.state.pages[chain.head].lru_prev = p
    chain.head = p
    chain.count += 1


@compiled
def lru_del(k, p):
    """Take a page off its list."""
    page = k.state.pages[p]
    if page.bits & n.PG_LRU == 0:
        return
    chain = k.state.groups[page.group].lists[list_of(page)]
    if page.lru_prev == n.NONE:
        chain.head = page.lru_next
    else:
        k.state.pages[page.lru_prev].lru_next = page.lru_next
    if page.lru_next == n.NONE:
        chain.tail = page.lru_prev
    else:
        k.state.pages[page.lru_next].lru_prev = page.lru_prev
    chain.count -= 1
    page.lru_next = n.NONE
    page.lru_prev = n.NONE
    page.bits &= ~n.PG_LRU


@compiled
def mark_page_accessed(k, p):
    """inactive, unreferenced -> inactive, referenced -> active (mark_page_accessed)."""
    page = k.state.pages[p]
    if page.bits & (n.PG_ACTIVE | n.PG_UNEVICTABLE) == 0 and page.bits & n.PG_REFERENCED and page.bits & n.PG_LRU:
        lru_del(k, p)
        page.bits = (page.bits | n.PG_ACTIVE) & ~n.PG_REFERENCED
        lru_add(k, p)
    else:
        page.bits |= n.PG_REFERENCED
