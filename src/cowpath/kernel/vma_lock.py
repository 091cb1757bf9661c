"""The steps of a mapping's lock: a fault's, a writer's, and those of who reads /proc/PID/maps (mm/mmap_lock.c)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .mmap import find_vma
from .mmap_lock import mmap_read_trylock, vma_end_read, vma_start_read
from .mmap_lock import vma_end_write_all as end_write_all
from .mmap_lock import vma_start_write as start_write
from .rmap import anon_vma_prepare
from .wait import current, go_to


# --- a fault -------------------------------------------------------------------------------------
@compiled
def step_lock_vma(k, t):
    """lock_vma_under_rcu (0bff0aaea03e, 6.4): a fault from user mode takes its mapping's lock, without waiting, and
    passes over mmap_sem. Where it cannot, and for what the mapping does not allow, it goes on to mmap_sem.
    """
    f = current(k, t)
    if f.fault & n.F_USER == 0:
        return n.NEXT
    v = find_vma(k, f.mm, f.vpn)
    if v == n.NONE or (f.fault & n.F_WRITE and k.state.vmas[v].prot & n.VM_WRITE == 0):
        return n.NEXT
    if not vma_start_read(k, f, v):
        f.vma = n.NONE
        return n.NEXT
    f.fault |= n.F_VMA_LOCK
    f.file = k.state.vmas[v].file
    f.index = k.state.vmas[v].pgoff + (f.vpn - k.state.vmas[v].start)
    go_to(k, f, s.HANDLE_PTE_FAULT)
    f.pc -= 1
    return n.NEXT


@compiled
def step_vma_end_read(k, t):
    """The fault is done: without mmap_sem, which is passed over here too."""
    f = current(k, t)
    if f.held & n.H_VMA_READ:
        vma_end_read(k, f)
    if f.held & n.H_MMAP_READ == 0:
        f.pc = k.books.paths[f.path].length - 1
    return n.NEXT


@compiled
def step_vmf_anon_prepare(k, t):
    """vmf_anon_prepare (6.7): a mapping's first anonymous page needs mmap_sem besides its lock: a trylock, or the fault
    is tried again with mmap_sem alone.
    """
    f = current(k, t)
    has = k.state.vmas[f.vma].prot & n.VM_ANON_VMA
    if not has and f.fault & n.F_VMA_LOCK and not mmap_read_trylock(k, f.mm):
        return n.RETRY
    anon_vma_prepare(k, f.vma, k.state.tasks[t].group)
    return n.NEXT


# --- a writer ------------------------------------------------------------------------------------
@compiled
def is_changed(k, f, v):
    """The system call changes this mapping: fork the one that it copies next (fb49c455323f, 6.5), mmap(2) also the
    anonymous one that it makes longer.
    """
    vma = k.state.vmas[v]
    if f.path == s.P_FORK:
        return v == f.vma
    if vma.start < f.vpn + f.count and vma.end > f.vpn:
        return True
    grows = f.path == s.P_MMAP or f.path == s.P_MMAP_POPULATE
    return grows and vma.end == f.vpn and vma.file == n.NONE and k.books.ops[f.op].c == n.NONE


@compiled
def step_vma_start_write(k, t):
    """vma_start_write: mark what will be changed, one mapping after the other, and wait until nobody faults on it."""
    f = current(k, t)
    v = k.state.mms[f.mm].vmas
    while v != n.NONE:
        if is_changed(k, f, v) and not start_write(k, t, v):
            return n.SLEEP
        v = k.state.vmas[v].next
    return n.NEXT


@compiled
def step_vma_end_write_all(k, t):
    """vma_end_write_all: a part of mmap_write_unlock."""
    end_write_all(k, current(k, t).mm)
    return n.NEXT


# --- /proc/PID/maps ------------------------------------------------------------------------------
@compiled
def step_lock_next_vma(k, t):
    """lock_next_vma (fs/proc/task_mmu.c of 6.17): mappings are read each under its own lock, and mmap_sem is passed
    over, unless a writer has marked one.
    """
    f = current(k, t)
    v = k.state.mms[f.mm].vmas
    while v != n.NONE:
        if k.state.vmas[v].marked:
            return n.NEXT
        v = k.state.vmas[v].next
    go_to(k, f, s.MMPUT)
    f.pc -= 1
    return n.NEXT
