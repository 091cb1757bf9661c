"""What memory.events counts."""

from __future__ import annotations

from .compiled import compiled


@compiled
def memcg_memory_event(k, g, which):
    """memcg_memory_event: one more in the group's memory.events.local, and in memory.events from there up."""
    k.books.groups[g].events_local[which] += 1
    while g > 0:
        k.books.groups[g].events[which] += 1
        g = k.state.groups[g].parent
