"""System calls' steps (mm/filemap.c, mm/mmap.c, mm/mlock.c, fs/proc/task_mmu.c); of tasks: ``fork.py``, ``exit.py``."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .filemap import cached_page
from .folio import page_folio
from .frames import do_page_fault, push_fault
from .kmem import give_to_vma, shmem_objects, undo_kmem
from .lru import lru_add, lru_add_drain, lru_del
from .mmap import find_vma, free_pgtables, new_vma, overlaps, remove_vmas, unmap_vmas
from .munlock import munlock_vma_pages_range
from .mutex import mutex_lock, mutex_lock_killable, mutex_unlock
from .pgtable import lookup_pte, pte_of
from .readahead import end_of_read
from .shmem import shmem_zero_setup
from .swap_state import skip_slots
from .wait import current, fatal_signal_pending


@compiled
def step_each_page(k, t):
    """The head of a loop over pages: leave it when none is left (read-ahead: pass over those that are cached)."""
    f = current(k, t)
    k.books.resched_ok = 1
    path = k.books.paths[f.path]
    if f.path == s.P_SWAP_READAHEAD:
        skip_slots(k, f)
    elif path.skips_cached:
        while f.count > 0 and (f.index >= k.state.files[f.file].pages or passes_over(k, f)):
            f.index += 1
            f.count -= 1
    elif path.reads_file and f.count > 0 and f.index >= k.state.files[f.file].pages:
        f.count = 0  # end of the file: a short read
    if f.count <= 0 or (k.state.tasks[t].sigkill and f.path == s.P_READ):
        f.pc = path.loop_end
        if f.path == s.P_READ:
            end_of_read(k, t, f)
    return n.NEXT


@compiled
def passes_over(k, f):
    """page_cache_ra_unbounded: what is there is not read. page_cache_ra_order finds that out when it has a folio."""
    return f.priority == 0 and cached_page(k, f.file, f.index) != n.NONE


@compiled
def step_fatal_signal_pending(k, t):
    """generic_perform_write: -EINTR (a50527b19c62, 3.3)"""
    return n.FAIL_KILLED if fatal_signal_pending(k, t) else n.NEXT


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
def step_copy_to_user(k, t):
    """read(2): the page's data goes to the caller's memory."""
    return copy_user(k, t, 1)


@compiled
def step_copy_from_user(k, t):
    """write(2): the data comes from there."""
    return copy_user(k, t, 0)


@compiled
def call_copy_user(k, t, f):
    """A fault in kernel mode."""
    do_page_fault(k, t, k.state.tasks[t].mm, f.arg + f.vpn, f.fault | n.F_ALLOW_RETRY | n.F_KILLABLE)
    return n.NEXT


@compiled
def copy_user(k, t, write):
    """copy_to_user, copy_from_user: the caller's page may have to be faulted in, in kernel mode (another path)."""
    f = current(k, t)
    if f.phase == 1:
        f.phase = 0
        if f.ret != 0:
            return user_copy_failed(f)
    if f.arg == n.NONE:
        return n.NEXT
    if accessible(k, k.state.tasks[t].mm, f.arg + f.vpn, write):
        return n.NEXT
    f.phase = 1
    f.fault = n.F_WRITE if write else 0
    return n.CALL


@compiled
def user_copy_failed(f):
    """The caller's page cannot be had: EFAULT, but for what has been copied before if there is just no memory."""
    if -f.ret == n.FAIL_KILLED:
        return n.FAIL_KILLED
    return n.FAIL_CHARGE if -f.ret == n.FAIL_CHARGE and f.vpn > 0 else n.FAIL_FAULT


@compiled
def what_was_done(k, t, f):
    """read(2) and write(2) for which there is no memory: the pages so far, if there are any, and no error."""
    if (f.path != s.P_READ and f.path != s.P_WRITE and f.path != s.P_PIPE_WRITE) or f.vpn == 0:
        return n.FAIL_CHARGE
    if f.path == s.P_READ:
        end_of_read(k, t, f)
    return n.NEXT


@compiled
def note_returned(k, t, f, path):
    """What a read, a write or an access to another task's memory returns, in pages: added up by task."""
    if path == s.P_READ or path == s.P_WRITE or path == s.P_PIPE_WRITE:
        k.books.tasks[t].returned += f.vpn
    elif path == s.P_ACCESS_REMOTE_VM:
        k.books.tasks[t].returned += f.done


@compiled
def step_i_mutex_lock(k, t):
    """mutex_lock(&inode->i_mutex): uninterruptible, but for readdir."""
    if current(k, t).path == s.P_READDIR:
        return mutex_lock_killable(k, t, n.W_I_MUTEX)
    return mutex_lock(k, t, n.W_I_MUTEX)


@compiled
def step_i_mutex_unlock(k, t):
    """mutex_unlock(&inode->i_mutex)"""
    return mutex_unlock(k, t, n.W_I_MUTEX)


@compiled
def step_unmap_region(k, t):
    """munmap(2)"""
    k.books.resched_ok = 1
    return do_munmap(k, t, current(k, t))


@compiled
def do_munmap(k, t, f):
    """Unmap a chunk a move, then the mappings go."""
    if f.phase == 0:
        if not munlock_vma_pages_range(k, t, f, f.mm, f.vpn, f.vpn + f.count):
            return n.SLEEP
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
    """mmap(2)"""
    return do_mmap_pgoff(k, t, current(k, t))


