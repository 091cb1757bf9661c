"""Kernel memory that a group pays for (mm/memcontrol.c since 4.5, 5d097056c9a0): stacks, page tables' upper levels,
pipes, and objects of slab caches.

It is none of the machine's pages, only of the counters, and is not reclaimed. Stacks and the like are whole pages. An
object is counted in bytes: a group's objects share the pages of its stock (obj_cgroup_charge), and what a page has left
is there for the next one. Sizes are those of a common x86-64 kernel, rounded; caches are not told apart.

How it is charged is in ``kmem_charge.py``. What is freed goes to the CPU's stock, and wakes nobody.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .hierarchy import is_below, parent_of
from .memcontrol import made_progress, res_counter_uncharge
from .page_counter import page_counter_charge, refill_stock

STACK = 4  # pages (THREAD_SIZE)
UPPER_TABLES = 3  # pages: an address space's pgd, a pud and a pmd
TASK_STRUCT = 10 << 10  # bytes
TASK_OBJECTS = 4 << 10  # signal_struct, sighand_struct, files_struct, fs_struct, ...
MM_OBJECTS = 2 << 10  # mm_struct
PROGRAM_OBJECTS = 3 << 10  # the dozen mappings that every program has: its text, its stack, ...
VM_AREA = 256  # vm_area_struct
PIPE_OBJECTS = 2 << 10  # an inode, pipe_inode_info and its ring of PIPE_BUFFERS
FILE_OBJECTS = 512  # two struct file
PIPE_BUFFERS = 16  # pages (PIPE_DEF_BUFFERS)


# --- pages ---------------------------------------------------------------------------------------
@compiled
def note_kernel_page(k, f, g):
    """A page has been charged, and is in the call's hand."""
    books = k.books.groups[g]
    books.kmem += 1
    books.counters[n.C_CHARGES] += 1
    made_progress(k, g)
    k.state.groups[g].kernel_pages += 1
    f.kmem += 1
    f.held |= n.H_KMEM
    f.gfp &= ~n.GFP_KERNEL_PAGE


@compiled
def uncharge_pages(k, g, pages):
    """Pages that are no objects' are freed."""
    k.state.groups[g].kernel_pages -= pages
    give_back(k, g, pages)


@compiled
def give_back(k, g, pages):
    """To this CPU's stock."""
    if pages <= 0:
        return
    k.books.groups[g].kmem -= pages
    if k.state.page_counter:
        refill_stock(k, k.books.cpu, g, pages)
    else:
        res_counter_uncharge(k, g, pages)
    made_progress(k, g)


# --- objects -------------------------------------------------------------------------------------
@compiled
def room_for_objects(k, g):
    """Bytes that the group's pages have left, unless a drain has parked them (drain_obj_stock): until the next page."""
    group = k.state.groups[g]
    return 0 if group.parked else group.slab_pages * n.PAGE_SIZE - group.slab_bytes


@compiled
def join_objects(k, f, g, pages):
    """The last pages in hand are for objects: with them what was parked is there again (refill_obj_stock)."""
    group = k.state.groups[g]
    group.kernel_pages -= pages
    group.slab_pages += pages
    group.parked = 0
    f.kmem -= pages
    if f.kmem == 0 and f.objects == 0:
        f.held &= ~n.H_KMEM


