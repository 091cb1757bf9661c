"""Charges of kernel memory, in system calls: they fail with an error where nobody may be killed (``kmem.py``).

A page is charged at a time, as any page is; who needs several has them in hand one by one, and gives them back if the
next one is refused.
"""

from __future__ import annotations

from . import names as n
from . import objects as o
from . import steps as s
from .compiled import compiled
from .kmem import (
    PIPE_BUFFERS,
    RECLAIMABLE,
    STACK,
    UNRECLAIMABLE,
    account_slab,
    bytes_for,
    close_pipe,
    consume_obj_stock,
    give_to_vma,
    join_objects,
    note_kernel_page,
    shmem_objects,
    size_of,
    task_objects,
    undo_kmem,
)
from .memcg_charge import charge_group
from .mmap import split_vma
from .page_counter import page_counter_charge
from .policies import number
from .wait import current

FAILS = number("getblk", "fails")
LOOPS = number("getblk", "loops")
PAST_THE_LIMIT = number("getblk", "past the limit")


@compiled
def is_counted(k, t, f):
    """The call is charged to a group that counts it: its task's, when it began to charge."""
    if not k.books.charges_kmem:
        return False
    if f.charged_group == n.NONE:
        f.charged_group = k.state.tasks[t].group
    return f.charged_group > 0


@compiled
def charge_pages(k, t, f, pages):
    """Until so many are in hand. NEXT, or what a charge answers."""
    if f.kmem >= pages:
        return n.NEXT
    f.gfp |= n.GFP_KERNEL_PAGE
    status = charge_group(k, t, f, f.charged_group)
    return n.AGAIN if status == n.NEXT and f.kmem < pages else status


@compiled
def is_one(k, size):
    """It is one object, larger than a page, and not several small ones."""
    return size == size_of(k, o.TASK_STRUCT)


@compiled
def charge_objects(k, t, f, size, pages, kind):
    """Objects of so many bytes, of a kind of slab caches, are the caller's, who has so many pages in hand besides.
    NEXT, or a charge's answer.
    """
    g = f.charged_group
    if f.phase == 0:
        c = k.state.tasks[t].cpu
        if f.kmem == pages and consume_obj_stock(k, c, g, size):
            account_slab(k, c, g, size, kind)
            f.gfp &= ~n.GFP_KERNEL_PAGE  # the page that it has charged for is not needed any more
            return n.NEXT
        room = 0 if is_one(k, size) else bytes_for(k, c, g)
        if (f.kmem - pages) * n.PAGE_SIZE + room >= size:
            join_objects(k, t, f, f.kmem - pages, size)
            account_slab(k, c, g, size, kind)
            return n.NEXT
    f.gfp |= n.GFP_KERNEL_PAGE
    status = charge_group(k, t, f, g)
    return n.AGAIN if status == n.NEXT else status


@compiled
def hold_objects(k, t, f, size, pages, kind):
    """The same, and they are in the call's hand."""
    status = charge_objects(k, t, f, size, pages, kind)
    if status == n.NEXT:
        f.objects += size
        f.held |= n.H_KMEM
    return status


# --- a file system's blocks ----------------------------------------------------------------------
@compiled
def step_getblk(k, t):
    """__getblk_slow, grow_dev_page: a block that the call needs, with all that its file system holds; a page of its
    device's page cache, charged to the caller's group and here in hand until ``brelse``. Where it cannot be had: by
    policy ``getblk``.
    """
    f = current(k, t)
    if f.charged_group == n.NONE:
        f.charged_group = k.state.tasks[t].group
        f.batch = 0  # a charge that begins
    if f.charged_group <= 0 or f.kmem > 0:
        return n.NEXT
    f.gfp |= n.GFP_KERNEL_PAGE
    status = charge_group(k, t, f, f.charged_group)
    if status != n.FAIL_CHARGE or k.state.getblk == FAILS:
        return status
    k.state.tasks[t].memcg_oom = 0
    k.state.tasks[t].short_of = 0
    if k.state.getblk == LOOPS:
        return n.AGAIN
    page_counter_charge(k, f.charged_group, 1)
    note_kernel_page(k, f, f.charged_group)
    return n.NEXT


