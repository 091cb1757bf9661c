"""What must always be true of what groups are charged for. Each function answers OK, or what is wrong."""

from __future__ import annotations

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import objects as o
from cowpath.kernel import steps as s
from cowpath.kernel.buffer import buffer_heads
from cowpath.kernel.charge_oom import KILL
from cowpath.kernel.compiled import compiled
from cowpath.kernel.folio import folio_nr_pages, page_folio
from cowpath.kernel.hierarchy import is_below
from cowpath.kernel.kmem import STACK, inode_objects, size_of, task_objects
from cowpath.kernel.kmem_charge import PAST_THE_LIMIT
from cowpath.kernel.lru import GONE
from cowpath.kernel.memcg_commit import FORCED

from .invariants_pages import OK


@compiled
def usage_adds_up(k):
    """Usage of a group = the pages charged in its subtree + what CPUs keep for it + charges in hand; within its limit.

    A charge in hand is a page that bears its group already, but for one from swap.
    """
    state = k.state
    own = np.zeros(state.n_groups, np.int64)
    for p in range(state.n_pages):
        if state.pages[p].group != n.NONE:
            own[state.pages[p].group] += folio_nr_pages(k, p)
    for t in range(state.n_tasks):
        for d in range(state.tasks[t].depth):
            f = state.tasks[t].frames[d]
            if f.path == s.P_SWAP_IN and f.held & n.H_CHARGE and f.charged_group != n.NONE:
                own[f.charged_group] += 1
    for c in range(state.n_cpus):
        for i in range(len(state.cpus[c].stocks)):
            stock = state.cpus[c].stocks[i]
            if stock.pages < 0 or (stock.pages > 0 and stock.group <= 0):
                return n.UNLIMITED
            own[stock.group] += stock.pages
        cpu = k.books.cpus[c]
        for i in range(cpu.lru_adds):  # a page that is nobody's any more, and whose place in the batch is taken
            if cpu.lru_add[i] < GONE:
                own[GONE - cpu.lru_add[i]] += 1
    for g in range(1, state.n_groups):
        own[g] += state.groups[g].slab_pages + state.groups[g].kernel_pages
    for g in range(1, state.n_groups):
        group = state.groups[g]
        want = 0
        for other in range(1, state.n_groups):
            if is_below(k, other, g):
                want += own[other]
        within = group.res.usage <= group.res.limit or may_exceed(k)
        if group.res.usage != want or (group.alive and not within):
            return g
    return OK


@compiled
def may_exceed(k):
    """By the design's policies, a charge may be made over the limit, and one for buffer heads always is before it fails
    (__GFP_NOFAIL), or for a block; in cgroup v2 the limit may be set below usage.
    """
    forced = k.state.dying_charge == FORCED or (k.state.charge_on_oom == KILL and not k.state.fails_in_vain)
    never_fails = k.books.charges_kmem and buffer_heads(k) > 0
    return forced or never_fails or k.state.getblk == PAST_THE_LIMIT or k.state.cgroup2 != 0


@compiled
def statistics_add_up(k):
    """cache, rss, mapped_file and pgpgin - pgpgout of memory.stat are what a count of the pages gives; max_usage is the
    most. Page tables are none of these."""
    state = k.state
    cache = np.zeros(state.n_groups, np.int64)
    kmem = np.zeros(state.n_groups, np.int64)
    rss = np.zeros(state.n_groups, np.int64)
    mapped = np.zeros(state.n_groups, np.int64)
    folios = np.zeros(state.n_groups, np.int64)
    for p in range(state.n_pages):
        page = state.pages[p]
        folio = state.pages[page_folio(k, p)]
        if page.rmap != n.NONE and folio.bits & n.PG_ANON == 0 and folio.group != n.NONE:
            mapped[folio.group] += 1
        if page.group == n.NONE:
            continue
        if page.bits & n.PG_TABLE:
            kmem[page.group] += 1
        elif page.bits & n.PG_ANON:
            rss[page.group] += folio_nr_pages(k, p)
            folios[page.group] += 1
        else:
            cache[page.group] += folio_nr_pages(k, p)
            folios[page.group] += 1
    for g in range(state.n_groups):
        kmem[g] += state.groups[g].slab_pages + state.groups[g].kernel_pages
        books = k.books.groups[g]
        if books.cache != cache[g] or books.rss != rss[g] or books.mapped_file != mapped[g] or books.kmem != kmem[g]:
            return g
        if g > 0 and books.pgpgin + books.split_pages - books.pgpgout != folios[g]:
            return g
        if books.max_usage < state.groups[g].res.usage or books.memsw_max_usage < state.groups[g].memsw.usage:
            return g
    return OK


