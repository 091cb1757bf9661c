"""Kernel memory that a group pays for (mm/memcontrol.c since 4.5, 5d097056c9a0): stacks, a program's own page tables,
pipes, and objects of slab caches.

It is none of the machine's pages, only of the counters, and is not reclaimed. Stacks and the like are whole pages. An
object is counted in bytes (obj_cgroup_charge): what is left of the last page is kept by the CPU, for one group's
objects, until another's come (``obj_stock_pcp``). Sizes are those of ``kernels/objects.toml``.

How it is charged is in ``kmem_charge.py``. Pages that are freed go to the CPU's stock, and wake nobody.
"""

from __future__ import annotations

from . import names as n
from . import objects as o
from .compiled import compiled
from .hierarchy import is_below, parent_of
from .memcg_stock import consume_stock, drain_all_stock, refill_stock, stock_of
from .memcontrol import made_progress, mem_cgroup_margin
from .page_counter import page_counter_charge
from .rcu import call_rcu, pass_on
from .res_counter import account_kmem, res_counter_uncharge

STACK = 4  # pages (THREAD_SIZE)
PGD = 1  # of the tables that every program has, the one that is freed with its address space (pgd_free)
UNRECLAIMABLE, RECLAIMABLE = 0, 1  # of slab caches
PIPE_BUFFERS = 16  # pages (PIPE_DEF_BUFFERS)


# --- pages ---------------------------------------------------------------------------------------
@compiled
def note_kernel_page(k, f, g):
    """A page has been charged, and is in the call's hand."""
    account_kmem(k, g, 1)
    k.books.groups[g].counters[n.C_CHARGES] += 1
    made_progress(k, g)
    k.state.groups[g].kernel_pages += 1
    f.kmem += 1
    f.held |= n.H_KMEM
    f.gfp &= ~n.GFP_KERNEL_PAGE


@compiled
def uncharge_pages(k, g, pages):
    """Pages that are no objects' are freed, one by one."""
    k.state.groups[g].kernel_pages -= pages
    for _ in range(pages):
        give_back(k, g, 1)


@compiled
def give_back(k, g, pages):
    """To this CPU's stock."""
    if pages <= 0:
        return
    account_kmem(k, g, -pages)
    if k.state.page_counter:
        refill_stock(k, k.books.cpu, g, pages)
    else:
        res_counter_uncharge(k, g, pages)
    made_progress(k, g)


# --- objects -------------------------------------------------------------------------------------
@compiled
def size_of(k, what):
    """What a charge for an object takes, in bytes (pages for the program's own tables)."""
    return k.books.objects[what]


@compiled
def bytes_for(k, c, g):
    """What this CPU keeps for the group's objects."""
    cpu = k.state.cpus[c]
    return cpu.obj_bytes if cpu.obj_group == g else 0


@compiled
def consume_obj_stock(k, c, g, size):
    """A charge of so many bytes from what this CPU keeps for the group's objects. False where that is not enough."""
    cpu = k.state.cpus[c]
    if cpu.obj_group != g or cpu.obj_bytes < size:
        return False
    cpu.obj_bytes -= size
    k.state.groups[g].slab_bytes += size
    return True


@compiled
def account_slab(k, c, g, size, which):
    """account_obj_stock: memory.stat hears of objects (which: slab_unreclaimable, slab_reclaimable) when they have come
    to more than a page, or another group's come to this CPU.
    """
    kept = k.books.cpus[c].slab
    if kept[which] == 0:
        kept[which] = size
        return
    kept[which] += size
    if abs(kept[which]) > n.PAGE_SIZE:
        k.books.groups[g].slab[which] += kept[which]
        kept[which] = 0


@compiled
def refill_obj_stock(k, c, g, size, may_uncharge):
    """Keep so many bytes for the group's next objects on this CPU. Another group's are left to that group; and where
    something has been freed, or comes to another group, what is more than a page goes back.
    """
    cpu = k.state.cpus[c]
    group = k.state.groups[g]
    if cpu.obj_group != g:
        drain_obj_stock(k, c)
        cpu.obj_group = g
        cpu.obj_bytes = group.parked
        group.parked = 0
        may_uncharge = True
    cpu.obj_bytes += size
    if may_uncharge and cpu.obj_bytes > n.PAGE_SIZE:
        pages = cpu.obj_bytes // n.PAGE_SIZE
        cpu.obj_bytes -= pages * n.PAGE_SIZE
        group.slab_pages -= pages
        give_back(k, g, pages)


