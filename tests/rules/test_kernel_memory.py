"""Kernel memory that a group pays for: what a call takes in which order, and that it gives all of it back."""

from __future__ import annotations

import errno

import pytest

from cowpath.designs import Design, from_data
from cowpath.engine import invariants
from cowpath.engine.others import others_run
from cowpath.kernel import kmem
from cowpath.kernel import names as n
from cowpath.kernel import objects as o
from cowpath.kernel import steps as s
from cowpath.kernel.kmem import STACK
from cowpath.kernel.step import look_ahead, step
from cowpath.kernels.objects import sizes
from cowpath.kernels.profile import load

from .hand import Hand, loaded_design
from .later import full, mapped

KERNEL = "linux-6.18"
SIZES = sizes(load(KERNEL).release)
TASK_STRUCT, TASK_REST, OWN_TABLES = SIZES[o.TASK_STRUCT], SIZES[o.TASK_REST], SIZES[o.OWN_TABLES]
TASK_OBJECTS = TASK_STRUCT + TASK_REST + SIZES[o.FILES_STRUCT] + SIZES[o.SIGHAND_STRUCT]
VM_AREA, FILE = SIZES[o.VM_AREA_STRUCT], SIZES[o.FILE]
TASK_PAGES = -(-TASK_STRUCT // n.PAGE_SIZE)
LATER = ("linux-4.19", "linux-5.15", "linux-6.1", "linux-6.12", "linux-6.18", "linux-7.2")


def at_the_limit(room: int, kernel: str | Design = KERNEL) -> tuple[Hand, int, int]:
    """A group with so much room, and a task of it that has a mapping with one page (which is outside's)."""
    hand, g = full(loaded_design(kernel) if isinstance(kernel, str) else kernel)
    t = hand.task(g)
    hand.maps(t, 64, hand.page(0))
    mapped(hand, t, 65, 7)
    hand.k.state.vmas[int(hand.mm(t).vmas)].prot |= n.VM_ANON_VMA
    hand.of(g).res.limit += room
    return hand, g, t


def play(hand: Hand, t: int, path: int, **fields: int) -> tuple[str, int]:
    """A call from its beginning to its end: the step that failed ("" if none did), and the errno."""
    hand.call(t, path, int(hand.k.books.paths[path].steps[0]), mm=int(hand.task_of(t).mm), **fields)
    task, failed = hand.task_of(t), ""
    for _ in range(1500):
        if int(task.depth) == 0:
            break
        f = task.frames[0]
        at = int(hand.k.books.paths[path].steps[int(f.pc)]) if not f.unwinding else -1
        look_ahead(hand.k, t)
        step(hand.k, t)
        if at >= 0 and int(f.unwinding) and not failed:
            failed = s.STEP_NAMES[at]
    assert int(task.depth) == 0
    check = invariants.check_pages(hand.k)
    assert check == (invariants.FINE, -1), invariants.in_words(*map(int, check))
    return failed, int(task.status)


def fork(room: int, kernel: str = KERNEL) -> tuple[str, int, int]:
    """The step at which fork fails, its errno, and how many pages the group is charged for the kernel then."""
    hand, g, t = at_the_limit(room, kernel)
    hand.k.books.nr_threads += 1
    failed, status = play(hand, t, s.P_FORK)
    return failed, status, int(hand.k.books.groups[g].kmem)


def test_forks_ladder() -> None:
    """As room grows: task_struct, the stack, the other objects, the program's own page tables, VMAs, page tables."""
    at = [fork(0)]
    while at[-1][0]:
        at.append(fork(len(at)))
    whole = len(at) - 1
    for failed, status, left in at[:whole]:
        assert status == errno.ENOMEM and left == 0 and failed
    steps = [failed for failed, *_ in at[:whole]]
    assert steps == ["copy_process"] * (whole - 1) + ["pte_alloc_one"], "the VMA has room beside the other objects"
    assert whole >= TASK_PAGES + STACK + OWN_TABLES + 1 and at[whole][1] == 0


@pytest.mark.parametrize("kernel", LATER)
def test_each_later_kernel_has_it(kernel: str) -> None:
    assert fork(1, kernel) == ("copy_process", errno.ENOMEM, 0) and fork(30, kernel)[:2] == ("", 0)


def test_what_a_fork_has_in_hand_when_it_is_refused() -> None:
    """The order within copy_process: objects are bytes, pages are pages."""
    seen = []
    for room in (0, TASK_PAGES, TASK_PAGES + STACK - 1, TASK_PAGES + STACK):
        hand, _, t = at_the_limit(room)
        hand.call(t, s.P_FORK, s.COPY_PROCESS, mm=int(hand.task_of(t).mm))
        f = hand.task_of(t).frames[0]
        for _ in range(1500):
            if int(f.unwinding):
                break
            look_ahead(hand.k, t)
            step(hand.k, t)
        seen.append((int(f.objects), int(f.kmem)))
    rest = n.PAGE_SIZE * TASK_PAGES - TASK_STRUCT
    assert rest < TASK_OBJECTS - TASK_STRUCT
    assert seen == [(0, 0), (TASK_STRUCT, 0), (TASK_STRUCT, STACK - 1), (TASK_STRUCT, STACK)]


def test_a_childs_kernel_memory_is_its_groups_until_it_is_gone() -> None:
    hand, g, t = at_the_limit(100)
    hand.k.books.nr_threads += 1
    play(hand, t, s.P_FORK)
    child = int(hand.k.state.n_tasks) - 1
    assert int(hand.task_of(child).kmem) == 1 + g and int(hand.of(g).kernel_pages) == STACK + OWN_TABLES
    hand.task_of(child).sigkill = 1
    for _ in range(200):
        look_ahead(hand.k, child)
        if step(hand.k, child) == n.EXITED:
            break
    assert int(hand.of(g).kernel_pages) == 0, "its files are closed when it dies, the rest waits for its parent"
    assert int(hand.of(g).slab_bytes) == TASK_OBJECTS - SIZES[o.FILES_STRUCT]
    assert invariants.check_pages(hand.k) == (invariants.FINE, -1)


def test_execs_ladder() -> None:
    """Before the point of no return the program is not run (126), behind it the task dies of SIGSEGV (139). No packaged
    kernel has the steps.
    """
    steps = ["bprm_mm_init", "mmap_read_lock", "mmap_read_unlock", "exec_mmap", "load_elf_binary"]
    design = from_data({"extends": KERNEL, "paths": {"exec": steps}}, "execs.toml")
    ends = []
    for room in range(OWN_TABLES + 4):
        hand, _, t = at_the_limit(room, design)
        hand.call(t, s.P_EXEC, s.BPRM_MM_INIT, mm=int(hand.task_of(t).mm))
        task = hand.task_of(t)
        for _ in range(1500):
            look_ahead(hand.k, t)
            step(hand.k, t)
            if int(task.exiting) or not int(task.depth):
                break
        assert invariants.check_pages(hand.k) == (invariants.FINE, -1)
        ends.append(int(task.frames[0].arg) if int(task.exiting) else 0)
    first = OWN_TABLES + 1  # and a page for the objects; those of the program's mappings take one more
    assert ends == [126] * first + [139] + [0] * (len(ends) - first - 1)


def test_a_pipes_pages_are_its_groups_until_it_is_closed() -> None:
    hand, g, t = at_the_limit(4)
    assert play(hand, t, s.P_PIPE) == ("", 0)
    assert play(hand, t, s.P_PIPE_WRITE, count=2) == ("", 0) and int(hand.of(g).kernel_pages) == 2
    assert play(hand, t, s.P_PIPE_WRITE, count=8) == ("pipe_write", 0), "short: one page more"
    assert play(hand, t, s.P_PIPE_WRITE, count=1) == ("pipe_write", errno.ENOMEM)
    hand.of(g).res.limit += 100
    play(hand, t, s.P_PIPE_WRITE, count=20)
    assert int(hand.of(g).kernel_pages) == kmem.PIPE_BUFFERS
    kmem.close_pipe(hand.k, t)
    assert int(hand.of(g).kernel_pages) == 0 and invariants.check_pages(hand.k) == (invariants.FINE, -1)


def test_objects_share_pages_and_a_refusal_parks_what_is_left() -> None:
    hand, g, t = at_the_limit(1)
    per_page = n.PAGE_SIZE // VM_AREA
    cpu = hand.k.state.cpus[int(hand.task_of(t).cpu)]
    for i in range(3):
        assert play(hand, t, s.P_MUNMAP, vpn=65 + 2 * i, count=1) == ("", 0)
    assert int(hand.of(g).slab_pages) == 1 and int(hand.of(g).slab_bytes) == 3 * VM_AREA
    assert (int(cpu.obj_group), int(cpu.obj_bytes)) == (g, n.PAGE_SIZE - 3 * VM_AREA) and per_page > 4
    kmem.drain_all_obj_stock(hand.k, g)
    assert (int(cpu.obj_group), int(hand.of(g).parked)) == (0, n.PAGE_SIZE - 3 * VM_AREA)
    assert play(hand, t, s.P_MUNMAP, vpn=65, count=1) == ("", 0), "nothing is there any more"
    mapped(hand, t, 128)
    assert play(hand, t, s.P_MUNMAP, vpn=130, count=1) == ("vm_area_alloc", errno.ENOMEM)


def test_kernels_before_4_5_charge_for_page_tables_at_most() -> None:
    for kernel in ("linux-3.0", "linux-3.12"):
        hand, g = full(loaded_design(kernel))
        t = hand.task(g)
        hand.maps(t, 64, hand.page(0))
        hand.k.books.nr_threads += 1
        assert play(hand, t, s.P_FORK) == ("", 0) and int(hand.k.books.groups[g].kmem) == 0


def test_tasks_of_other_groups_leave_no_objects_on_a_cpu() -> None:
    """What was left of the group's last page is the group's, on no CPU (nr_charged_bytes)."""
    hand, g = full(loaded_design(KERNEL))
    hand.of(g).res.limit = n.UNLIMITED
    hand.k.books.cpu = 0
    kmem.charge_now(hand.k, g, VM_AREA)
    assert int(hand.k.state.cpus[0].obj_group) == g and int(hand.of(g).parked) == 0
    others_run(hand.k)
    assert int(hand.k.state.cpus[0].obj_group) == 0 and int(hand.of(g).parked) == n.PAGE_SIZE - VM_AREA
