"""System calls' steps (mm/filemap.c, mm/mmap.c, mm/mlock.c, fs/proc/task_mmu.c); of tasks: ``fork.py``, ``exit.py``."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .filemap import cached_page
from .lru import lru_add, lru_del
from .mmap import find_vma, free_pgtables, new_vma, overlaps, remove_vmas, unmap_vmas
from .pgtable import lookup_pte, pte_of
from .readahead import end_of_read
from .shmem import shmem_zero_setup
from .swap_state import skip_slots
from .wait import current, pop_waiter, sleep_on


@compiled
def step_each_page(k, t):
    """The head of a loop over pages: leave it when none is left (read-ahead: pass over those that are cached)."""
    f = current(k, t)
    k.books.resched_ok = 1
    path = k.books.paths[f.path]
    if f.path == s.P_SWAP_READAHEAD:
        skip_slots(k, f)
    elif path.skips_cached:
        while f.count > 0 and (f.index >= k.state.files[f.file].pages or cached_page(k, f.file, f.index) != n.NONE):
            f.index += 1
            f.count -= 1
    elif path.reads_file and f.count > 0 and f.index >= k.state.files[f.file].pages:
        f.count = 0  # end of the file: a short read
    if f.count <= 0 or (k.state.tasks[t].sigkill and path.reads_file):
        f.pc = path.loop_end
        if path.reads_file:
            end_of_read(k, t, f)
    return n.NEXT


@compiled
def step_next_page(k, t):
    """The end of the loop: back to its head."""
    f = current(k, t)
    f.index += 1
    f.count -= 1
    f.vpn += 1
    f.pc = k.books.paths[f.path].loop_at - 1
    return n.NEXT


@compiled
def accessible(k, m, vpn, write):
    """The page is mapped and the access is allowed; the accessed and dirty bits are set, as the processor does."""
    number = lookup_pte(k, m, vpn)
    if number == n.NONE:
        return False
    pte = pte_of(k, number)
    if pte.bits & n.PTE_PRESENT == 0 or (write and pte.bits & n.PTE_WRITE == 0):
        return False
    pte.bits |= n.PTE_ACCESSED | (n.PTE_DIRTY if write else 0)
    return True


@compiled
def copy_user(k, t, write):
    """copy_to_user, copy_from_user: the caller's page may have to be faulted in, in kernel mode (another path)."""
    f = current(k, t)
    if f.phase == 1:
        f.phase = 0
        if f.ret != 0:
            return n.FAIL_KILLED if -f.ret == n.FAIL_KILLED else n.FAIL_FAULT
    if f.arg == n.NONE:
        return n.NEXT
    if accessible(k, k.state.tasks[t].mm, f.arg + f.vpn, write):
        return n.NEXT
    f.phase = 1
    f.fault = n.F_WRITE if write else 0
    return n.CALL


@compiled
def step_i_mutex_lock(k, t):
    """mutex_lock(&inode->i_mutex): uninterruptible; who is woken tries again."""
    f = current(k, t)
    file = k.state.files[f.file]
    if file.i_mutex != n.NONE:
        return sleep_on(k, t, file.i_mutex_waiters, n.W_I_MUTEX, f.file, 0, 1)
    file.i_mutex = t
    f.held |= n.H_I_MUTEX
    return n.NEXT


@compiled
def step_i_mutex_unlock(k, t):
    """mutex_unlock(&inode->i_mutex)"""
    f = current(k, t)
    file = k.state.files[f.file]
    file.i_mutex = n.NONE
    f.held &= ~n.H_I_MUTEX
    pop_waiter(k, file.i_mutex_waiters)
    return n.NEXT


@compiled
def step_unmap_region(k, t):
    """do_munmap: a chunk a move, then the mappings."""
    f = current(k, t)
    k.books.resched_ok = 1
    if f.phase == 0:
        f.index = f.vpn
        f.phase = 1
    f.index = unmap_vmas(k, f.mm, f.index, f.vpn + f.count)
    if f.index < f.vpn + f.count:
        return n.AGAIN
    remove_vmas(k, f.mm, f.vpn, f.vpn + f.count)
    free_pgtables(k, f.mm, f.vpn, f.vpn + f.count)
    f.phase = 0
    return n.NEXT


@compiled
def step_map_region(k, t):
    """mmap_region with MAP_FIXED: what was there goes first."""
    f = current(k, t)
    op = k.books.ops[f.arg]
    if f.phase == 1 or overlaps(k, f.mm, f.vpn, f.vpn + f.count):
        status = step_unmap_region(k, t)
        if status != n.NEXT:
            return status
    file = op.c
    if file == n.NONE and op.bits & n.VM_SHARED:  # MAP_SHARED | MAP_ANONYMOUS: an object of its own
        file = shmem_zero_setup(k, op.b)
        if file == n.NONE:
            return n.FAIL_OOM
    if new_vma(k, f.mm, op.a, op.a + op.b, file, op.d, op.bits) == n.NONE:
        return n.FAIL_OOM
    return n.NEXT


@compiled
def step_mlock_fixup(k, t):
    """The mappings of the range become VM_LOCKED."""
    f = current(k, t)
    v = k.state.mms[f.mm].vmas
    found = False
    while v != n.NONE:
        vma = k.state.vmas[v]
        if vma.start < f.vpn + f.count and vma.end > f.vpn:
            vma.prot |= n.VM_LOCKED
            found = True
        v = vma.next
    return n.NEXT if found else n.FAIL_OOM


@compiled
def step_populate(k, t):
    """__mlock_vma_pages_range: fault the page in (an uninterruptible wait) and take it off the evictable lists."""
    f = current(k, t)
    if f.phase == 1:
        f.phase = 0
        if f.ret != 0:
            return -f.ret
    if k.state.tasks[t].sigkill:
        return n.FAIL_KILLED
    v = find_vma(k, f.mm, f.vpn)
    if v == n.NONE:
        return n.FAIL_OOM
    prot = k.state.vmas[v].prot
    write = prot & n.VM_WRITE != 0 and prot & n.VM_SHARED == 0
    if not accessible(k, f.mm, f.vpn, write):
        f.phase = 1
        f.fault = n.F_WRITE if write else 0
        return n.CALL
    p = pte_of(k, lookup_pte(k, f.mm, f.vpn)).page
    if p != n.NONE and k.state.pages[p].bits & n.PG_LRU:
        lru_del(k, p)
        k.state.pages[p].bits |= n.PG_UNEVICTABLE
        lru_add(k, p)
    return n.NEXT