@compiled
def step_brelse(k, t):
    """brelse; nobody else needs the block, which is reclaimed at once."""
    f = current(k, t)
    if f.held & n.H_KMEM:
        undo_kmem(k, f)
    f.charged_group = n.NONE
    return n.NEXT


# --- fork ----------------------------------------------------------------------------------------
@compiled
def step_copy_process(k, t):
    """copy_process, with nothing held: the new task's task_struct, then its stack (dup_task_struct), then all the rest
    that it has of its own; of a process an address space as well (mm_init).
    """
    f = current(k, t)
    if not is_counted(k, t, f):
        return n.NEXT
    task_struct = size_of(k, o.TASK_STRUCT)
    rest = task_objects(k) - task_struct
    if f.path == s.P_FORK:
        rest += size_of(k, o.MM_STRUCT) + size_of(k, o.PROGRAM_VMAS)
    status = n.NEXT
    if f.objects == 0:
        status = hold_objects(k, t, f, task_struct, 0, UNRECLAIMABLE)
    if status == n.NEXT and f.kmem < STACK:
        status = charge_pages(k, t, f, STACK)
    if status == n.NEXT and f.objects == task_struct:
        status = hold_objects(k, t, f, rest, STACK, UNRECLAIMABLE)
    if status == n.NEXT and f.path == s.P_FORK:
        status = charge_pages(k, t, f, STACK + size_of(k, o.OWN_TABLES))
    return status


@compiled
def step_bprm_mm_init(k, t):
    """bprm_mm_init: the new program's address space, before the point of no return."""
    f = current(k, t)
    if not is_counted(k, t, f):
        return n.NEXT
    status = hold_objects(k, t, f, size_of(k, o.MM_STRUCT), 0, UNRECLAIMABLE) if f.objects == 0 else n.NEXT
    return charge_pages(k, t, f, size_of(k, o.OWN_TABLES)) if status == n.NEXT else status


@compiled
def step_load_elf_binary(k, t):
    """load_elf_binary: the mappings that every program has. The old ones are gone: who cannot have them dies."""
    f = current(k, t)
    mm = k.state.mms[k.state.tasks[t].mm]
    if not is_counted(k, t, f) or mm.kmem == 0:
        return n.NEXT
    status = charge_objects(k, t, f, size_of(k, o.PROGRAM_VMAS), 0, UNRECLAIMABLE)
    if status == n.NEXT:
        mm.objects += size_of(k, o.PROGRAM_VMAS)
    return n.FAIL_SEGV if status == n.FAIL_CHARGE else status


# --- pipes ---------------------------------------------------------------------------------------
@compiled
def step_alloc_pipe_info(k, t):
    """create_pipe_files: an inode and the pipe, or ENFILE; then its files, or ENOMEM."""
    f = current(k, t)
    if not is_counted(k, t, f):
        return n.NEXT
    if f.objects == 0:
        status = hold_objects(k, t, f, size_of(k, o.PIPE), 0, UNRECLAIMABLE)
        if status != n.NEXT:
            return n.FAIL_NFILE if status == n.FAIL_CHARGE else status
    status = hold_objects(k, t, f, 2 * size_of(k, o.FILE), 0, UNRECLAIMABLE)
    if status == n.NEXT:
        close_pipe(k, t)  # what it had before
        k.state.tasks[t].pipe = 1 + f.charged_group
        f.objects = 0
        f.held &= ~n.H_KMEM
    return status


