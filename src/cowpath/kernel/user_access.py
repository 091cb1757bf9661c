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
from .frames import do_page_fault, finish_op
from .memcontrol import mem_cgroup_margin
from .mmap import find_vma
from .syscalls import accessible
from .wait import random_below, spend

ACCESSES = 32  # of mapped pages in one move


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
    if op.b == 1 and k.books.reuse > 0 and task.pc > task.entry:
        owed = k.books.reuse // 256
        if random_below(k, 256) < k.books.reuse % 256:
            owed += 1
        task.reuse_left = owed
        task.reuse_vpn = n.NONE
        if owed > 0:
            return n.AGAIN
    return finish_op(k, t)


@compiled
def choose_earlier(k, t):
    """A page touched earlier by this program and still mapped, or NONE."""
    task = k.state.tasks[t]
    back = task.pc - task.entry
    doublings = 0
    while (2 << doublings) <= back:
        doublings += 1
    near = 1 << random_below(k, doublings + 1)
    distance = min(back, near + random_below(k, near))
    op = k.books.ops[task.pc - distance]
    if op.code != n.OP_TOUCH or op.b != 1 or op.d > 0:
        return n.NONE
    if find_vma(k, task.mm, op.a) == n.NONE:
        return n.NONE
    return op.a


@compiled
def touch_again(k, t):
    """Go back to earlier pages; one that reclaim has taken faults again."""
    task = k.state.tasks[t]
    while task.reuse_left > 0:
        if task.reuse_vpn == n.NONE:
            task.reuse_vpn = choose_earlier(k, t)
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
