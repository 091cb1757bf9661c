"""The table of waits and locks: what is made from it fits together, and a lock is one entry in it."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import records, waits
from cowpath.kernel.layout import NONE
from cowpath.kernel.state import EXPLORE, state_record
from cowpath.observe import lanes, metrics


def test_the_numbers_are_the_places_in_the_table() -> None:
    names = {number: name for name, number in vars(waits).items() if name.startswith("W_")}
    assert sorted(names) == list(range(len(waits.BUILT_IN)))
    assert n.WAITS[n.W_PAGE_LOCK].name == "page lock" and n.WAITS[n.W_MMAP_WRITE].name == "mmap_sem for writing"
    assert n.WAITS[n.W_I_MUTEX].mutex is waits.I_MUTEX and n.WAITS[n.W_OOM].name == "memory (OOM)"
    bits = {bit for name, bit in vars(waits).items() if name.startswith("H_")}
    assert sorted(bits) == [1 << place for place in range(len(waits.BUILT_IN_HOLDS))]
    assert n.HOLDS[6].name == "i_mutex" and n.H_I_MUTEX == 1 << 6


def test_who_waits_for_a_thing_stands_in_its_queue() -> None:
    """A kind of wait that has a queue names a field of the thing's record, or of the machine's."""
    for wait in n.WAITS:
        if not wait.queue:
            continue
        array = records.THINGS[wait.of].array if wait.of not in ("", "machine") and not wait.all_in_one else ""
        fields = state_record(EXPLORE).fields
        at = fields[array].of if array else state_record(EXPLORE)
        for name in wait.queue.split("."):
            assert isinstance(at, records.Record) and name in at.fields, wait.name
            at = at.fields[name].of
        assert at is records.waitq


def test_a_mutex_begins_free_and_is_somebodys() -> None:
    """Free is never 0: that is a task."""
    assert records.mutex.fields["owner"].start == n.FREE == NONE
    for lock in waits.LOCKS:
        kind = waits.number(lock.name)
        assert n.IS_MUTEX[kind] and n.HOLD_OF_WAIT[kind] == waits.hold(lock.name) and n.BLOCKS[kind]
        assert n.H_MUTEXES & waits.hold(lock.name) and n.H_LOCKS & waits.hold(lock.name)


def test_the_lock_order() -> None:
    """i_mutex, mmap_sem, invalidate_lock, a tree, page lock, oom_lock, the end of a move: none is taken by who has
    a later one, or it.
    """
    moving = waits.hold("moving_task")
    oom = waits.hold("oom_lock") | moving
    page_lock = n.H_PAGE_LOCK | oom
    invalidate_lock = n.H_INVALIDATE_READ | n.H_INVALIDATE_WRITE | n.H_TREE_LOCK | page_lock
    mmap_sem = n.H_MMAP_READ | n.H_MMAP_WRITE | n.H_VMA_READ | invalidate_lock
    late = {
        n.H_I_MUTEX: n.H_I_MUTEX | mmap_sem,
        n.H_MMAP_READ: mmap_sem,
        n.H_INVALIDATE_WRITE: invalidate_lock,
        n.H_PAGE_LOCK: page_lock,
        waits.hold("oom_lock"): oom,
        moving: moving,
        n.H_CHARGE: 0,
    }
    for bit, wanted in late.items():
        assert n.NOT_BEFORE[bit.bit_length() - 1] == wanted


def test_what_ends_by_itself_is_no_lock() -> None:
    """But for the sleep that pays for memory: others wait behind it as behind a charge, and time ends it."""
    for kind, wait in enumerate(n.WAITS):
        assert (n.BLOCKS[kind] and n.GOES_BY[kind]) == (kind == n.W_THROTTLE), wait.name
        assert n.ENDS_BY_TIME[kind] <= n.GOES_BY[kind], wait.name
    kinds = [n.W_PAGE_LOCK, n.W_MMAP_READ, n.W_MMAP_WRITE, n.W_I_MUTEX, n.W_OOM]
    later = [
        n.W_THROTTLE,
        n.W_INVALIDATE_READ,
        n.W_INVALIDATE_WRITE,
        n.W_VMA_LOCK,
        n.W_SWAP_ENTRY,
        waits.number("oom_lock"),
    ]
    book = [waits.number(name) for name in ("tree_lock", "threadgroup_rwsem", "moving_task")]
    assert list(metrics.BLOCKING) == kinds + later + book
    assert [kind for kind in range(n.W_MEMORY) if n.BLOCKS[kind]] == kinds


def test_each_has_a_colour_and_words() -> None:
    assert all(wait.colour in lanes.STATES for wait in n.WAITS)
    assert all(wait.does for wait in n.WAITS[1:])
