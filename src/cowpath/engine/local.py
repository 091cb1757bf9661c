"""Partial-order reduction: moves that touch nothing that others can see, or that a property looks at.

Such a move commutes with all moves of everybody else, now and later, so it may be made at once and alone (a persistent
set of one). The explorer does so only if the move leads to a state that it has not seen: on every cycle some state is
then expanded in full. Sets of one also preserve what can be reached from each state (``no-stuck``).
"""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.compiled import compiled
from cowpath.kernel.memcg_high import owes
from cowpath.kernel.pgtable import lookup_pte

from .invariants_locks import step_of


@compiled
def has_own_mm(k, m):
    """No other task runs in this address space, and none can come to read it through /proc."""
    return k.books.shares_mm == 0 and k.state.mms[m].users == 1


@compiled
def is_local(k, t):
    """The task's next move is one of those."""
    step = step_of(k, t)
    if step == n.NONE:
        return False
    task = k.state.tasks[t]
    f = task.frames[task.depth - 1]
    if step == s.ANON_VMA_PREPARE or step == s.COPY_PAGE or step == s.CLEAR_PAGE:
        return f.held & n.H_NEW_PAGE != 0 or step == s.ANON_VMA_PREPARE
    if step == s.FIND_VMA:
        return f.held & n.H_MMAP_READ != 0
    if step == s.MMAP_READ_LOCK or step == s.MMAP_READ_UNLOCK or step == s.LOCK_VMA or step == s.VMA_END_READ:
        return has_own_mm(k, f.mm)
    if step == s.HANDLE_PTE_FAULT:
        return f.phase == 1 and f.ret == 0
    if step == s.ALLOC_PAGE:  # pages are as good as one another, and there is always one
        return k.books.memory_suffices != 0 and f.phase == 0
    if step == s.PTE_ALLOC_ONE:  # the table is there, and nobody else takes it away
        return (
            f.phase == 0 and f.prealloc_pte == n.NONE and has_own_mm(k, f.mm) and lookup_pte(k, f.mm, f.vpn) != n.NONE
        )
    if step == s.RECLAIM_HIGH or step == s.HIGH_DELAY:  # nothing is to be paid for
        if f.phase != 0 or task.high_retries > 0 or owes(k, f, task.over_high):
            return False
        return f.path != s.P_EXIT_TO_USER and f.pc + 1 < k.books.paths[f.path].length
    if step == s.CHARGE and task.group == 0 and f.path != s.P_SWAP_IN:  # the root group counts nothing
        return f.newpage != n.NONE and k.state.pages[f.newpage].mapcount == 0
    return False