@compiled
def drain_obj_stock(k, c):
    """What a CPU keeps for a group's objects: whole pages go back, the rest is the group's, on no CPU."""
    cpu = k.state.cpus[c]
    g = cpu.obj_group
    if g == 0:
        return
    group = k.state.groups[g]
    pages = cpu.obj_bytes // n.PAGE_SIZE
    if pages > 0:
        group.slab_pages -= pages
        account_kmem(k, g, -pages)
        res_counter_uncharge(k, g, pages)
    group.parked += cpu.obj_bytes - pages * n.PAGE_SIZE
    kept = k.books.cpus[c].slab
    for which in range(len(kept)):
        k.books.groups[g].slab[which] += kept[which]
        kept[which] = 0
    cpu.obj_group = 0
    cpu.obj_bytes = 0


@compiled
def drain_all_obj_stock(k, root):
    """What CPUs keep for objects of the subtree."""
    for c in range(k.state.n_cpus):
        g = k.state.cpus[c].obj_group
        if g > 0 and is_below(k, g, root):
            drain_obj_stock(k, c)


@compiled
def drain_stocks(k, c, root):
    """drain_all_stock: what this CPU and the others keep for the subtree, of charges and for objects."""
    drain_all_stock(k, c, root)
    drain_all_obj_stock(k, root)


@compiled
def join_objects(k, t, f, pages, size):
    """So many pages in hand are for objects of so many bytes, and for those that come after."""
    g = f.charged_group
    group = k.state.groups[g]
    group.kernel_pages -= pages
    group.slab_pages += pages
    group.slab_bytes += size
    f.kmem -= pages
    if f.kmem == 0 and f.objects == 0:
        f.held &= ~n.H_KMEM
    refill_obj_stock(k, k.state.tasks[t].cpu, g, pages * n.PAGE_SIZE - size, False)


@compiled
def has_room(k, g, pages):
    """So many pages fit into the group and those that are charged with it."""
    while g != n.NONE:
        if mem_cgroup_margin(k, g) < pages:
            return False
        g = parent_of(k, g)
    return True


@compiled
def charge_now(k, g, size):
    """Objects of so many bytes, whatever the limit: who calls has looked for room (mkdir of a group)."""
    c = k.books.cpu
    group = k.state.groups[g]
    while not consume_obj_stock(k, c, g, size):
        if not consume_stock(k, c, g, 1):
            batch = k.books.charge_batch if has_room(k, g, k.books.charge_batch) else 1
            page_counter_charge(k, g, batch)
            if batch > 1:
                refill_stock(k, c, g, batch - 1)
        account_kmem(k, g, 1)
        group.slab_pages += 1
        refill_obj_stock(k, c, g, n.PAGE_SIZE, False)


@compiled
def charge_if_room(k, g, size):
    """Objects of so many bytes, where there is room for them without reclaim. Whether there was."""
    c = k.books.cpu
    if bytes_for(k, c, g) < size and stock_of(k, c, g) == 0 and not has_room(k, g, 1):
        return False
    charge_now(k, g, size)
    return True


@compiled
def uncharge_objects(k, g, size):
    """obj_cgroup_uncharge"""
    k.state.groups[g].slab_bytes -= size
    refill_obj_stock(k, k.books.cpu, g, size, True)


@compiled
def free_objects(k, g, size):
    """Objects of slab caches are freed."""
    uncharge_objects(k, g, size)
    account_slab(k, k.books.cpu, g, -size, UNRECLAIMABLE)


@compiled
def free_reclaimable(k, g, size):
    """The same, of caches that a shrinker knows: nodes, buffer heads, inodes and dentries."""
    uncharge_objects(k, g, size)
    account_slab(k, k.books.cpu, g, -size, RECLAIMABLE)


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
    f.gfp &= ~n.GFP_KERNEL_PAGE


@compiled
def give_to_vma(k, f, v):
    """The call has made a mapping with an object that it has in hand."""
    vma = k.state.vmas[v]
    if f.objects >= size_of(k, o.VM_AREA_STRUCT) and vma.kmem == 0:
        vma.kmem = 1 + f.charged_group
        f.objects -= size_of(k, o.VM_AREA_STRUCT)


