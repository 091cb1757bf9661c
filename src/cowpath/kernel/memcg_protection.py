"""memory.low and memory.min: what reclaim spares of a group (mem_cgroup_calculate_protection, mm/memcontrol.c).

Worked out anew for each group that reclaim comes to. Below the group that reclaims for itself a setting counts in full;
deeper down the groups share what their parent has, by what they use of theirs.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .memcg_events import memcg_memory_event

MIN, LOW = 0, 1

# frame.tried of a reclaim pass
LOW_SKIPPED = 1  # a group was passed over because of its memory.low
LOW_RECLAIM = 2  # that freed nothing: memory.low does not count any more

SWAP_CLUSTER_MAX = 32


@compiled
def setting(k, g, which):
    """What the file says."""
    return k.state.groups[g].min_pages if which == MIN else k.state.groups[g].low_pages


@compiled
def protected(k, g, which):
    """What it uses of that."""
    return min(k.state.groups[g].res.usage, setting(k, g, which))


@compiled
def children_protected(k, parent, which):
    """What the groups below use of theirs (children_low_usage)."""
    total = 0
    for g in range(1, k.state.n_groups):
        if k.state.groups[g].alive and k.state.groups[g].parent == parent:
            total += protected(k, g, which)
    return total


@compiled
def effective_protection(k, g, parent, which, parents):
    """effective_protection: a group's part of its parent's ``parents`` pages. With the mount option
    memory_recursiveprot (8a931f801340, 5.7) what no group claims goes to all, by what they use beyond their own.
    """
    own = protected(k, g, which)
    siblings = children_protected(k, parent, which)
    if siblings > parents:
        return own * parents // siblings
    if not k.state.recursiveprot or siblings == parents:
        return own
    beyond = k.state.groups[parent].res.usage - siblings
    usage = k.state.groups[g].res.usage
    if beyond <= 0 or usage <= own:
        return own
    return own + (parents - siblings) * (usage - own) // beyond


@compiled
def mem_cgroup_protection(k, g, root, which):
    """The pages of a group that are spared in a reclaim of ``root``, which is above it; of ``root`` itself none."""
    if g == root:
        return 0
    at = below(k, root, g)
    pages = setting(k, at, which)
    while at != g:
        child = below(k, at, g)
        pages = effective_protection(k, child, at, which, pages)
        at = child
    return pages


@compiled
def below(k, parent, g):
    """The child of ``parent`` that is ``g``, or above it."""
    while k.state.groups[g].parent != parent:
        g = k.state.groups[g].parent
    return g


@compiled
def passed_over(k, f, g):
    """mem_cgroup_below_min, mem_cgroup_below_low: reclaim leaves this group alone, for good or in the first pass."""
    usage = k.state.groups[g].res.usage
    if g == f.group:
        return False
    if usage <= mem_cgroup_protection(k, g, f.group, MIN):
        return True
    if usage > mem_cgroup_protection(k, g, f.group, LOW):
        return False
    if f.tried & LOW_RECLAIM:
        memcg_memory_event(k, g, n.ME_LOW)
        return False
    f.tried |= LOW_SKIPPED
    return True


@compiled
def try_low(f):
    """Nothing was freed, and groups were passed over: once more, and memory.low does not count. True if so."""
    if f.done > 0 or f.tried & LOW_SKIPPED == 0 or f.tried & LOW_RECLAIM:
        return False
    f.tried |= LOW_RECLAIM
    f.retries = 0
    return True


@compiled
def spared(k, f, pages):
    """How much of a list is to be scanned where a part of its group is protected (9783aa9917f8, 5.4)."""
    if f.victim == f.group:
        return pages
    most = mem_cgroup_protection(k, f.victim, f.group, MIN)
    if f.tried & LOW_RECLAIM == 0:
        most = max(most, mem_cgroup_protection(k, f.victim, f.group, LOW))
    if most == 0:
        return pages
    usage = max(k.state.groups[f.victim].res.usage, most)
    return max(pages - pages * most // (usage + 1), SWAP_CLUSTER_MAX)