@compiled
def do_mmap_pgoff(k, t, f):
    """With MAP_FIXED: what was there goes first."""
    op = k.books.ops[f.op]
    if f.phase == 1 or overlaps(k, f.mm, f.vpn, f.vpn + f.count):
        k.books.resched_ok = 1
        status = do_munmap(k, t, f)
        if status != n.NEXT:
            return status
    file = op.c
    if file == n.NONE and op.bits & n.VM_SHARED:  # MAP_SHARED | MAP_ANONYMOUS: an object of its own
        file = shmem_zero_setup(k, op.b)
        if file == n.NONE:
            return n.FAIL_OOM
        if k.books.charges_kmem and shmem_objects(k) > 0 and f.objects >= shmem_objects(k):
            k.books.trees[file].inode = 1 + f.charged_group
            f.objects -= shmem_objects(k)
    v = new_vma(k, f.mm, op.a, op.a + op.b, file, op.d, op.bits & ~n.MAP_POPULATE)
    if v == n.NONE:
        return n.FAIL_OOM
    if f.held & n.H_KMEM:
        give_to_vma(k, f, v)
        undo_kmem(k, f)
    return n.NEXT


@compiled
def step_mlock_fixup(k, t):
    """mlock(2)"""
    return mlock_fixup(k, current(k, t))


@compiled
def step_mprotect_fixup(k, t):
    """mprotect(2): the mappings of the range may be written to, or not; entries that allowed it do so no longer. And
    madvise(2) that only sets or clears what is known of the mappings (madvise_behavior).
    """
    f = current(k, t)
    which = k.books.ops[f.op].c
    v = k.state.mms[f.mm].vmas
    found = False
    while v != n.NONE:
        vma = k.state.vmas[v]
        if vma.start < f.vpn + f.count and vma.end > f.vpn:
            vma.prot = (vma.prot & ~which) | f.arg
            found = True
        v = vma.next
    if which == n.VM_WRITE and f.arg == 0:
        change_protection(k, f.mm, f.vpn, f.vpn + f.count)
    return n.NEXT if found else n.FAIL_OOM


@compiled
def change_protection(k, m, start, end):
    """change_protection: nothing of the range can be written to without a fault."""
    entries = len(k.state.tables[0].pte)
    vpn = start
    while vpn < end:
        number = lookup_pte(k, m, vpn)
        if number == n.NONE:
            vpn = (vpn | (entries - 1)) + 1
            continue
        if pte_of(k, number).bits & n.PTE_PRESENT:
            pte_of(k, number).bits &= ~n.PTE_WRITE
        vpn += 1


@compiled
def mlock_fixup(k, f):
    """The mappings of the range become VM_LOCKED."""
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
    """__mlock_vma_pages_range: the page is faulted in and taken off the evictable lists. make_pages_present: only that,
    and mmap(2) does not fail when it does. madvise_populate: only that, to read or to write.
    """
    f = current(k, t)
    status = __get_user_pages(k, t, f)
    if status == n.NEXT and f.count <= 1 and k.state.populate_drains:
        lru_add_drain(k, k.state.tasks[t].cpu)
    if f.path == s.P_MMAP_POPULATE and status != n.CALL and status != n.FAIL_KILLED:
        f.count = f.count if status == n.NEXT else 1  # next_page: the last one
        return n.NEXT
    if f.path == s.P_MADVISE_POPULATE:
        return status
    if status == n.FAIL_CHARGE:
        return n.FAIL_AGAIN  # __mlock_posix_error_return
    if status != n.NEXT:
        return status
    p = pte_of(k, lookup_pte(k, f.mm, f.vpn)).page
    p = page_folio(k, p) if p != n.NONE else n.NONE
    if p != n.NONE and k.state.pages[p].bits & n.PG_LRU:
        lru_del(k, p)
        k.state.pages[p].bits |= n.PG_UNEVICTABLE
        lru_add(k, p)
    return n.NEXT


@compiled
def __get_user_pages(k, t, f):
    """Fault the page in (another path; an uninterruptible wait), unless it can be accessed."""
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
    if f.path == s.P_MADVISE_POPULATE:
        write = f.todo & n.F_WRITE != 0
        if write and prot & n.VM_WRITE == 0:
            return n.FAIL_INVAL
    if not accessible(k, f.mm, f.vpn, write):
        f.phase = 1
        f.fault = n.F_WRITE if write else 0
        return n.CALL
    return n.NEXT


@compiled
def call_populate(k, t, f):
    """get_user_pages: not killable. make_pages_present has the mmap_sem, for writing, and does not let it go; nor does
    madvise_populate, which has it for reading.
    """
    if f.held & (n.H_MMAP_WRITE | n.H_MMAP_READ):
        push_fault(k, t, s.P_HANDLE_MM_FAULT, f.mm, f.vpn, f.fault)
    else:
        do_page_fault(k, t, f.mm, f.vpn, f.fault | n.F_ALLOW_RETRY)
    return n.NEXT


@compiled
def step_show_map(k, t):
    """show_map, for all of them: only its cost."""
    return n.NEXT
