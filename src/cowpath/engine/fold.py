"""Folding: machines that differ only in the numbers of things are one state.

``canonical`` copies a state with everything that bears an arbitrary number (pages, address spaces, mappings, page
tables, requests, and tasks that are alike) renumbered; free lists and what lies on them are left out. Two states with
the same copy have the same future, up to those numbers: what is in use is copied, and all that a copied record's fields
number, with every field that the layout does not call ``folded``. Which fields number what, the layout says, too.

The order of the new numbers is that in which a walk from fixed points meets the things: the zone's lists, the files'
slots, then the tasks, the alike ones in the order of what each is doing. Where it cannot tell two things apart, it
takes them as they come: that folds less, and never what is not the same. So does what the walk forgets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import records
from cowpath.kernel.compiled import compiled, plainly
from cowpath.kernel.generated import compile_source
from cowpath.kernel.layout import Record
from cowpath.kernel.records import THINGS
from cowpath.kernel.state import EXPLORE, state_record

from . import arrays
from .renaming import condition, field_lines, renames

STATE = state_record(EXPLORE)
LAYOUT = STATE.narrow
HALVES = LAYOUT.itemsize // 2
EXPLORE_ENTRIES = EXPLORE.entries

# rows of the table of names
KINDS_RENAMED = tuple(kind for kind, things in THINGS.items() if things.renamed)
PAGE, TASK, MM, VMA, DIRECTORY, TABLE, REQUEST = range(len(KINDS_RENAMED))
assert KINDS_RENAMED == ("page", "task", "mm", "vma", "directory", "table", "request")
NUMBER = len(KINDS_RENAMED)  # from here on: of each name of a kind, whose it is
COUNT = 2 * NUMBER  # how many of each kind have a name
COPIED = COUNT + 1  # of these, have been copied
ORDER = COUNT + 2  # tasks in their canonical order
KINDS = COUNT + 3
WIDEST = max(EXPLORE.pages, EXPLORE.directories, EXPLORE.vmas, KINDS)

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
def name_of(names, kind, number):
    """The name of a thing, which gets one if the walk has not met it; what is no number of one stays as it is."""
    if number < 0:
        return number
    if names[kind, number] == n.NONE:
        give_name(names, kind, number)
    return names[kind, number]


@compiled
def pte_name(names, number):
    """The number of a page table entry (in lists of mappings)."""
    if number < 0:
        return number
    return name_of(names, TABLE, number // EXPLORE_ENTRIES) * EXPLORE_ENTRIES + number % EXPLORE_ENTRIES


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
        h = add_to(h, f.victim)
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
def walk(k, names):
    """Give every thing that is in use its name."""
    state = k.state
    name_lists(k, names)
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


# --- the copy ------------------------------------------------------------------------------------
def _renamer(name: str, kind: Record) -> Callable[..., Any]:
    """A function that renames what the fields of a record number."""
    lines = [f"def {name}(names, r):", *field_lines(kind, "r", renames), "    return"]
    known = {f"{kind}_name": _namer(kind, place) for place, kind in enumerate(KINDS_RENAMED)} | {"pte_name": pte_name}
    return compile_source(name, lines, known, __name__)


def _namer(kind: str, place: int) -> Callable[..., Any]:
    lines = [f"def {kind}_name(names, number):", f"    return name_of(names, {place}, number)"]
    return compile_source(f"{kind}_name", lines, {"name_of": name_of}, __name__)


def _copier(kind: str, place: int) -> Callable[..., Any]:
    """A function that copies the records of a kind that have a name and have not been copied, and renames in them."""
    array = THINGS[kind].array
    dtype, offset = LAYOUT.fields[array][:2]  # type: ignore[index]
    at, words = offset // 2, dtype.base.itemsize // 2
    lines = [
        f"def copy_{array}(half, c, target, names):",
        f"    while names[COPIED, {place}] < names[COUNT, {place}]:",
        f"        name = names[COPIED, {place}]",
        f"        names[COPIED, {place}] = name + 1",
        f"        copy_row(half, target, {at}, {words}, names[{NUMBER + place}, name], name)",
        f"        rename_{kind}(names, c.state.{array}[name])",
        "    return",
    ]
    fields = STATE.fields[array].of
    assert isinstance(fields, Record)
    known = {"copy_row": copy_row, f"rename_{kind}": _renamer(f"rename_{kind}", fields)}
    return compile_source(f"copy_{array}", lines, known | {"COPIED": COPIED, "COUNT": COUNT}, __name__)


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


def _copier_of_rest() -> Callable[..., Any]:
    """A function that copies what bears no arbitrary number, and renames in it."""
    named = {THINGS[kind].array for kind in KINDS_RENAMED}
    rest = Record({name: field for name, field in STATE.fields.items() if name not in named})
    spans: list[list[int]] = []  # of 16-bit words, that touch one another made one
    for name in rest.fields:
        dtype, offset = LAYOUT.fields[name][:2]  # type: ignore[index]
        begin, end = offset // 2, (offset + dtype.itemsize) // 2
        if spans and spans[-1][1] == begin:
            spans[-1][1] = end
        else:
            spans.append([begin, end])
    lines = ["def copy_rest(half, c, target, names):"]
    for begin, end in spans:
        lines += [f"    for i in range({begin}, {end}):", "        target[i] = half[i]"]
    lines.append("    rename_rest(names, c.state)")
    return compile_source("copy_rest", lines, {"rename_rest": _renamer("rename_rest", rest)}, __name__)


@plainly(arrays.copy_row)
@compiled
def copy_row(source, target, at, words, number, name):
    """A record, as it stands, to the place of its name."""
    start = at + number * words
    to = at + name * words
    for i in range(words):
        target[to + i] = source[start + i]


name_what_is_left = _namer_of_all()
copy_rest = _copier_of_rest()
rename_task = _renamer("rename_task", records.task)
copy_pages, _, copy_mms, copy_vmas, copy_directories, copy_tables, copy_requests = (
    _copier(kind, place) if kind != "task" else None for place, kind in enumerate(KINDS_RENAMED)
)
TASK_AT = LAYOUT.fields["tasks"][1] // 2  # type: ignore[index]
TASK_WORDS = LAYOUT.fields["tasks"][0].base.itemsize // 2  # type: ignore[index]


@compiled
def copy_tasks(k, half, c, target, names, age_counts):
    """Tasks that are there. Their age is not state where nobody is chosen by it."""
    for t in range(k.state.n_tasks):
        if k.state.tasks[t].run_state == n.T_FREE:
            continue
        name = names[TASK, t]
        copy_row(half, target, TASK_AT, TASK_WORDS, t, name)
        rename_task(names, c.state.tasks[name])
        if not age_counts:
            c.state.tasks[name].born = 0


@compiled
def all_copied(names):
    """Nothing has got a name since its kind was copied."""
    for kind in range(NUMBER):
        if kind != TASK and names[COPIED, kind] < names[COUNT, kind]:
            return False
    return True


@compiled
def canonical(k, half, c, target, names, alike, stances, age_counts):
    """Write the canonical copy of ``k``'s state to ``c``; ``half`` and ``target`` are the states' 16-bit words."""
    names[:] = n.NONE
    names[COUNT] = 0
    names[COPIED] = 0
    target[:] = 0
    order_tasks(k, names, alike, stances)
    walk(k, names)
    name_what_is_left(k, names)
    copy_rest(half, c, target, names)
    copy_tasks(k, half, c, target, names, age_counts)
    while True:
        copy_pages(half, c, target, names)
        copy_mms(half, c, target, names)
        copy_vmas(half, c, target, names)
        copy_directories(half, c, target, names)
        copy_tables(half, c, target, names)
        copy_requests(half, c, target, names)
        if all_copied(names):
            return