@compiled
def free_vm_area(k, v):
    """vm_area_free"""
    vma = k.state.vmas[v]
    if vma.kmem:
        free_objects(k, vma.kmem - 1, size_of(k, o.VM_AREA_STRUCT))
        vma.kmem = 0
    if vma.anon_vma:
        free_objects(k, vma.anon_vma - 1, size_of(k, o.ANON_VMA))
        vma.anon_vma = 0


@compiled
def give_to_mm(k, f, m):
    """Of what is in hand, an address space's part is a new one's."""
    if f.held & n.H_KMEM == 0 or f.kmem < size_of(k, o.OWN_TABLES):
        return
    mm = k.state.mms[m]
    mm.kmem = 1 + f.charged_group
    mm.objects = size_of(k, o.MM_STRUCT)
    if f.objects >= size_of(k, o.TASK_STRUCT):  # of a fork; a program's that begins come later
        mm.objects += size_of(k, o.PROGRAM_VMAS)
    f.objects -= mm.objects
    f.kmem -= size_of(k, o.OWN_TABLES)
    if f.kmem == 0 and f.objects == 0:
        f.held &= ~n.H_KMEM


@compiled
def free_mm(k, m):
    """__mmdrop: the address space's own kernel memory."""
    mm = k.state.mms[m]
    if mm.kmem:
        free_objects(k, mm.kmem - 1, mm.objects)
        tables = size_of(k, o.OWN_TABLES)
        if k.state.tables_to_stock and call_rcu(k, mm.kmem - 1, tables - PGD, 0, 0):
            tables = PGD
        uncharge_pages(k, mm.kmem - 1, tables)
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
        free_objects(k, task.kmem - 1, size_of(k, o.FILES_STRUCT))
    close_pipe(k, t)
    for i in range(len(task.opened)):
        close_file(k, task.opened[i])


@compiled
def memcg_objects(k):
    """mem_cgroup_alloc: what a group takes in the one in which it is made. Each CPU's share has pointers as large as
    two more of it (pcpu_obj_full_size).
    """
    return size_of(k, o.MEM_CGROUP) + (k.state.n_cpus + 2) * size_of(k, o.MEMCG_PERCPU)


@compiled
def account_memcg(k, g, sign):
    """What memory.stat says of a group that is made (1) in this one, or goes (-1)."""
    k.books.groups[g].percpu += sign * (k.state.n_cpus + 2) * size_of(k, o.MEMCG_PERCPU)
    if size_of(k, o.MEM_CGROUP) > 0:
        account_slab(k, k.books.cpu, g, sign * size_of(k, o.MEM_CGROUP), UNRECLAIMABLE)


@compiled
def close_file(k, opened):
    """__fput: a struct file."""
    if opened.kmem:
        free_objects(k, opened.kmem - 1, size_of(k, o.FILE))
        opened.kmem = 0


@compiled
def inode_objects(k, file):
    """Bytes of a file's inode and dentry; of the object behind shared anonymous memory its struct file as well."""
    if k.state.files[file].anonymous:
        return shmem_objects(k)
    inode = o.SHMEM_INODE if k.state.files[file].shmem else o.INODE
    return size_of(k, inode) + size_of(k, o.DENTRY)


@compiled
def shmem_objects(k):
    """shmem_kernel_file_setup: bytes of what stands behind a mapping of shared anonymous memory."""
    return size_of(k, o.SHMEM_INODE) + size_of(k, o.DENTRY) + size_of(k, o.FILE)


@compiled
def evict_inode(k, file):
    """The inode of a file that is gone."""
    tree = k.books.trees[file]
    if tree.inode > 1:
        free_reclaimable(k, tree.inode - 1, inode_objects(k, file))
    tree.inode = 0


@compiled
def close_pipe(k, t):
    """free_pipe_info: its pages and all else of it."""
    task = k.state.tasks[t]
    if task.pipe:
        free_objects(k, task.pipe - 1, size_of(k, o.PIPE) + 2 * size_of(k, o.FILE))
        uncharge_pages(k, task.pipe - 1, task.pipe_pages)
        task.pipe = 0
        task.pipe_pages = 0


@compiled
def task_objects(k):
    """Bytes of a task's own objects."""
    shared = size_of(k, o.FILES_STRUCT) + size_of(k, o.SIGHAND_STRUCT)
    return size_of(k, o.TASK_STRUCT) + size_of(k, o.TASK_REST) + shared


