"""Folding: machines that differ only in the numbers of things are one state.

Everything that bears an arbitrary number (pages, address spaces, mappings, page tables, requests, and tasks that are
alike) is given another one, its name here; ``canonical`` copies a state with these. Two states with the same copy have
the same future, up to those numbers.

The order of the new numbers is that in which a walk from fixed points meets the things: the zone's lists, the files'
slots, then the tasks, the alike ones in the order of what each is doing. Where it cannot tell two things apart, it
takes them as they come: that folds less, and never what is not the same. So does what the walk forgets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel.compiled import compiled
from cowpath.kernel.generated import compile_source
from cowpath.kernel.records import THINGS
from cowpath.kernel.state import EXPLORE

from .renaming import condition, fields_in

EXPLORE_ENTRIES = EXPLORE.entries

# rows of the table of names
KINDS_RENAMED = tuple(kind for kind, things in THINGS.items() if things.renamed)
PAGE, TASK, MM, VMA, DIRECTORY, TABLE, REQUEST = range(len(KINDS_RENAMED))
assert KINDS_RENAMED == ("page", "task", "mm", "vma", "directory", "table", "request")
NUMBER = len(KINDS_RENAMED)  # from here on: of each name of a kind, whose it is
COUNT = 2 * NUMBER  # how many of each kind have a name
COPIED = COUNT + 1  # of these, have been copied
KINDS = COUNT + 2
WIDEST = max(EXPLORE.pages, EXPLORE.directories, EXPLORE.vmas, KINDS)

# for each kind a bit for each of its things: that what they number has another name is looked up by these
BITS = 63
ROOMS = [getattr(EXPLORE, THINGS[kind].array) for kind in KINDS_RENAMED]
FIRST_BITS = [sum(ROOMS[:place]) for place in range(NUMBER)]

STANCE_PRIME = 2147483647  # products stay below 2 ** 63, compiled or not


@compiled
def give_name(names, kind, number):
    """The next name of this kind for what has none yet. True if it is new."""
    if number < 0 or names[kind, number] != n.NONE:
        return False
    name = names[COUNT, kind]
    names[kind, number] = name
    names[NUMBER + kind, name] = number
    names[COUNT, kind] = name + 1
    return True


@compiled
def bit_of(first, number):
    """The bit of a thing, of a kind whose bits begin at ``first``. Where things are too many, some share the last."""
    return 1 << min(first + number, BITS - 1)


def _name_of(kind: str, place: int) -> Callable[..., Any]:
    """The name of a thing of this kind, which gets one if the walk has not met it. What is no number of one stays as
    it is. The thing's bit is added to ``refs[unit]``.
    """
    lines = [
        f"def {kind}_name(names, refs, unit, number):",
        "    if number < 0:",
        "        return number",
        f"    if names[{place}, number] == {n.NONE}:",
        f"        give_name(names, {place}, number)",
        f"    refs[unit] |= bit_of({FIRST_BITS[place]}, number)",
        f"    return names[{place}, number]",
    ]
    return compile_source(f"{kind}_name", lines, {"give_name": give_name, "bit_of": bit_of}, __name__)


NAME_OF = {f"{kind}_name": _name_of(kind, place) for place, kind in enumerate(KINDS_RENAMED)}
table_name = NAME_OF["table_name"]


@compiled
def pte_name(names, refs, unit, number):
    """The number of a page table entry (in lists of mappings)."""
    if number < 0:
        return number
    return table_name(names, refs, unit, number // EXPLORE_ENTRIES) * EXPLORE_ENTRIES + number % EXPLORE_ENTRIES


NAME_OF["pte_name"] = pte_name


# --- the walk ------------------------------------------------------------------------------------
@compiled
def add_to(h, one, two, three):
    """A number that has three more in it, of 16 bits each (after a 0, of 31)."""
    return (np.int64(h) * 48271 + ((np.int64(one) * 65536 + np.int64(two)) * 65536 + np.int64(three))) % STANCE_PRIME


@compiled
def stance(k, t):
    """What a task is doing, as a number that no number of a thing goes into."""
    task = k.state.tasks[t]
    h = add_to(1, task.run_state, task.wait_kind, task.pc)
    h = add_to(h, task.killable, task.exclusive, task.sigkill)
    h = add_to(h, task.memdie, task.exiting, task.granted)
    h = add_to(h, task.depth, task.status, task.progress)
    h = add_to(h, task.group, 0, 0)
    for d in range(task.depth):
        f = task.frames[d]
        h = add_to(h, 0, f.held, f.path)
        h = add_to(h, f.pc, f.phase, f.unwinding)
        h = add_to(h, f.batch, f.retries, f.oomed)
        h = add_to(h, f.victim, f.fault, f.ret)
        h = add_to(h, f.group, f.relock, 0)
    return h


@compiled
def renew_stances(k, alike, stances, stale_tasks):
    """Look again at what those of the ``stale_tasks`` do that are like another. True if one does what it did not."""
    count, other = k.state.n_tasks, False
    for t in range(count):
        if stale_tasks[t] and (alike[t] != t or (t + 1 < count and alike[t + 1] == t)):
            now = stance(k, t)
            if stances[t] != now:
                stances[t] = now
                other = True
    return other


@compiled
def order_tasks(k, order, was, alike, stances):
    """Tasks in their canonical order: each in its place, the alike ones among them by what they are doing.

    ``was``: the order until now. True if this is another one.
    """
    other = False
    for t in range(k.state.n_tasks):
        was[t] = order[t]
        at = t
        while at > 0 and alike[order[at - 1]] == alike[t] and stances[order[at - 1]] > stances[t]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = t
    for at in range(k.state.n_tasks):
        if was[at] != order[at]:
            other = True
    return other


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
def name_lists(k, names):
    """The pages on the zone's lists in their order, or, where these only count, on those of the groups."""
    state = k.state
    for which in range(5):
        p = state.zone.lists[which].head
        while p != n.NONE:
            give_name(names, PAGE, p)
            p = state.pages[p].zone_next
    for g in range(state.n_groups if state.lruvecs else 0):
        for which in range(5):
            p = state.groups[g].lists[which].head
            while p != n.NONE:
                give_name(names, PAGE, p)
                p = state.pages[p].lru_next


