"""mprotect(2) (mm/mprotect.c), of whole mappings."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .pgtable import lookup_pte, pte_of
from .wait import current, spend


@compiled
def step_mprotect_fixup(k, t):
    """Each mapping of the range may be written to, or not; in the second case no entry of it may any more."""
    f = current(k, t)
    found = False
    v = k.state.mms[f.mm].vmas
    while v != n.NONE:
        vma = k.state.vmas[v]
        if vma.start < f.vpn + f.count and vma.end > f.vpn:
            found = True
            vma.prot = (vma.prot & ~n.VM_WRITE) | f.todo
            if f.todo == 0:
                change_protection(k, f.mm, vma.start, vma.end)
        v = vma.next
    return n.NEXT if found else n.FAIL_OOM


@compiled
def change_protection(k, m, start, end):
    """Entries that may not be written to."""
    entries = len(k.state.tables[0].pte)
    vpn = start
    while vpn < end and k.state.mms[m].tables > 0:
        number = lookup_pte(k, m, vpn)
        if number == n.NONE:
            vpn = (vpn | (entries - 1)) + 1
            continue
        if pte_of(k, number).bits & n.PTE_PRESENT:
            pte_of(k, number).bits &= ~n.PTE_WRITE
            spend(k, s.RMAP_PTE)
        vpn += 1
