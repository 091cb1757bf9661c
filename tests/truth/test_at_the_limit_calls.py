"""System calls in a full group, measured on Linux 6.18.44 (cgroup v1) and 6.18.15 (v2): which error, what is done.

See ``at_the_limit.py``. A call that is charged fails where the killer is off; a fault of user mode waits at its end.
"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from cowpath.kernel import names as n

from .at_the_limit import FULL_AT, Limited, S

WAIT = f"sleep {FULL_AT}"
PAGES = 16


def one(folder: Path, before: str, call: str, room: int = 0) -> tuple[int, Limited]:
    """The errno of a call in the full group, and the session."""
    run = Limited(folder, {"t": f"{before}\n{WAIT}\n{call}\nexit errno"}, room=room)
    return run.exits["t"], run


# --- mappings ------------------------------------------------------------------------------------
def test_mmap_of_a_new_vma_is_enomem(tmp_path: Path) -> None:
    failed, run = one(tmp_path, "anon a 4", "anon b 4")
    assert failed == errno.ENOMEM and run.waits_for_memory("sleeper")


@pytest.mark.parametrize("call", ["munmap a 4 4", "mprotect a r 4 4", "mlock a 4 4"])
def test_a_call_that_splits_a_vma_is_enomem(call: str, tmp_path: Path) -> None:
    failed, _ = one(tmp_path, f"anon a {PAGES}\ntouch a 0 {PAGES} 1 w", call)
    assert failed == errno.ENOMEM


@pytest.mark.parametrize("call", ["munmap a", "mprotect a r", "mlock a"])
def test_and_of_a_whole_mapping_it_works(call: str, tmp_path: Path) -> None:
    failed, _ = one(tmp_path, f"anon a {PAGES}\ntouch a 0 {PAGES} 1 w", call)
    assert failed == 0


def test_mlock_of_a_fresh_mapping_is_eagain_and_it_stays_locked(tmp_path: Path) -> None:
    run = Limited(tmp_path, {"t": f"anon a {PAGES}\n{WAIT}\nmlock a\nsleep 1000"})
    task = run.task("t")
    vma = run.k.state.vmas[int(run.k.state.mms[int(task.mm)].vmas)]
    assert int(vma.prot) & n.VM_LOCKED and int(run.k.state.mms[int(task.mm)].anon_rss) == 0
    failed, _ = one(tmp_path, f"anon a {PAGES}", "mlock a")
    assert failed == errno.EAGAIN


@pytest.mark.parametrize(("room", "done"), [(0, 0), (8, 5)])
def test_populate_write_is_enomem_and_what_is_done_stays(room: int, done: int, tmp_path: Path) -> None:
    """With room for 5 pages (and for the sleeper's two, and a page table) there are 5."""
    before = f"anon a {PAGES}\n{WAIT}\nmadv a populate_write"
    run = Limited(tmp_path, {"t": f"{before}\nsleep 1000"}, room=room)
    assert int(run.k.state.mms[int(run.task("t").mm)].anon_rss) == done
    assert one(tmp_path, f"anon a {PAGES}", "madv a populate_write", room)[0] == errno.ENOMEM


@pytest.mark.parametrize(("room", "failed", "done"), [(0, errno.ENOMEM, 0), (3, 0, 0), (8, 0, 5)])
def test_map_populate_is_a_success_unless_the_vma_is_refused(room: int, failed: int, done: int, tmp_path: Path) -> None:
    """Of the room two pages are the sleeper's, one is for the new mapping's object, and one its page table. That of the
    object the last refusal gives back: what is left of it and of the page before it is a page (drain_obj_stock).
    """
    run = Limited(tmp_path, {"t": f"{WAIT}\nanonpop a {PAGES}\nsleep 1000"}, room=room)
    assert int(run.k.state.mms[int(run.task("t").mm)].anon_rss) == done
    assert one(tmp_path, "", f"anonpop a {PAGES}", room)[0] == failed


# --- files ---------------------------------------------------------------------------------------
def test_read_of_a_cold_file_is_enomem(tmp_path: Path) -> None:
    failed, run = one(tmp_path, "", "readf @cold 0 4")
    assert failed == errno.ENOMEM and run.a.cache == 0


def test_a_new_page_of_tmpfs_is_enomem_not_enospc(tmp_path: Path) -> None:
    failed, run = one(tmp_path, "", "writef @/dev/shm/f 0 1")
    assert failed == errno.ENOMEM and run.a.cache == 0


def test_a_write_fault_on_a_new_page_of_tmpfs_waits_like_an_anonymous_one(tmp_path: Path) -> None:
    run = Limited(tmp_path, {"t": f"mapf m @/dev/shm/f 4 rw shared\n{WAIT}\ntouch m 0 1 1 w"})
    assert run.waits_for_memory("t") and "t" not in run.exits


# --- tasks and pipes -----------------------------------------------------------------------------
@pytest.mark.parametrize("kernel", ["linux-6.1", "linux-6.18", "linux-7.2"])
def test_fork_is_enomem_without_a_wait(kernel: str, tmp_path: Path) -> None:
    run = Limited(tmp_path, {"t": f"anon a 1\ntouch a 0 1 1 w\n{WAIT}\nfork c\nend\nexit errno"}, kernel=kernel)
    assert run.exits["t"] == errno.ENOMEM and "c" not in run.exits


def test_fork_with_just_enough_room_and_its_first_write_waits(tmp_path: Path) -> None:
    """Of the outcomes that were measured: the child sleeps at its first copy-on-write (or its parent does)."""
    fork = f"anon a 1\ntouch a 0 1 1 w\n{WAIT}\nfork c\n  touch a 0 1 1 w\nend"
    status = []
    for room in range(12, 18):
        folder = tmp_path / str(room)
        folder.mkdir()
        status.append(Limited(folder, {"t": f"{fork}\nexit errno"}, room=room).exits["t"])
    enough = status.index(0)
    assert enough > 0 and status == [errno.ENOMEM] * enough + [0] * (len(status) - enough)
    run = Limited(tmp_path, {"t": f"{fork}\nsleep 1000"}, room=12 + enough)
    assert run.waits_for_memory("c") and "c" not in run.exits


@pytest.mark.parametrize(("room", "status"), [(0, 126), (4, 126), (20, 3)])
def test_a_program_whose_address_space_is_refused_is_not_run(room: int, status: int, tmp_path: Path) -> None:
    """126, as a shell's child ends that could not run a program."""
    then = f"sleep {FULL_AT}\ncgexec -g memory:A late"
    run = Limited(tmp_path, {}, {"other": "exit 0", "late": "exit 3"}, then=then, room=room)
    assert run.exits["late"] == status


def test_a_new_pipe_is_enfile(tmp_path: Path) -> None:
    failed, _ = one(tmp_path, "", "pipe")
    assert failed == errno.ENFILE


@pytest.mark.parametrize(("room", "failed", "pages"), [(0, errno.ENOMEM, 0), (5, 0, 3)])
def test_a_write_to_a_pipe_is_enomem_or_short(room: int, failed: int, pages: int, tmp_path: Path) -> None:
    run = Limited(tmp_path, {"t": f"pipe\n{WAIT}\npipew 8\nsleep 1000"}, room=room)
    assert int(run.task("t").pipe_pages) == pages
    assert one(tmp_path, "pipe", "pipew 8", room)[0] == failed


# --- from outside --------------------------------------------------------------------------------
TARGET = f"anon a {PAGES}\ntouch a 0 2 1 w\nsleep 1000"


@pytest.mark.parametrize(
    ("call", "failed"),
    [
        ("vmw t a 4 1", errno.EFAULT), ("vmw t a", 0), ("pmem t a 4", errno.EIO), ("pmem t a", 0),
        ("ptr t a 4", errno.EIO), ("ptr t a 1", 0), ("vmr t a 0 2", 0),
    ],
)  # fmt: skip
def test_who_writes_into_the_full_group_from_outside_gets_an_error_or_a_short_count(
    call: str, failed: int, tmp_path: Path
) -> None:
    """EFAULT, or EIO of /proc/PID/mem and ptrace; no error where pages that are there have been written before."""
    run = Limited(tmp_path, {"t": TARGET}, {"o": f"{WAIT}\n{call}\nexit errno"})
    assert run.exits["o"] == failed and not run.killed and "t" not in run.exits
    assert int(run.k.state.mms[int(run.task("t").mm)].anon_rss) == 2


def test_a_refused_write_from_outside_counts_19_refusals(tmp_path: Path) -> None:
    """failcnt of the target's group, by one charge that fails for good; of the writer's nothing."""
    counts = []
    for call in ("sleep 1ms", "vmw t a 4 1"):
        folder = tmp_path / call.partition(" ")[0]
        folder.mkdir()
        counts.append(int(Limited(folder, {"t": TARGET}, {"o": f"{WAIT}\n{call}\nexit errno"}).a.failcnt))
    assert counts[1] - counts[0] == 19


def test_with_the_killer_on_the_outsider_runs_it_and_the_filler_dies(tmp_path: Path) -> None:
    """The largest of the group; the caller and the small target live, and the report names the outsider as invoker."""
    run = Limited(tmp_path, {"t": "anon a 64\nsleep 1000"}, {"o": f"{WAIT}\nvmw t a\nsleep 1000"}, killer=True)
    assert run.killed == ["filler"] and run.killers == ["o"]
    assert int(run.task("o").status) == 0 and int(run.task("o").group) == 0 and int(run.task("o").over_high) == 0
    assert int(run.k.state.mms[int(run.task("t").mm)].anon_rss) == 64


def test_the_pages_are_the_targets(tmp_path: Path) -> None:
    run = Limited(tmp_path, {"t": TARGET}, {"o": "sleep 100ms\nvmw t a\nsleep 1000"}, until=S // 2)
    assert int(run.k.books.groups[0].rss) == 0 and run.a.rss == PAGES
