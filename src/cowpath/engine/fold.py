"""Folding: machines that differ only in the numbers of things are one state.

``canonical`` copies a state with everything that bears an arbitrary number (pages, address spaces, mappings, page
tables, requests, and tasks that are alike) renumbered in the order in which a walk from fixed points meets it; free
lists and what lies on them are left out. Two states with the same copy have the same future, up to those numbers.

The walk goes by the zone's lists, the files' slots, then the tasks, the alike ones in the order of what each is doing.
Where it cannot tell two things apart, it takes them as they come: that folds less, and never what is not the same.
"""

from __future__ import annotations

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.compiled import compiled
from cowpath.kernel.layout import narrowed
from cowpath.kernel.state import EXPLORE, state_dtype

LAYOUT = narrowed(state_dtype(EXPLORE))


def _place(field: str) -> tuple[int, int]:
    """Where an array of records begins in the state, and how long each is, in 16-bit words."""
    kind, offset = LAYOUT.fields[field][:2]  # type: ignore[index]
    return offset // 2, kind.base.itemsize // 2


TASK_AT, TASK_WORDS = _place("tasks")
PAGE_AT, PAGE_WORDS = _place("pages")
MM_AT, MM_WORDS = _place("mms")
VMA_AT, VMA_WORDS = _place("vmas")
DIRECTORY_AT, DIRECTORY_WORDS = _place("directories")
TABLE_AT, TABLE_WORDS = _place("tables")
REQUEST_AT, REQUEST_WORDS = _place("requests")
TAIL_AT = LAYOUT.fields["files"][1] // 2  # type: ignore[index]
HALVES = LAYOUT.itemsize // 2
HEADS = LAYOUT.fields["tasks"][1] // 2  # type: ignore[index]
EXPLORE_ENTRIES = EXPLORE.entries

# rows of the table of names
PAGE = 0
TASK = 1
MM = 2
VMA = 3
DIRECTORY = 4
TABLE = 5
REQUEST = 6
ORDER = 7  # tasks in their canonical order
COUNT = 8  # how many of each have a name
KINDS = 9
WIDEST = max(EXPLORE.pages, EXPLORE.directories, EXPLORE.vmas, KINDS)

STANCE_PRIME = 2147483647  # products stay below 2 ** 63, compiled or not


@compiled
def give_name(names, kind, number):
    """The next name of this kind for what has none yet. True if it is new."""
    if number < 0 or names[kind, number] != n.NONE:
        return False
    names[kind, number] = names[COUNT, kind]
    names[COUNT, kind] += 1
    return True


@compiled
def name_of(names, kind, number):
    """The name of a thing; what is no number of one stays as it is."""
    return names[kind, number] if number >= 0 else number


# --- the walk ------------------------------------------------------------------------------------
@compiled
def add_to(h, value):
    """A number that has one more value in it."""
    return (np.int64(h) * 48271 + np.int64(value) + 65536) % STANCE_PRIME


@compiled
def stance(k, t):
    """What a task is doing, as a number that no number of a thing goes into."""
    task = k.state.tasks[t]
    h = add_to(add_to(1, task.run_state), task.wait_kind)
    h = add_to(add_to(add_to(h, task.pc), task.killable), task.exclusive)
    h = add_to(add_to(add_to(add_to(h, task.sigkill), task.memdie), task.exiting), task.granted)
    h = add_to(add_to(add_to(add_to(h, task.depth), task.status), task.progress), task.group)
    for d in range(task.depth):
        f = task.frames[d]
        h = add_to(add_to(add_to(add_to(h, f.path), f.pc), f.phase), f.held)
        h = add_to(add_to(add_to(add_to(h, f.unwinding), f.batch), f.retries), f.oomed)
        h = add_to(add_to(add_to(add_to(h, f.fault), f.ret), f.group), f.relock)
    return h


@compiled
def order_tasks(k, names, alike, stances):
    """Tasks in their canonical order: each in its place, the alike ones among them by what they are doing."""
    count = k.state.n_tasks
    order = names[ORDER]
    for t in range(count):
        order[t] = t
        stances[t] = stance(k, t)
    for at in range(1, count):
        if alike[at] == at:
            continue
        j = at
        before = j - 1
        while before >= 0:  # among those that are alike, which stand side by side
            if alike[order[before]] != alike[at] or stances[order[before]] <= stances[order[j]]:
                break
            order[before], order[j] = order[j], order[before]
            j = before
            before -= 1
    for at in range(count):
        give_name(names, TASK, order[at])


