"""The lock of one mapping (include/linux/mmap_lock.h since 6.4): a fault has it instead of mmap_sem.

A reader never waits: where a writer has marked the mapping it takes mmap_sem. Who writes has mmap_sem for writing; he
marks the mappings that he is to change, waits for each one's readers, and lets all of them go with mmap_sem.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .wait import sleep_alone, try_to_wake_up


@compiled
def vma_start_read(k, f, v):
    """The frame has the mapping's lock for reading: False if a writer has marked it."""
    vma = k.state.vmas[v]
    if vma.marked:
        return False
    vma.readers += 1
    f.vma = v
    f.held |= n.H_VMA_READ
    return True


@compiled
def vma_end_read(k, f):
    """The frame lets the mapping's lock go; the last one wakes the writer, if he waits for that."""
    vma = k.state.vmas[f.vma]
    vma.readers -= 1
    f.held &= ~n.H_VMA_READ
    writer = k.state.mms[vma.mm].mmap_sem.writer
    if vma.readers == 0 and writer != n.NONE:
        task = k.state.tasks[writer]
        if task.wait_kind == n.W_VMA_LOCK and task.wait_id == f.vma:
            try_to_wake_up(k, writer)


@compiled
def vma_start_write(k, t, v):
    """The mapping is marked: True, or False and asleep (uninterruptible) until its readers are gone."""
    vma = k.state.vmas[v]
    vma.marked = 1
    if vma.readers == 0:
        return True
    sleep_alone(k, t, n.W_VMA_LOCK, v, 0)
    return False


@compiled
def vma_end_write_all(k, m):
    """All marks go."""
    v = k.state.mms[m].vmas
    while v != n.NONE:
        k.state.vmas[v].marked = 0
        v = k.state.vmas[v].next


@compiled
def mmap_read_trylock(k, m):
    """Whether mmap_sem can be had for reading at once: nobody has it for writing, or waits for it."""
    sem = k.state.mms[m].mmap_sem
    return sem.writer == n.NONE and sem.waiters.head == n.NONE
