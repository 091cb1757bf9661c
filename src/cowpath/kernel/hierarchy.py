"""The hierarchy of groups: who is charged along with whom (``use_hierarchy``, mm/memcontrol.c)."""

from __future__ import annotations

from . import names as n
from .compiled import compiled


@compiled
def parent_of(k, g):
    """The group that is charged as well, or NONE: the parent, if it uses the hierarchy and is not the root."""
    up = k.state.groups[g].parent
    if up > 0 and k.state.groups[up].use_hierarchy:
        return up
    return n.NONE


@compiled
def is_below(k, g, root):
    """``g`` is ``root`` or one of those that are charged to it."""
    while g != n.NONE:
        if g == root:
            return True
        g = parent_of(k, g)
    return False


@compiled
def living(k, g):
    """The group, or if it has been removed the next one above that has not: whose the kernel's own memory for it is."""
    while g > 0 and not k.state.groups[g].alive:
        g = k.state.groups[g].parent
    return g


@compiled
def note_member(k, g):
    """A task has begun in a group, or joined it: the verdicts on it and on those that are charged as well want it."""
    while g != n.NONE:
        k.books.groups[g].joined += 1
        g = parent_of(k, g)