@compiled
def kernel_memory_adds_up(k):
    """What a group is charged for besides page tables is what tasks, mappings, address spaces and calls have of it."""
    state = k.state
    pages = np.zeros(state.n_groups, np.int64)
    objects = np.zeros(state.n_groups, np.int64)
    for t in range(state.n_tasks):
        task = state.tasks[t]
        if task.kmem:
            pages[task.kmem - 1] += STACK if task.run_state != n.T_ZOMBIE else 0
            objects[task.kmem - 1] += task_objects(k)
            objects[task.kmem - 1] -= size_of(k, o.FILES_STRUCT) if task.run_state == n.T_ZOMBIE else 0
        if task.pipe:
            pages[task.pipe - 1] += task.pipe_pages
            objects[task.pipe - 1] += size_of(k, o.PIPE) + 2 * size_of(k, o.FILE)
        for i in range(len(task.opened)):
            if task.opened[i].kmem:
                objects[task.opened[i].kmem - 1] += size_of(k, o.FILE)
        for d in range(task.depth):
            f = task.frames[d]
            if f.held & n.H_KMEM:
                pages[f.charged_group] += f.kmem
                objects[f.charged_group] += f.objects
    for m in range(state.n_mms):
        if state.mms[m].kmem:
            pages[state.mms[m].kmem - 1] += size_of(k, o.OWN_TABLES)
            objects[state.mms[m].kmem - 1] += state.mms[m].objects
    for v in range(state.n_vmas):
        if state.vmas[v].kmem:
            objects[state.vmas[v].kmem - 1] += size_of(k, o.VM_AREA_STRUCT)
        if state.vmas[v].anon_vma:
            objects[state.vmas[v].anon_vma - 1] += size_of(k, o.ANON_VMA)
    for g in range(1, state.n_groups):
        objects[state.groups[g].parent] += state.groups[g].made_of
    for file in range(state.n_files):
        if k.books.trees[file].inode > 1:
            objects[k.books.trees[file].inode - 1] += inode_objects(k, file)
    for p in range(state.n_pages):
        if k.books.pages[p].buffers > 1:
            objects[k.books.pages[p].buffers - 1] += buffer_heads(k) * k.books.pages[p].buffered
    for number in range(k.books.n_nodes):
        if k.books.nodes[number].owner > 1:
            objects[k.books.nodes[number].owner - 1] += size_of(k, o.XA_NODE)
    for i in range(k.books.n_rcu):
        waiting = k.books.rcu[i]
        if waiting.group > 0:
            pages[waiting.group] += waiting.tables
            objects[waiting.group] += waiting.nodes * size_of(k, o.XA_NODE) + waiting.objects
    for g in range(1, state.n_groups):
        group = state.groups[g]
        left = group.slab_pages * n.PAGE_SIZE - group.slab_bytes - group.parked
        for c in range(state.n_cpus):
            left -= state.cpus[c].obj_bytes if state.cpus[c].obj_group == g else 0
        if group.kernel_pages != pages[g] or group.slab_bytes != objects[g] or left != 0:
            return g
    return OK
