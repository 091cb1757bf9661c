"""A step in a file of one's own: the page table of a fault's address is allocated and charged (docs/steps.md).

It does what the kernel's ``pte_alloc_one`` does, which the two designs beside this file place before the page's lock or
under it:

    cowpath check --steps examples/steps/pte_alloc.py --design examples/steps/under-lock.toml -c page-table -p isolation
"""

from cowpath.kernel import names as n
from cowpath.kernel import own
from cowpath.kernel.frames import call_reclaim
from cowpath.kernel.memcg_charge import charge_group
from cowpath.kernel.pgtable import lookup_pte
from cowpath.kernel.pte_alloc import alloc_table
from cowpath.kernel.wait import current


@own.step(takes=n.H_PAGE_TABLE, calls=("reclaim",), call=call_reclaim, charges=True, fault=True, cost_ns=120)
def step_own_pte_alloc(k, t):
    """A page for the table where there is none, then its charge; ``map_page`` puts it in its place."""
    f = current(k, t)
    if f.prealloc_pte == n.NONE:
        if f.phase == 0 and lookup_pte(k, f.mm, f.vpn) != n.NONE:
            return n.NEXT
        status = alloc_table(k, t, f)
        if status != n.NEXT:
            return status
    return charge_group(k, t, f, k.state.tasks[t].group)