@compiled
def free_objects(k, g, size):
    """obj_cgroup_uncharge: what is left over by more than a page goes back in whole pages."""
    group = k.state.groups[g]
    group.slab_bytes -= size
    group.parked = 0
    left = group.slab_pages * n.PAGE_SIZE - group.slab_bytes
    if left > n.PAGE_SIZE:
        group.slab_pages -= left // n.PAGE_SIZE
        give_back(k, g, left // n.PAGE_SIZE)


@compiled
def drain_obj_stock(k, root):
    """drain_all_stock: the objects' stocks of the subtree are parked; a whole page goes back."""
    for g in range(1, k.state.n_groups):
        group = k.state.groups[g]
        if group.slab_pages == 0 or not is_below(k, g, root):
            continue
        group.parked = 1
        pages = (group.slab_pages * n.PAGE_SIZE - group.slab_bytes) // n.PAGE_SIZE
        if pages > 0:
            group.slab_pages -= pages
            k.books.groups[g].kmem -= pages
            res_counter_uncharge(k, g, pages)


# --- who has it ----------------------------------------------------------------------------------
@compiled
def undo_kmem(k, f):
    """What the call has in hand and needs no longer."""
    if f.objects > 0:
        free_objects(k, f.charged_group, f.objects)
    if f.kmem > 0:
        uncharge_pages(k, f.charged_group, f.kmem)
    f.objects = 0
    f.kmem = 0
    f.held &= ~n.H_KMEM


@compiled
def give_to_vma(k, f, v):
    """The call has made a mapping with an object that it has in hand."""
    vma = k.state.vmas[v]
    if f.objects >= VM_AREA and vma.kmem == 0:
        vma.kmem = 1 + f.charged_group
        f.objects -= VM_AREA


@compiled
def free_vm_area(k, v):
    """vm_area_free"""
    vma = k.state.vmas[v]
    if vma.kmem:
        free_objects(k, vma.kmem - 1, VM_AREA)
        vma.kmem = 0


@compiled
def give_to_mm(k, f, m):
    """Of what is in hand, an address space's part is a new one's."""
    if f.held & n.H_KMEM == 0 or f.kmem < UPPER_TABLES:
        return
    mm = k.state.mms[m]
    mm.kmem = 1 + f.charged_group
    mm.objects = MM_OBJECTS + (PROGRAM_OBJECTS if f.objects >= TASK_STRUCT else 0)
    f.objects -= mm.objects
    f.kmem -= UPPER_TABLES
    if f.kmem == 0 and f.objects == 0:
        f.held &= ~n.H_KMEM


@compiled
def free_mm(k, m):
    """__mmdrop: the address space's own kernel memory."""
    mm = k.state.mms[m]
    if mm.kmem:
        free_objects(k, mm.kmem - 1, mm.objects)
        uncharge_pages(k, mm.kmem - 1, UPPER_TABLES)
        mm.kmem = 0
        mm.objects = 0


@compiled
def give_to_task(k, f, t):
    """The rest of it is a new task's."""
    if f.held & n.H_KMEM:
        k.state.tasks[t].kmem = 1 + f.charged_group
        f.objects = 0
        f.kmem = 0
        f.held &= ~n.H_KMEM


@compiled
def free_stack(k, t):
    """put_task_stack, and its files are closed: a task that is dead."""
    task = k.state.tasks[t]
    if task.kmem:
        uncharge_pages(k, task.kmem - 1, STACK)
    close_pipe(k, t)


@compiled
def close_pipe(k, t):
    """free_pipe_info: its pages and all else of it."""
    task = k.state.tasks[t]
    if task.pipe:
        free_objects(k, task.pipe - 1, PIPE_OBJECTS + FILE_OBJECTS)
        uncharge_pages(k, task.pipe - 1, task.pipe_pages)
        task.pipe = 0
        task.pipe_pages = 0


@compiled
def free_task_struct(k, t):
    """put_task_struct: a task that nobody waits for any more."""
    task = k.state.tasks[t]
    if task.kmem:
        free_objects(k, task.kmem - 1, TASK_STRUCT + TASK_OBJECTS)
        task.kmem = 0


# --- a group that goes ---------------------------------------------------------------------------
@compiled
def reparent_kmem(k, g):
    """memcg_reparent_objcgs: what others still have of a group that is removed is the group's above it."""
    group = k.state.groups[g]
    pages = group.slab_pages + group.kernel_pages
    if pages == 0:
        return
    up = group.parent
    above = k.state.groups[up]
    counted = parent_of(k, g) != n.NONE
    group.res.usage -= pages
    group.memsw.usage -= pages
    k.books.groups[g].kmem -= pages
    if up > 0:
        above.slab_pages += group.slab_pages
        above.slab_bytes += group.slab_bytes
        above.kernel_pages += group.kernel_pages
        k.books.groups[up].kmem += pages
        if not counted:
            page_counter_charge(k, up, pages)
    group.slab_pages = 0
    group.slab_bytes = 0
    group.kernel_pages = 0
    group.parked = 0
    owner = 1 + up if up > 0 else 0
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        if task.kmem == 1 + g:
            task.kmem = owner
        if task.pipe == 1 + g:
            task.pipe = owner
    for m in range(k.state.n_mms):
        if k.state.mms[m].kmem == 1 + g:
            k.state.mms[m].kmem = owner
    for v in range(k.state.n_vmas):
        if k.state.vmas[v].kmem == 1 + g:
            k.state.vmas[v].kmem = owner
