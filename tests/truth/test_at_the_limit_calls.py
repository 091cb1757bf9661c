"""System calls in a full group, measured on Linux 6.18.44 (cgroup v1) and 6.18.15 (v2): which error, what is done.

See ``at_the_limit.py``. A call that is charged fails where the killer is off; a fault of user mode waits at its end.
"""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from cowpath.kernel import names as n

from .at_the_limit import FULL_AT, KERNEL, Limited, S
from .played import ROOT, Played

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


@pytest.mark.parametrize(("room", "done"), [(0, 0), (7, 5)])
def test_populate_write_is_enomem_and_what_is_done_stays(room: int, done: int, tmp_path: Path) -> None:
    """With room for 5 pages, and for two of the sleeper's and its own page table, there are 5: what objects leave of
    their pages is one.
    """
    before = f"anon a {PAGES}\n{WAIT}\nmadv a populate_write"
    run = Limited(tmp_path, {"t": f"{before}\nsleep 1000"}, room=room)
    assert int(run.k.state.mms[int(run.task("t").mm)].anon_rss) == done
    assert one(tmp_path, f"anon a {PAGES}", "madv a populate_write", room)[0] == errno.ENOMEM


@pytest.mark.parametrize(("room", "failed", "done"), [(0, errno.ENOMEM, 0), (2, 0, 0), (7, 0, 5)])
def test_map_populate_is_a_success_unless_the_vma_is_refused(room: int, failed: int, done: int, tmp_path: Path) -> None:
    """Of the room two pages are the sleeper's. The page of the new mapping's object goes back at once, with what was
    left of the one before (refill_obj_stock): its page table has that.
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
    for room in range(16, 26):
        folder = tmp_path / str(room)
        folder.mkdir()
        status.append(Limited(folder, {"t": f"{fork}\nexit errno"}, room=room).exits["t"])
    enough = status.index(0)
    assert enough > 0 and status == [errno.ENOMEM] * enough + [0] * (len(status) - enough)
    run = Limited(tmp_path, {"t": f"{fork}\nsleep 1000"}, room=16 + enough)
    assert run.waits_for_memory("c") and "c" not in run.exits


def test_a_new_pipe_is_enfile(tmp_path: Path) -> None:
    failed, _ = one(tmp_path, "", "pipe")
    assert failed == errno.ENFILE


@pytest.mark.parametrize(("room", "failed", "pages"), [(0, errno.ENOMEM, 0), (4, 0, 3)])
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


# --- cgroup v2 -----------------------------------------------------------------------------------
def statuses(run: Played, until: int) -> dict[str, int]:
    """By program the status with which it has ended."""
    run.k.books.log_mask |= 1 << n.EV_EXIT
    run.run(until)
    names, found = {0: "sh"}, {}
    for event in np.concatenate(run.blocks):
        kind, task = int(event["kind"]), int(event["task"])
        if kind == n.EV_FORK:
            names[int(event["a"])] = run.plan.comms[int(event["b"])]
        elif kind == n.EV_EXEC:
            names[task] = run.plan.comms[int(event["a"])]
        elif kind == n.EV_EXIT:
            found[names[task]] = int(event["value"])
    return {name: status for name, status in found.items() if name not in ("sh", "sleep")}


def test_where_nobody_may_be_killed_calls_fail(tmp_path: Path) -> None:
    """There is no "killer off" in v2, but oom_score_adj = -1000: in system calls the charge fails all the same."""
    calls = {
        "fork": ("fork c\nend\nexit errno", errno.ENOMEM), "map": ("anon new 4\nexit errno", errno.ENOMEM),
        "pipe": ("pipe\nexit errno", errno.ENFILE), "reads": ("readf @cold 0 1\nexit errno", errno.ENOMEM),
    }  # fmt: skip
    programs = {name: f"oom_score_adj -1000\nsleep 500ms\n{call}" for name, (call, _) in calls.items()}
    programs["hard"] = "oom_score_adj -1000\nanon a 1100\nsleep 460ms\ntouch a 0 1100 1 w"
    programs |= {"vmw": "sleep 508ms\nvmw hard a 1090 4\nexit errno", "ptr": "sleep 512ms\nptr hard a 1090\nexit errno"}
    text = f"mkdir {ROOT}/A; echo 4M > {ROOT}/A/memory.max\n"
    text += "".join(f"cgexec -g memory:A {name} &\n" for name in [*calls, "hard"]) + "vmw &\nptr &\nsleep 5"
    failed = statuses(Played(tmp_path, text, programs, KERNEL), 53 * S // 100)
    assert failed == {name: status for name, (_, status) in calls.items()} | {"vmw": errno.EFAULT, "ptr": errno.EIO}


def test_an_outsider_is_never_charged_throttled_or_killed(tmp_path: Path) -> None:
    """high11: A is half over its mark; an outsider writes 1024 fresh pages into its task, and does not sleep. Then A
    has a limit: the outsider's write has its task killed, and the outsider lives.
    """
    text = (
        f"mkdir {ROOT}/A\ncgexec -g memory:A t & sleep 1\necho 8M > {ROOT}/A/memory.high; sleep 1\nout &\nsleep 3\n"
        f"echo 24M > {ROOT}/A/memory.max; late & sleep 3"
    )
    programs = {
        "t": "anon a 3072\nanon b 8192\ntouch a 0 3072 1 w\nsleep 1000", "out": "vmw t b 0 1024\nsleep 1000",
        "late": "vmw t b 1024 4096\nexit errno",
    }  # fmt: skip
    run = Played(tmp_path, text, programs, KERNEL)
    run.run(4 * S)
    outside = run.k.books.groups[0]
    assert int(outside.waits[n.W_THROTTLE]) == 0 and int(outside.rss) == 0
    assert run.books("A").rss == 3072 + 1024 and run.alive("t", "out") == {"t", "out"}
    run.run(9 * S)
    assert run.alive("t", "out") == {"out"} and int(outside.rss) == 0