@compiled
def free_task_struct(k, t):
    """release_task: a task that nobody waits for any more; the rest when a grace period is over (put_task_struct)."""
    task = k.state.tasks[t]
    if task.kmem:
        g = task.kmem - 1
        free_objects(k, g, size_of(k, o.SIGHAND_STRUCT))
        rest = size_of(k, o.TASK_STRUCT) + size_of(k, o.TASK_REST)
        if not call_rcu(k, g, 0, 0, rest):
            free_objects(k, g, rest)
        task.kmem = 0


# --- after a grace period ------------------------------------------------------------------------
@compiled
def rcu_do_batch(k, now):
    """What has waited for a grace period that is over by now is freed, on the CPU that wanted it freed."""
    cpu = k.books.cpu
    left = 0
    for i in range(k.books.n_rcu):
        waiting = k.books.rcu[i]
        if waiting.at > now:
            k.books.rcu_at = min(k.books.rcu_at, waiting.at) if left > 0 else waiting.at
            keep_waiting(k, i, left)
            left += 1
        elif waiting.group > 0:
            k.books.cpu = waiting.cpu
            uncharge_pages(k, waiting.group, waiting.tables)
            for _ in range(waiting.nodes):
                free_reclaimable(k, waiting.group, size_of(k, o.XA_NODE))
            if waiting.objects > 0:
                free_objects(k, waiting.group, waiting.objects)
    k.books.n_rcu = left
    k.books.cpu = cpu


@compiled
def keep_waiting(k, i, place):
    """The entry of the queue moves up."""
    waiting = k.books.rcu[i]
    moved = k.books.rcu[place]
    moved.at = waiting.at
    moved.cpu = waiting.cpu
    moved.group = waiting.group
    moved.tables = waiting.tables
    moved.nodes = waiting.nodes
    moved.objects = waiting.objects


# --- a group that goes ---------------------------------------------------------------------------
@compiled
def reparent_kmem(k, g):
    """memcg_reparent_objcgs: what others still have of a group that is removed is the group's above it."""
    group = k.state.groups[g]
    for c in range(k.state.n_cpus):
        if k.state.cpus[c].obj_group == g:
            drain_obj_stock(k, c)
    pages = group.slab_pages + group.kernel_pages
    if pages == 0:
        return
    up = group.parent
    above = k.state.groups[up]
    counted = parent_of(k, g) != n.NONE
    group.res.usage -= pages
    group.memsw.usage -= pages
    account_kmem(k, g, -pages)
    if up > 0:
        above.slab_pages += group.slab_pages
        above.slab_bytes += group.slab_bytes
        above.parked += group.parked
        above.kernel_pages += group.kernel_pages
        account_kmem(k, up, pages)
        if not counted:
            page_counter_charge(k, up, pages)
    group.slab_pages = 0
    group.slab_bytes = 0
    group.parked = 0
    group.kernel_pages = 0
    for which in range(2):
        k.books.groups[up].slab[which] += k.books.groups[g].slab[which]
        k.books.groups[g].slab[which] = 0
    give_owners(k, g, 1 + up if up > 0 else 0)


@compiled
def give_owners(k, g, owner):
    """Whatever was charged to the group is this one's, by 1 + its number, or nobody's (0)."""
    pass_on(k, g, owner)
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        if task.kmem == 1 + g:
            task.kmem = owner
        if task.pipe == 1 + g:
            task.pipe = owner
        for i in range(len(task.opened)):
            if task.opened[i].kmem == 1 + g:
                task.opened[i].kmem = owner
    for m in range(k.state.n_mms):
        if k.state.mms[m].kmem == 1 + g:
            k.state.mms[m].kmem = owner
    for v in range(k.state.n_vmas):
        if k.state.vmas[v].kmem == 1 + g:
            k.state.vmas[v].kmem = owner
        if k.state.vmas[v].anon_vma == 1 + g:
            k.state.vmas[v].anon_vma = owner
    for p in range(k.state.n_pages):
        if k.books.pages[p].buffers == 1 + g:
            k.books.pages[p].buffers = max(1, owner)
    for file in range(k.state.n_files):
        if k.books.trees[file].inode == 1 + g:
            k.books.trees[file].inode = max(1, owner)
    for number in range(k.books.n_nodes):
        if k.books.nodes[number].owner == 1 + g:
            k.books.nodes[number].owner = max(1, owner)
    k.books.groups[max(0, owner - 1)].shadow_nodes += k.books.groups[g].shadow_nodes
    k.books.groups[g].shadow_nodes = 0