@compiled
def walk(k, names, order):
    """Give every thing that is in use its name."""
    state = k.state
    name_lists(k, names)
    for i in range(len(state.slots)):
        give_name(names, PAGE, state.slots[i] - 1)
    for at in range(state.n_tasks):
        t = order[at]
        task = state.tasks[t]
        if task.run_state == n.T_FREE:
            continue
        if task.run_state != n.T_ZOMBIE:
            name_mm(k, names, task.mm)
        for d in range(task.depth):
            f = task.frames[d]
            give_name(names, PAGE, f.newpage)
            give_name(names, PAGE, f.prealloc_pte)
            give_name(names, PAGE, f.page)
            name_mm(k, names, f.mm)
            name_mm(k, names, f.other_mm)
            give_name(names, REQUEST, f.request)
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
        r = names[NUMBER + REQUEST, name]
        p = state.requests[r].first if state.requests[r].busy else n.NONE
        while p != n.NONE:
            give_name(names, PAGE, p)
            p = state.pages[p].io_next


def _namer_of_all() -> Callable[..., Any]:
    """A function that gives a name to everything that is in use and has none."""
    lines = ["def name_what_is_left(k, names):"]
    for place, kind in enumerate(KINDS_RENAMED):
        if place == TASK:
            continue  # all of them have one
        things = THINGS[kind]
        count = f"k.state.{things.count}" if things.count else f"len(k.state.{things.array})"
        lines += [
            f"    for i in range({count}):",
            f"        if names[{place}, i] == -1 and ({condition(things.live, f'k.state.{things.array}[i]')}):",
            f"            give_name(names, {place}, i)",
        ]
    return compile_source("name_what_is_left", [*lines, "    return"], {"give_name": give_name}, __name__)


name_what_is_left = _namer_of_all()


@compiled
def give_names(k, names, order):
    """Name everything that is in use, anew. ``order``: the tasks' (``order_tasks``)."""
    names[:] = n.NONE
    names[COUNT] = 0
    names[COPIED] = 0
    for at in range(k.state.n_tasks):
        give_name(names, TASK, order[at])
    walk(k, names, order)
    name_what_is_left(k, names)


def _read() -> Iterator[str]:
    """The fields of the state at which ``give_names`` looks: where all say what they did, the names are the same."""
    yield from ("n_tasks", "n_groups", "n_swaps", "lruvecs", "zone.lists.head", "groups.lists.head", "slots")
    yield from ("disk_busy", "reads.head", "writes.head", "requests.next", "requests.first", "swaps.page")
    yield from ("pages.zone_next", "pages.lru_next", "pages.io_next", "tasks.run_state", "tasks.mm", "tasks.depth")
    yield from (f"tasks.frames.{name}" for name in ("newpage", "prealloc_pte", "page", "mm", "other_mm", "request"))
    yield from ("mms.vmas", "mms.root", "vmas.mm", "vmas.next", "directories.entry")
    yield from ("tables.page", "tables.pte.page", "tables.pte.bits")
    for kind in KINDS_RENAMED:
        things = THINGS[kind]
        if things.count:
            yield things.count
        yield from (f"{things.array}.{word}" for word in fields_in(things.live))


READS = tuple(dict.fromkeys(_read()))
