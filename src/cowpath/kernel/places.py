"""What a page is, as one number that the log and the books keep: it can be named when the page has long gone.

A page of a file is ``file << 32 | index``, with TRUNCATED if truncate has taken it out of the file; a private copy of
one is the same with COPIED. Other anonymous memory is a negative number: the instruction that first touched it (so
that the program is known) and the page's address there. SWAPPED is added to the amount of what is in the swap cache.
UNKNOWN is any other page.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled

UNKNOWN = -1
TRUNCATED = 1 << 60
COPIED = 1 << 61
VPN_BITS = 36
PC_BITS = 22
SWAPPED = 1 << (VPN_BITS + PC_BITS)
ANONYMOUS = -2  # - what else is known


@compiled
def place_of(k, p):
    """Of any page. (int(): uncompiled, a product of 32-bit numbers stays one.)"""
    page = k.state.pages[p]
    if page.file != n.NONE:
        return int(page.file) * (1 << 32) + int(page.index)
    origin = int(k.books.pages[p].origin)
    if origin == 0:
        return UNKNOWN
    if page.bits & n.PG_SWAPCACHE:
        return origin + SWAPPED if origin > 0 else origin - SWAPPED
    return origin


@compiled
def note_mapped(k, t, p, f):
    """A new anonymous page is mapped where task ``t`` has faulted."""
    if f.file != n.NONE:
        k.books.pages[p].origin = COPIED + int(f.file) * (1 << 32) + int(f.index)
    else:
        k.books.pages[p].origin = ANONYMOUS - ((int(k.state.tasks[t].pc) << VPN_BITS) + int(f.vpn))


@compiled
def note_removed(k, p):
    """The page is about to be no file's any more."""
    k.books.pages[p].origin = TRUNCATED + place_of(k, p)