@compiled
def name_mm(k, names, m):
    """An address space with its mappings, page tables, and the pages that those map."""
    if not give_name(names, MM, m):
        return
    state = k.state
    v = state.mms[m].vmas
    while v != n.NONE and state.vmas[v].mm == m:
        give_name(names, VMA, v)
        v = state.vmas[v].next
    root = state.mms[m].root
    if root == n.NONE or (state.mms[m].users == 0 and state.mms[m].tables == 0):
        return
    name_directory(k, names, root)


@compiled
def name_directory(k, names, d):
    """A directory and what hangs below it: two more levels of directories, then the tables."""
    give_name(names, DIRECTORY, d)
    for i in range(EXPLORE_ENTRIES):
        below = k.state.directories[d].entry[i]
        if below == n.NONE:
            continue
        give_name(names, DIRECTORY, below)
        for j in range(EXPLORE_ENTRIES):
            lower = k.state.directories[below].entry[j]
            if lower == n.NONE:
                continue
            give_name(names, DIRECTORY, lower)
            for l in range(EXPLORE_ENTRIES):  # noqa: E741
                leaf = k.state.directories[lower].entry[l]
                if leaf != n.NONE:
                    name_table(k, names, leaf)


@compiled
def name_table(k, names, leaf):
    """A page table, its page and the pages that it maps."""
    give_name(names, TABLE, leaf)
    give_name(names, PAGE, k.state.tables[leaf].page)
    for i in range(EXPLORE_ENTRIES):
        pte = k.state.tables[leaf].pte[i]
        if pte.bits & n.PTE_PRESENT and pte.page != n.NONE:
            give_name(names, PAGE, pte.page)


@compiled
def names_mm(f):
    """The address space in ``frame.which``, or NONE (a task that ends, executes or forks keeps it there)."""
    if f.path == s.P_EXIT or f.path == s.P_FORK or f.path == s.P_EXEC:
        return f.which
    return n.NONE


@compiled
def names_request(f):
    """The disk request in ``frame.which``, or NONE."""
    reading = f.path == s.P_READAHEAD or f.path == s.P_SWAP_READAHEAD
    return f.which if reading or f.path == s.P_WRITEBACK or f.path == s.P_FSYNC else n.NONE


@compiled
def names_page(f):
    """The page in ``frame.arg``, or NONE: the one that do_wp_page replaces."""
    return f.arg if f.path == s.P_WP_COPY and f.held & n.H_PAGE_REF else n.NONE


@compiled
def walk(k, names):
    """Give every thing that is in use its name."""
    state = k.state
    for which in range(5):
        p = state.zone.lists[which].head
        while p != n.NONE:
            give_name(names, PAGE, p)
            p = state.pages[p].zone_next
    for i in range(len(state.slots)):
        give_name(names, PAGE, state.slots[i] - 1)
    for at in range(state.n_tasks):
        t = names[ORDER, at]
        task = state.tasks[t]
        if task.run_state == n.T_FREE:
            continue
        if task.run_state != n.T_ZOMBIE:
            name_mm(k, names, task.mm)
        for d in range(task.depth):
            f = task.frames[d]
            if f.held & n.H_NEW_PAGE or f.newpage != n.NONE:
                give_name(names, PAGE, f.newpage)
            give_name(names, PAGE, f.prealloc_pte)
            give_name(names, PAGE, f.page)
            give_name(names, PAGE, names_page(f))
            name_mm(k, names, f.mm)
            name_mm(k, names, names_mm(f))
            give_name(names, REQUEST, names_request(f))
    name_requests(k, names)
    for slot in range(state.n_swaps):
        give_name(names, PAGE, state.swaps[slot].page - 1)


@compiled
def name_requests(k, names):
    """The disk's requests, in the order in which it will work on them, and their pages."""
    state = k.state
    give_name(names, REQUEST, state.disk_busy)
    r = state.reads.head
    while r != n.NONE:
        give_name(names, REQUEST, r)
        r = state.requests[r].next
    r = state.writes.head
    while r != n.NONE:
        give_name(names, REQUEST, r)
        r = state.requests[r].next
    for r in range(len(state.requests)):
        if state.requests[r].busy:
            give_name(names, REQUEST, r)
    for name in range(names[COUNT, REQUEST]):
        for r in range(len(state.requests)):
            if names[REQUEST, r] == name and state.requests[r].busy:
                p = state.requests[r].first
                while p != n.NONE:
                    give_name(names, PAGE, p)
                    p = state.pages[p].io_next


# --- the copy ------------------------------------------------------------------------------------
@compiled
def copy_row(source, target, at, words, number, name):
    """A record, as it stands, to the place of its name."""
    start = at + number * words
    to = at + name * words
    for i in range(words):
        target[to + i] = source[start + i]


@compiled
def owner_name(names, owner):
    """The owner of a page lock."""
    if owner <= n.REQUEST_OWNER:
        return n.REQUEST_OWNER - names[REQUEST, n.REQUEST_OWNER - owner]
    return name_of(names, TASK, owner)


