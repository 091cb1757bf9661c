"""Folios: pages that are allocated, charged, locked, listed and freed as one (include/linux/page-flags.h, 5.16).

A folio of several pages goes by its first, the head, which has its lock, its references, its place on the lists, its
group and its bits. Of the others, the tails, only the entries that map them count (``page.rmap``). A page of its own
is a folio of one. Only the clock's machine has larger ones: what they consist of stands in the books.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled


@compiled
def folio_nr_pages(k, p):
    """How many pages the folio has whose head this is."""
    return k.books.pages[p].tails + 1


@compiled
def page_folio(k, p):
    """The head of the folio to which a page belongs."""
    head = k.books.pages[p].head
    return head - 1 if head > 0 else p


@compiled
def next_page(k, p):
    """The next page of the same folio, or NONE: all of them are met from its head on."""
    return k.books.pages[p].next_page - 1


@compiled
def ilog2(pages):
    """The largest order of a folio with at most so many pages."""
    order = 0
    while (2 << order) <= pages:
        order += 1
    return order


@compiled
def folio_contains(k, p, file, index):
    """The folio is this file's, and one of its pages has this index."""
    page = k.state.pages[p]
    return page.file == file and page.index <= index <= page.index + k.books.pages[p].tails


@compiled
def aligned_order(index, order, most):
    """The order of the folio at an index, up to ``order``: it is aligned, and has no more than ``most`` pages."""
    while order > 0 and (index & ((1 << order) - 1) or (1 << order) > most):
        order -= 1
    return order


@compiled
def prep_compound_page(k, head, p, last):
    """The page is one more of the head's folio, after ``last``. Returns it."""
    k.books.pages[p].head = head + 1
    k.books.pages[head].tails += 1
    k.books.pages[last].next_page = p + 1
    return p


@compiled
def drop_tail(k, p):
    """The page of a folio is one of its own from now on. Returns the next page of the folio, or NONE."""
    after = next_page(k, p)
    k.books.pages[p].head = 0
    k.books.pages[p].tails = 0
    k.books.pages[p].next_page = 0
    return after


@compiled
def first_rmap(k, p):
    """An entry that maps a page of the folio, or NONE."""
    while p != n.NONE and k.state.pages[p].rmap == n.NONE:
        p = next_page(k, p)
    return k.state.pages[p].rmap if p != n.NONE else n.NONE
