"""A program's accesses to pages: to mapped ones they are only the processor's; the others are page faults.

The rule for re-use lives here too. A recording has first touches only, so after each recorded touch the task goes back
to ``reuse`` earlier ones (books.reuse, in 1/256), chosen so that every power of two of distance back in its program is
as likely as another: often the last few pages, now and then one from the beginning. Only what is still mapped is
touched, for reading.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .fault_around import FAULT_AROUND_PAGES
from .filemap import cached_page
from .frames import do_page_fault, finish_op
from .memcontrol import mem_cgroup_margin
from .mmap import find_vma
from .pgtable import is_none, lookup_pte, pte_of
from .syscalls import accessible
from .wait import random_below, spend

ACCESSES = 32  # of mapped pages in one move
LEAP = 2_654_435_761  # spreads numbers


@compiled
def touch(k, t, op):
    """Accesses to pages: up to ACCESSES of them, or up to the first fault."""
    task = k.state.tasks[t]
    if task.reuse_left > 0:
        return touch_again(k, t)
    start = op.a
    if op.d > 0:
        start += task.registers[op.d - 1]
    for _ in range(ACCESSES):
        if task.progress >= op.b:
            break
        vpn = start + task.progress * op.c
        spend(k, s.USER)
        if not accessible(k, task.mm, vpn, op.bits & n.F_WRITE):
            do_page_fault(k, t, task.mm, vpn, (op.bits & n.F_WRITE) | n.F_ALLOW_RETRY | n.F_KILLABLE | n.F_USER)
            return n.NEXT
        task.progress += 1
    if task.progress < op.b:
        return n.AGAIN
    if op.b == 1 and task.pc > task.entry and owe(k, t):
        return n.AGAIN
    return finish_op(k, t)


@compiled
def owe(k, t):
    """After a recorded touch: how often the task goes back, and whether at all.

    Where code is fetched, not before something has been reclaimed: everything is as the task has left it.
    """
    task, books = k.state.tasks[t], k.books.tasks[t]
    owed = k.books.reuse // 256
    if k.books.reuse > 0 and random_below(k, 256) < k.books.reuse % 256:
        owed += 1
    task.reuse_vpn = n.NONE
    task.reuse_left = owed
    if k.books.fetches > 0:
        if books.aged == k.books.aged:
            task.reuse_left = 0
            return False
        books.aged = k.books.aged
        task.reuse_left += 1  # for all the fetches
        begin_fetches(k, t)
    return task.reuse_left > 0


@compiled
def draw_distance(k, most):
    """1 to ``most``: a power of two, each as likely as another, then a distance within it."""
    doublings = 0
    while (2 << doublings) <= most:
        doublings += 1
    near = 1 << random_below(k, doublings + 1)
    return min(most, near + random_below(k, near))


@compiled
def choose_earlier(k, t):
    """A page touched earlier by this program and still mapped, or NONE."""
    task = k.state.tasks[t]
    op = k.books.ops[task.pc - draw_distance(k, task.pc - task.entry)]
    if op.code != n.OP_TOUCH or op.b != 1 or op.d > 0:
        return n.NONE
    if k.books.fetches > 0:
        return near_page(k, task.mm, op.a)
    if find_vma(k, task.mm, op.a) == n.NONE:
        return n.NONE
    return op.a


@compiled
def near_page(k, m, vpn):
    """Of a file's page itself, or one of those that fault-around has mapped with it: they are in no recording. Of an
    anonymous one only what is there: its first touch is in the recording.
    """
    v = find_vma(k, m, vpn)
    if v == n.NONE:
        return n.NONE
    vma = k.state.vmas[v]
    if vma.file == n.NONE or vma.prot & n.VM_WRITE:
        number = lookup_pte(k, m, vpn)
        return n.NONE if number == n.NONE or is_none(pte_of(k, number)) else vpn
    near = vpn - vpn % FAULT_AROUND_PAGES + random_below(k, FAULT_AROUND_PAGES)
    index = vma.pgoff + near - vma.start
    if not vma.start <= near < vma.end or index >= k.state.files[vma.file].pages or not is_used(index):
        return vpn
    p = cached_page(k, vma.file, index)
    return vpn if p != n.NONE and k.state.pages[p].bits & n.PG_READAHEAD else near


@compiled
def is_used(index):
    """Every other page of a file, as if by chance, and always the same ones."""
    return index * LEAP >> 16 & 1


@compiled
def fetches_before(k, pc):
    """How many instructions before ``pc`` touch code."""
    low, high = 0, k.books.n_fetched
    while low < high:
        middle = (low + high) // 2
        if k.books.fetched[middle] < pc:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def begin_fetches(k, t):
    """The task is about to go back to code that it has come to in its program: first to what it has come to last."""
    task, books = k.state.tasks[t], k.books.tasks[t]
    books.fetches_end = fetches_before(k, task.pc)
    books.fetches = books.fetches_end - fetches_before(k, task.entry)
    books.fetch_power = 0
    books.fetch_left = min(FAULT_AROUND_PAGES, k.books.fetches)


@compiled
def next_fetch(k, t):
    """How far back lies the code that is fetched next: 2^power to twice that. 0: that is all of it.

    The further back, the less: of what lies 2^power back, books.fetches / 2^power pages, or all there are.
    """
    books = k.books.tasks[t]
    if books.fetch_left == 0:
        books.fetch_power += 1
        books.fetch_left = min(FAULT_AROUND_PAGES << books.fetch_power, k.books.fetches >> books.fetch_power)
    if 1 << books.fetch_power > books.fetches or books.fetch_left == 0:
        books.fetches = 0
        return 0
    books.fetch_left -= 1
    near = 1 << books.fetch_power
    return min(near + random_below(k, near), books.fetches)


@compiled
def choose_again(k, t):
    """The page that the task goes back to next, or NONE: first code, then any."""
    task, books = k.state.tasks[t], k.books.tasks[t]
    if books.fetches > 0:
        distance = next_fetch(k, t)
        if distance > 0:
            task.reuse_left += 1
            return near_page(k, task.mm, k.books.ops[k.books.fetched[books.fetches_end - distance]].a)
        return n.NONE
    return choose_earlier(k, t)


@compiled
def touch_again(k, t):
    """Go back to earlier pages; one that reclaim has taken faults again."""
    task = k.state.tasks[t]
    while task.reuse_left > 0:
        if task.reuse_vpn == n.NONE:
            task.reuse_vpn = choose_again(k, t)
        if task.reuse_vpn != n.NONE:
            spend(k, s.USER)
            if not accessible(k, task.mm, task.reuse_vpn, 0):
                do_page_fault(k, t, task.mm, task.reuse_vpn, n.F_ALLOW_RETRY | n.F_KILLABLE | n.F_USER)
                return n.NEXT
        task.reuse_vpn = n.NONE
        task.reuse_left -= 1
    return finish_op(k, t)


@compiled
def fill(k, t, op):
    """Write to pages in order until the group is full to the last page: no room under a limit, nothing in stock."""
    task = k.state.tasks[t]
    group = k.state.groups[task.group]
    books = k.books.groups[task.group]
    full = mem_cgroup_margin(k, task.group) <= 0 and books.rss + books.cache + books.kmem >= group.res.usage
    if full or task.progress >= op.b:
        return finish_op(k, t)
    vpn = op.a + task.progress * op.c
    spend(k, s.USER)
    if not accessible(k, task.mm, vpn, 1):
        do_page_fault(k, t, task.mm, vpn, n.F_WRITE | n.F_ALLOW_RETRY | n.F_KILLABLE | n.F_USER)
        return n.NEXT
    task.progress += 1
    return n.AGAIN
