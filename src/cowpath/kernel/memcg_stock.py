"""What a CPU keeps of the charges that it has made by the batch (memcg_stock_pcp, mm/memcontrol.c).

It keeps them for one group; from 6.16 on for seven, and where an eighth comes, one of them by chance goes back
(f735eebe55f8; policy ``stock_groups``). Whoever drains a CPU's stock from then on drains all of it.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .hierarchy import is_below
from .policies import number
from .res_counter import res_counter_uncharge
from .wait import random_below

ONE = number("stock_groups", 1)
CAP_32, CAP_64 = 32, 64  # pages of a stock; above it all of it goes back


@compiled
def slots(k, c):
    """For how many groups a CPU keeps something."""
    return 1 if k.state.stock_groups == ONE else len(k.state.cpus[c].stocks)


@compiled
def slot_of(k, c, g):
    """Where a CPU keeps something for the group, or NONE."""
    cpu = k.state.cpus[c]
    for i in range(slots(k, c)):
        if cpu.stocks[i].group == g:
            return i
    return n.NONE


@compiled
def stock_of(k, c, g):
    """Pages that a CPU keeps for the group."""
    i = slot_of(k, c, g)
    return 0 if i == n.NONE else k.state.cpus[c].stocks[i].pages


@compiled
def drain_slot(k, c, i):
    """drain_stock: one group's goes back to its counter. Wakes nobody (3.0)."""
    stock = k.state.cpus[c].stocks[i]
    if stock.pages > 0:
        res_counter_uncharge(k, stock.group, stock.pages)
    stock.pages = 0
    stock.group = 0


@compiled
def drain_stock(k, c):
    """drain_local_stock: all that a CPU keeps."""
    for i in range(slots(k, c)):
        drain_slot(k, c, i)
    k.state.cpus[c].drain = 0


@compiled
def consume_stock(k, c, g, pages):
    """A charge of so many pages from what this CPU keeps for the group. False where it keeps less."""
    i = slot_of(k, c, g)
    if i == n.NONE or k.state.cpus[c].stocks[i].pages < pages:
        return False
    k.state.cpus[c].stocks[i].pages -= pages
    return True


@compiled
def free_slot(k, c):
    """A place for one more group's: a free one, or somebody's by chance, whose stock goes back."""
    last = slots(k, c)
    for i in range(last):
        if k.state.cpus[c].stocks[i].group == 0:
            return i
    i = 0
    if last > 1:
        i = random_below(k, last)
    drain_slot(k, c, i)
    return i


@compiled
def refill_stock(k, c, g, pages):
    """Keep what a batch brought too much, for the next charge on this CPU. With page counters, a stock that gets larger
    than a batch goes back as a whole.
    """
    i = slot_of(k, c, g)
    if i == n.NONE:
        i = free_slot(k, c)
        k.state.cpus[c].stocks[i].group = g
        if k.state.stock_groups == ONE:
            k.state.cpus[c].drain = 0  # what was to be drained has been
    stock = k.state.cpus[c].stocks[i]
    stock.pages += pages
    if k.state.page_counter and stock.pages > (CAP_64 if k.state.batch_of_64 else CAP_32):
        drain_slot(k, c, i)


@compiled
def keeps_for(k, c, root):
    """A CPU keeps something for the subtree (is_memcg_drain_needed)."""
    cpu = k.state.cpus[c]
    for i in range(slots(k, c)):
        if cpu.stocks[i].pages > 0 and is_below(k, cpu.stocks[i].group, root):
            return True
    return False


@compiled
def drain_all_stock_async(k, c, root):
    """drain_all_stock_async: ask the other CPUs to drain what they keep for this subtree. Their workers do it later."""
    for other in range(k.state.n_cpus):
        if other != c and not k.state.cpus[other].drain and keeps_for(k, other, root):
            k.state.cpus[other].drain = 1
            k.books.drain_asked |= 1 << other


@compiled
def drain_all_stock(k, c, root):
    """drain_all_stock: what this CPU keeps for the subtree goes back at once; the others' workers are asked to."""
    if keeps_for(k, c, root):
        drain_stock(k, c)
    drain_all_stock_async(k, c, root)
