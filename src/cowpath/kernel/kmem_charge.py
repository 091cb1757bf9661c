"""Charges of kernel memory, in system calls: they fail with an error where nobody may be killed (``kmem.py``).

A page is charged at a time, as any page is; who needs several has them in hand one by one, and gives them back if the
next one is refused.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .kmem import (
    FILE_OBJECTS,
    MM_OBJECTS,
    PIPE_BUFFERS,
    PIPE_OBJECTS,
    PROGRAM_OBJECTS,
    STACK,
    TASK_OBJECTS,
    TASK_STRUCT,
    UPPER_TABLES,
    VM_AREA,
    close_pipe,
    give_to_vma,
    join_objects,
    room_for_objects,
)
from .memcg_charge import charge_group
from .mmap import split_vma
from .wait import current


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
def charge_objects(k, t, f, size, pages):
    """Objects of so many bytes are the caller's, who has so many pages in hand besides. NEXT, or a charge's answer."""
    g = f.charged_group
    if f.phase == 0 and room_for_objects(k, g) + (f.kmem - pages) * n.PAGE_SIZE >= size:
        if f.kmem > pages:
            join_objects(k, f, g, f.kmem - pages)
        k.state.groups[g].slab_bytes += size
        return n.NEXT
    f.gfp |= n.GFP_KERNEL_PAGE
    status = charge_group(k, t, f, g)
    return n.AGAIN if status == n.NEXT else status


@compiled
def hold_objects(k, t, f, size, pages):
    """The same, and they are in the call's hand."""
    status = charge_objects(k, t, f, size, pages)
    if status == n.NEXT:
        f.objects += size
        f.held |= n.H_KMEM
    return status


# --- fork ----------------------------------------------------------------------------------------
@compiled
def step_copy_process(k, t):
    """copy_process, with nothing held: the new task's task_struct, then its stack (dup_task_struct), then all the rest
    that it has of its own; of a process an address space as well (mm_init).
    """
    f = current(k, t)
    if not is_counted(k, t, f):
        return n.NEXT
    rest = TASK_OBJECTS + (MM_OBJECTS + PROGRAM_OBJECTS if f.path == s.P_FORK else 0)
    status = n.NEXT
    if f.objects == 0:
        status = hold_objects(k, t, f, TASK_STRUCT, 0)
    if status == n.NEXT and f.kmem < STACK:
        status = charge_pages(k, t, f, STACK)
    if status == n.NEXT and f.objects == TASK_STRUCT:
        status = hold_objects(k, t, f, rest, STACK)
    if status == n.NEXT and f.path == s.P_FORK:
        status = charge_pages(k, t, f, STACK + UPPER_TABLES)
    return status


@compiled
def step_bprm_mm_init(k, t):
    """bprm_mm_init: the new program's address space, before the point of no return."""
    f = current(k, t)
    if not is_counted(k, t, f):
        return n.NEXT
    status = hold_objects(k, t, f, MM_OBJECTS, 0) if f.objects == 0 else n.NEXT
    return charge_pages(k, t, f, UPPER_TABLES) if status == n.NEXT else status


@compiled
def step_load_elf_binary(k, t):
    """load_elf_binary: the mappings that every program has. The old ones are gone: who cannot have them dies."""
    f = current(k, t)
    mm = k.state.mms[k.state.tasks[t].mm]
    if not is_counted(k, t, f) or mm.kmem == 0:
        return n.NEXT
    status = charge_objects(k, t, f, PROGRAM_OBJECTS, 0)
    if status == n.NEXT:
        mm.objects += PROGRAM_OBJECTS
    return n.FAIL_SEGV if status == n.FAIL_CHARGE else status


# --- pipes ---------------------------------------------------------------------------------------
@compiled
def step_alloc_pipe_info(k, t):
    """create_pipe_files: an inode and the pipe, or ENFILE; then its files, or ENOMEM."""
    f = current(k, t)
    if not is_counted(k, t, f):
        return n.NEXT
    if f.objects == 0:
        status = hold_objects(k, t, f, PIPE_OBJECTS, 0)
        if status != n.NEXT:
            return n.FAIL_NFILE if status == n.FAIL_CHARGE else status
    status = hold_objects(k, t, f, FILE_OBJECTS, 0)
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
def step_vm_area_alloc(k, t):
    """vm_area_alloc, vm_area_dup: the mappings that the call makes, charged with mmap_sem held for writing; those at
    the edges of its range are split (__split_vma).
    """
    f = current(k, t)
    if is_counted(k, t, f) and f.objects == 0:
        needed = vm_areas_needed(k, f)
        if needed > 0 or f.phase != 0:
            status = hold_objects(k, t, f, needed * VM_AREA, 0)
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
