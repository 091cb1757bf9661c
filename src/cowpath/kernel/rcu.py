"""call_rcu (kernel/rcu/tree.c), as far as it is about what groups are charged for: what is freed so stays charged until
a grace period has passed, and goes back to the CPU that freed it then. Page tables are freed so since 6.14
(tlb_remove_table_free, CONFIG_PT_RECLAIM; policy ``freed_tables``), nodes of the page cache's trees
(radix_tree_node_rcu_free) and a task's task_struct (delayed_put_task_struct) always.

The queue is in the books; ``rcu_do_batch`` (kmem.py) empties it. The explorer has none: all is freed at once there.
"""

from __future__ import annotations

from . import names as n
from .block import JIFFY_NS
from .compiled import compiled

GRACE_JIFFIES = 3  # it begins with the next tick; who holds it up is looked for a tick later (RCU_JIFFIES_TILL_FORCE_QS
# at HZ = 250), and the softirq of the tick after that calls back


@compiled
def call_rcu(k, g, tables, nodes, objects):
    """Of a group's kernel memory so many page tables, so many nodes and bytes of other objects go when a grace period
    has passed. False: there is no such queue, or it is full, and they are freed now.
    """
    if not k.books.has_rcu or g <= 0:
        return False
    at = (k.books.now // JIFFY_NS + GRACE_JIFFIES) * JIFFY_NS
    count = k.books.n_rcu
    k.books.rcu_at = min(k.books.rcu_at, at) if count > 0 else at
    for i in range(count):
        waiting = k.books.rcu[i]
        if waiting.at == at and waiting.cpu == k.books.cpu and waiting.group == g:
            waiting.tables += tables
            waiting.nodes += nodes
            waiting.objects += objects
            return True
    if count == len(k.books.rcu):
        return False
    waiting = k.books.rcu[count]
    waiting.at = at
    waiting.cpu = max(k.books.cpu, 0)
    waiting.group = g
    waiting.tables = tables
    waiting.nodes = nodes
    waiting.objects = objects
    k.books.n_rcu = count + 1
    return True


@compiled
def pass_on(k, g, owner):
    """What the group is still charged for is another's from now on, by 1 + its number, or nobody's (0)."""
    for i in range(k.books.n_rcu):
        if k.books.rcu[i].group == g:
            k.books.rcu[i].group = owner - 1 if owner > 0 else n.NONE