@compiled
def rename_queue(names, kind, queue):
    """The ends of a queue or a list."""
    queue.head = name_of(names, kind, queue.head)
    queue.tail = name_of(names, kind, queue.tail)


@compiled
def pte_name(names, number):
    """The number of a page table entry (in lists of mappings)."""
    if number < 0:
        return number
    return names[TABLE, number // EXPLORE_ENTRIES] * EXPLORE_ENTRIES + number % EXPLORE_ENTRIES


@compiled
def copy_pages(k, half, c, target, names):
    """Pages in use."""
    for p in range(k.state.n_pages):
        name = names[PAGE, p]
        if name == n.NONE:
            continue
        copy_row(half, target, PAGE_AT, PAGE_WORDS, p, name)
        page = c.state.pages[name]
        page.locked_by = owner_name(names, page.locked_by)
        rename_queue(names, TASK, page.waiters)
        page.rmap = pte_name(names, page.rmap)
        page.lru_next = name_of(names, PAGE, page.lru_next) if page.bits & n.PG_LRU else n.NONE
        page.lru_prev = name_of(names, PAGE, page.lru_prev) if page.bits & n.PG_LRU else n.NONE
        page.zone_next = name_of(names, PAGE, page.zone_next) if page.bits & n.PG_LRU else n.NONE
        page.zone_prev = name_of(names, PAGE, page.zone_prev) if page.bits & n.PG_LRU else n.NONE
        page.io_next = name_of(names, PAGE, page.io_next)


@compiled
def copy_tasks(k, half, c, target, names, age_counts):
    """Tasks that are there. Their own names are not state, nor is their age where nobody is chosen by it."""
    for t in range(k.state.n_tasks):
        source = k.state.tasks[t]
        if source.run_state == n.T_FREE:
            continue
        name = names[TASK, t]
        copy_row(half, target, TASK_AT, TASK_WORDS, t, name)
        task = c.state.tasks[name]
        task.program = 0
        if not age_counts:
            task.born = 0
        if task.wait_kind != n.W_NONE:
            rename_wait(names, task)
        task.mm = name_of(names, MM, task.mm)
        task.parent = name_of(names, TASK, task.parent)
        task.leader = name_of(names, TASK, task.leader)
        task.first_child = name_of(names, TASK, task.first_child)
        task.last_child = name_of(names, TASK, task.last_child)
        task.sibling = name_of(names, TASK, task.sibling)
        for d in range(task.depth):
            rename_frame(names, task.frames[d])


@compiled
def rename_wait(names, task):
    """What a sleeper waits for."""
    task.wait_next = name_of(names, TASK, task.wait_next)
    if task.wait_kind == n.W_PAGE_LOCK or task.wait_kind == n.W_WRITEBACK:
        task.wait_id = name_of(names, PAGE, task.wait_id)
    elif task.wait_kind == n.W_MMAP_READ or task.wait_kind == n.W_MMAP_WRITE:
        task.wait_id = name_of(names, MM, task.wait_id)


@compiled
def rename_frame(names, f):
    """The things in a frame."""
    if names_mm(f) != n.NONE:
        f.which = name_of(names, MM, f.which)
    elif names_request(f) != n.NONE:
        f.which = name_of(names, REQUEST, f.which)
    if names_page(f) != n.NONE:
        f.arg = name_of(names, PAGE, f.arg)
    elif f.path == s.P_WP_COPY:
        f.arg = 0
    f.page = name_of(names, PAGE, f.page)
    f.newpage = name_of(names, PAGE, f.newpage)
    f.prealloc_pte = name_of(names, PAGE, f.prealloc_pte)
    f.mm = name_of(names, MM, f.mm)
    f.vma = name_of(names, VMA, f.vma)


@compiled
def copy_memory(k, half, c, target, names):
    """Address spaces, mappings and page tables."""
    state = k.state
    for m in range(state.n_mms):
        name = names[MM, m]
        if name == n.NONE:
            continue
        copy_row(half, target, MM_AT, MM_WORDS, m, name)
        mm = c.state.mms[name]
        mm.writer = name_of(names, TASK, mm.writer)
        rename_queue(names, TASK, mm.waiters)
        mm.root = name_of(names, DIRECTORY, mm.root)
        mm.vmas = name_of(names, VMA, mm.vmas)
    for v in range(state.n_vmas):
        name = names[VMA, v]
        if name != n.NONE:
            copy_row(half, target, VMA_AT, VMA_WORDS, v, name)
            c.state.vmas[name].mm = name_of(names, MM, c.state.vmas[name].mm)
            c.state.vmas[name].next = name_of(names, VMA, c.state.vmas[name].next)
    for d in range(state.n_directories):
        if names[DIRECTORY, d] != n.NONE:
            copy_directory(k, half, c, target, names, d)
    for i in range(state.n_tables):
        if names[TABLE, i] != n.NONE:
            copy_table(half, c, target, names, i)


@compiled
def copy_directory(k, half, c, target, names, d):
    """A directory: its entries are directories, or tables on the lowest level."""
    name = names[DIRECTORY, d]
    copy_row(half, target, DIRECTORY_AT, DIRECTORY_WORDS, d, name)
    directory = c.state.directories[name]
    up = directory.up
    directory.up = name_of(names, DIRECTORY, up)
    lowest = up != n.NONE and k.state.directories[up].up != n.NONE
    kind = TABLE if lowest else DIRECTORY
    for i in range(EXPLORE_ENTRIES):
        directory.entry[i] = name_of(names, kind, directory.entry[i])


@compiled
def copy_table(half, c, target, names, i):
    """A page table."""
    name = names[TABLE, i]
    copy_row(half, target, TABLE_AT, TABLE_WORDS, i, name)
    table = c.state.tables[name]
    table.mm = name_of(names, MM, table.mm)
    table.page = name_of(names, PAGE, table.page)
    table.up = name_of(names, DIRECTORY, table.up)
    for place in range(EXPLORE_ENTRIES):
        pte = table.pte[place]
        if pte.bits & n.PTE_PRESENT:
            pte.page = name_of(names, PAGE, pte.page)
            if pte.bits & n.PTE_ZERO == 0:
                pte.rmap_next = pte_name(names, pte.rmap_next)
                pte.rmap_prev = pte_name(names, pte.rmap_prev)


@compiled
def copy_rest(k, half, c, target, names):
    """Files, slots, groups, requests, swap, and what stands before all tables."""
    for i in range(HEADS):
        target[i] = half[i]
    for i in range(TAIL_AT, HALVES):
        target[i] = half[i]
    state = c.state
    state.n_pages = 0
    state.n_mms = 0
    state.n_vmas = 0
    state.n_directories = 0
    state.n_tables = 0
    state.free_page = 0
    state.free_task = 0
    state.free_mm = 0
    state.free_vma = 0
    state.free_directory = 0
    state.free_table = 0
    rename_queue(names, REQUEST, state.reads)
    rename_queue(names, REQUEST, state.writes)
    rename_queue(names, TASK, state.congested)
    rename_queue(names, TASK, state.writeback_waiters)
    state.disk_busy = name_of(names, REQUEST, state.disk_busy)
    for which in range(5):
        rename_queue(names, PAGE, state.zone.lists[which])
    for i in range(k.state.n_files):
        state.files[i].i_mutex = name_of(names, TASK, state.files[i].i_mutex)
        rename_queue(names, TASK, state.files[i].i_mutex_waiters)
    for i in range(len(state.slots)):
        state.slots[i] = name_of(names, PAGE, state.slots[i] - 1) + 1
    for g in range(k.state.n_groups):
        rename_queue(names, TASK, state.groups[g].oom_waiters)
        for which in range(5):
            rename_queue(names, PAGE, state.groups[g].lists[which])
    for slot in range(k.state.n_swaps):
        state.swaps[slot].page = name_of(names, PAGE, state.swaps[slot].page - 1) + 1
    for i in range(len(state.names)):
        state.names[i] = name_of(names, TASK, state.names[i] - 1) + 1
    for i in range(REQUEST_AT, REQUEST_AT + REQUEST_WORDS * len(state.requests)):
        target[i] = 0
    for r in range(len(state.requests)):
        copy_request(k, half, c, target, names, r)


@compiled
def copy_request(k, half, c, target, names, r):
    """A disk request, if it is in use: each of them has a place by its name."""
    if not k.state.requests[r].busy:
        return
    copy_row(half, target, REQUEST_AT, REQUEST_WORDS, r, names[REQUEST, r])
    request = c.state.requests[names[REQUEST, r]]
    request.first = name_of(names, PAGE, request.first)
    request.last = name_of(names, PAGE, request.last)
    request.owner = name_of(names, TASK, request.owner)
    request.next = name_of(names, REQUEST, request.next)


@compiled
def canonical(k, half, c, target, names, alike, stances, age_counts):
    """Write the canonical copy of ``k``'s state to ``c``; ``half`` and ``target`` are the states' 16-bit words."""
    names[:] = n.NONE
    names[COUNT] = 0
    target[:] = 0
    order_tasks(k, names, alike, stances)
    walk(k, names)
    copy_rest(k, half, c, target, names)
    copy_pages(k, half, c, target, names)
    copy_tasks(k, half, c, target, names, age_counts)
    copy_memory(k, half, c, target, names)