@compiled
def step_pipe_write(k, t):
    """pipe_write: a page into the task's own pipe, which nobody reads: EAGAIN when it is full."""
    f = current(k, t)
    task = k.state.tasks[t]
    if task.pipe == 0:
        return n.NEXT
    f.charged_group = task.pipe - 1
    if task.pipe_pages >= PIPE_BUFFERS:
        return n.FAIL_AGAIN
    status = charge_pages(k, t, f, 1)
    if status == n.NEXT:
        task.pipe_pages += 1
        f.kmem = 0
        f.held &= ~n.H_KMEM
    return status


# --- mappings ------------------------------------------------------------------------------------
@compiled
def is_split(k, f, v, at):
    """The call changes a part of the mapping that begins or ends here."""
    vma = k.state.vmas[v]
    if not vma.start < at < vma.end:
        return False
    if f.path == s.P_MLOCK:
        return vma.prot & n.VM_LOCKED == 0
    return f.path != s.P_MPROTECT or vma.prot & k.books.ops[f.op].c != f.arg


@compiled
def vm_areas_needed(k, f):
    """How many new mappings the call makes: by splitting those at the edges of its range, and mmap(2) one itself, if it
    does not make its neighbour longer.
    """
    count = 0
    grows = False
    v = k.state.mms[f.mm].vmas
    while v != n.NONE:
        vma = k.state.vmas[v]
        count += is_split(k, f, v, f.vpn)
        count += is_split(k, f, v, f.vpn + f.count)
        grows = grows or grows_into(k, f, v)
        v = vma.next
    maps = f.path == s.P_MMAP or f.path == s.P_MMAP_POPULATE
    return count + (1 if maps and not grows else 0)


@compiled
def grows_into(k, f, v):
    """An anonymous mapping of the same kind ends where the new one begins (new_vma)."""
    if f.path != s.P_MMAP and f.path != s.P_MMAP_POPULATE:
        return False
    vma = k.state.vmas[v]
    op = k.books.ops[f.op]
    prot = op.bits & ~n.MAP_POPULATE
    alike = vma.prot & ~n.VM_ANON_VMA == prot & ~n.VM_ANON_VMA
    return vma.end == f.vpn and vma.file == n.NONE and op.c == n.NONE and alike and prot & n.VM_SHARED == 0


@compiled
def hold_mappings(k, t, f):
    """What the call's new mappings take, and the object behind one of shared anonymous memory, which comes first."""
    behind = 0
    if f.path == s.P_MMAP or f.path == s.P_MMAP_POPULATE:
        op = k.books.ops[f.op]
        behind = shmem_objects(k) if op.c == n.NONE and op.bits & n.VM_SHARED else 0
    if behind > 0 and f.objects == 0:
        status = hold_objects(k, t, f, behind, 0, RECLAIMABLE)
        if status != n.NEXT:
            return status
    if f.objects > behind:
        return n.NEXT
    needed = vm_areas_needed(k, f)
    if needed == 0 and f.phase == 0:
        return n.NEXT
    return hold_objects(k, t, f, needed * size_of(k, o.VM_AREA_STRUCT), 0, UNRECLAIMABLE)


@compiled
def step_vm_area_alloc(k, t):
    """vm_area_alloc, vm_area_dup: the mappings that the call makes, charged with mmap_sem held for writing; those at
    the edges of its range are split (__split_vma).
    """
    f = current(k, t)
    if is_counted(k, t, f):
        status = hold_mappings(k, t, f)
        if status != n.NEXT:
            return status
    for edge in range(2):  # no tuple: a narrow machine's numbers are of two kinds
        at = f.vpn + edge * f.count
        v = k.state.mms[f.mm].vmas
        while v != n.NONE and not is_split(k, f, v, at):
            v = k.state.vmas[v].next
        if v != n.NONE:
            new = split_vma(k, f.mm, v, at)
            if new == n.NONE:
                return n.FAIL_OOM
            give_to_vma(k, f, new)
    if f.objects == 0:
        f.held &= ~n.H_KMEM
    return n.NEXT
