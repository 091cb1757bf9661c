"""What a full group does to whom on Linux 6.18, as measured on a bare 6.18.44 with cgroup v1 (rows.toml has each row).

"Full": at its limit, all of it anonymous memory of a filler inside, so that nothing can be reclaimed; the killer off.
Groups are smaller than the measured 64 MiB; what is exact there (counts, errnos, who sleeps) is exact here. Calls that
fail with an error are in test_at_the_limit_calls.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cowpath.kernel import names as n

from .played import MEASURED, MS, STAYS, Played, S

KERNEL = "linux-6.18"
A = "/cgroup/memory/A"
FILLS = f"anon f 300\nsleep 300ms\nfill f\nmlock f\n{STAYS}"
LATER = "sleep 600ms"  # when A is full; mapping memory, and starting a task, is charged, too
EATS = f"anon a 8\n{LATER}\ntouch a 0 8 1 w\n{STAYS}"
READS_MAPPED = f"mapf a @cold 8 r shared\n{LATER}\ntouch a 0 1 1 r\n{STAYS}"
FAILS = 19  # of a counter, for a charge of a page that fails for good: a batch, and a page after each of 18 rounds
US = 1_000  # ns


def full(killer: bool = False, memsw: bool = False, limit: str = "1M") -> str:
    """Commands that make A and fill it. A third of a second later it is full."""
    lines = ["cgcreate -g memory:A", f"cgset -r memory.limit_in_bytes={limit} A"]
    if memsw:
        lines.append(f"cgset -r memory.memsw.limit_in_bytes={limit} A")
    if not killer:
        lines.append("cgset -r memory.oom_control=1 A")
    return "\n".join([*lines, "cgexec -g memory:A filler & "])


def played(folder: Path, text: str, programs: dict[str, str], until: int = 3 * S, **more: Any) -> Played:
    """A, which is soon full, and these commands."""
    return Played(folder, full() + text, {"filler": FILLS, **programs}, KERNEL, **more).run(until)


def asleep_at_the_faults_end(run: Played, name: str = "eats") -> bool:
    """In mem_cgroup_oom_synchronize, with nothing held."""
    return run.waits(name) == "memory (OOM)" and run.stack(name)[0][1] == "oom_wait" and not run.holds(name)


# --- counting --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("does", "counts"), [(EATS, 1), (f"{LATER}\nreadf @cold 0 1\n{STAYS}", 2)], ids=["fault", "read"]
)
def test_with_both_limits_the_same_no_failcnt_ever_moves(does: str, counts: int, tmp_path: Path) -> None:
    programs = {"filler": FILLS, "eats": does}
    run = Played(tmp_path, full(memsw=True) + "cgexec -g memory:A eats & sleep 1", programs, KERNEL).run(2 * S)
    assert (run.failcnt("A"), run.memsw_failcnt("A")) == (0, 0)
    run = Played(tmp_path, full() + "cgexec -g memory:A eats & sleep 1", programs, KERNEL).run(2 * S)
    assert run.failcnt("A") >= FAILS * counts and run.memsw_failcnt("A") == 0, "that of memory and swap never does"


def failcnts(folder: Path, does: str) -> int:
    """What an attempt adds to memory.failcnt. Its page table is there already."""
    eats = f"anon a 2\ntouch a 0 1 1 w\nsleep 1\n{does}\n{STAYS}"
    run = played(folder, "cgexec -g memory:A eats & sleep 3", {"eats": eats}, 900 * MS)
    start = run.failcnt("A")
    return run.run(3 * S).failcnt("A") - start


def test_failcnt_counts_attempts(tmp_path: Path) -> None:
    assert failcnts(tmp_path, "touch a 1 1 1 w") == FAILS


def test_a_read_of_a_cold_file_counts_25(tmp_path: Path) -> None:
    """Two charges of read-ahead give up early, after three refusals each; then that of the page itself fails."""
    assert failcnts(tmp_path, "readf @cold 0 1") == FAILS + 6
    assert failcnts(tmp_path, "readf @cold 0 16") == FAILS + 6


def test_a_charge_that_gets_through_at_its_second_try_counts_once(tmp_path: Path) -> None:
    """There is room for a page and not for a batch."""
    limit = "cgcreate -g memory:A\ncgset -r memory.limit_in_bytes=400K A\n"
    run = Played(tmp_path, limit + "cgexec -g memory:A eats & sleep 3", {
        "eats": f"anon a 70\ntouch a 0 60 1 w\nsleep 1\ntouch a 60 8 1 w\n{STAYS}"}, KERNEL).run(500 * MS)  # fmt: skip
    failed, used = run.failcnt("A"), run.usage("A")
    run.run(2 * S)
    assert run.failcnt("A") - failed == run.usage("A") - used > 0, "each page, once the stock is used up"


def test_a_charge_that_fails_takes_less_than_a_millisecond_and_never_sleeps(tmp_path: Path) -> None:
    """Measured: 0.15 to 0.6 ms. The model's is shorter: its passes, of one move for each priority, ask no shrinkers
    (shrink_slab), and what it costs to begin a program is no part of it.
    """
    reads = {"eats": f"{LATER}\nreadf @cold 0 1\n{STAYS}"}
    run = played(tmp_path, "cgexec -g memory:A eats & sleep 3", reads, 500 * MS, costs="bare")
    books = run.k.books.tasks[run.tasks("eats")[0]]
    before, failed = int(books.cpu_ns), run.failcnt("A")
    took = int(run.run(3 * S).k.books.tasks[run.tasks("eats")[0]].cpu_ns) - before
    assert run.failcnt("A") > failed and 0 < took <= 600 * US * MEASURED
    assert run.sleeps("eats") == run.sleeps("eats", n.W_TIMER), "but of its own will"


# --- a fault from user mode ------------------------------------------------------------------------
@pytest.mark.parametrize("does", [
    EATS, READS_MAPPED, f"mapf a @cold 8 rw private\n{LATER}\ntouch a 0 1 1 w\n{STAYS}",
], ids=["anonymous", "cold file", "copy"])  # fmt: skip
def test_a_fault_sleeps_at_its_end_with_nothing_held(does: str, tmp_path: Path) -> None:
    run = played(tmp_path, "cgexec -g memory:A eats & sleep 3", {"eats": does}, 2 * S)
    assert asleep_at_the_faults_end(run) and run.task("eats").killable
    mm = run.k.state.mms[int(run.task("eats").mm)]
    assert mm.mmap_sem.readers == 0 and all(int(vma.readers) == 0 for vma in run.k.state.vmas if vma.end)
    assert all(int(page.locked_by) == n.FREE for page in run.k.state.pages[: int(run.k.state.n_pages)])


WAKES = {
    "an uncharge": ("", "kill small"), "a raised limit": (f"echo 2M > {A}/memory.limit_in_bytes", ""),
    "the killer turned on": (f"echo 0 > {A}/memory.oom_control", ""), "a fatal signal": ("", "kill eats"),
}  # fmt: skip


@pytest.mark.parametrize("how", WAKES)
def test_what_wakes_the_sleeper(how: str, tmp_path: Path) -> None:
    command, outside = WAKES[how]
    small, sends = f"anon s 16\ntouch s 0 16 1 w\n{STAYS}", f"sleep 2\n{outside}\nsleep 9"
    programs = {"small": small, "eats": EATS, "outside": sends}
    start = "cgcreate -g memory:A\ncgexec -g memory:A small & sleep 0.1\n" + full().partition("\n")[2]
    text = f"{start}cgexec -g memory:A eats & outside & sleep 2.5; {command or 'true'}; sleep 9"
    run = Played(tmp_path, text, {"filler": FILLS, **programs}, KERNEL).run(2 * S)
    assert asleep_at_the_faults_end(run)
    run.run(5 * S)
    assert not run.tasks("eats") or run.waits("eats") == "sleep", "it is dead, or through with all its pages"
    assert (how == "the killer turned on") == (not run.tasks("filler"))


def test_it_is_not_woken_by_the_page_becoming_cached(tmp_path: Path) -> None:
    programs = {"eats": READS_MAPPED, "outside": f"readf @cold 0 8\n{STAYS}"}
    run = played(tmp_path, "cgexec -g memory:A eats & sleep 1; outside & sleep 9", programs, 4 * S)
    assert run.waits("outside") == "sleep" and len(run.pages("cold")) >= 8 and set(run.pages("cold")) == {0}
    assert asleep_at_the_faults_end(run)


OUTSIDE = {
    "maps": "readproc eats maps", "smaps": "readproc eats smaps", "cmdline": "readproc eats cmdline",
    "ps aux": "readproc all cmdline", "a read of the same page": "readf @cold 0 1",
    "a map of the same page": "mapf m @cold 8 r shared\ntouch m 0 1 1 r", "ftruncate": "truncate @cold 4",
}  # fmt: skip


@pytest.mark.parametrize("does", OUTSIDE.values(), ids=OUTSIDE)
def test_meanwhile_nobody_outside_waits(does: str, tmp_path: Path) -> None:
    programs = {"eats": READS_MAPPED, "outside": f"{does}\n{STAYS}"}
    run = played(tmp_path, "cgexec -g memory:A eats & sleep 1; outside & sleep 9", programs, 3 * S)
    assert asleep_at_the_faults_end(run)
    assert run.waits("outside") == "sleep" and run.held_up("outside") < 20 * MS, "but for the disk"


@pytest.mark.parametrize("does", ["mprotect a r", "munmap a"])
def test_a_sibling_changes_the_very_mapping(does: str, tmp_path: Path) -> None:
    """Unmapping a whole one takes no new object, nor does changing its protection. The sleeper sleeps on."""
    sibling = f"thread sibling\nsleep 1\n{does}\n{STAYS}\nend\n"
    eats = f"anon a 8\n{sibling}{LATER}\ntouch a 0 1 1 w\n{STAYS}"
    run = played(tmp_path, "cgexec -g memory:A eats & sleep 9", {"eats": eats}, 3 * S)
    assert asleep_at_the_faults_end(run)
    assert run.waits("sibling") == "sleep" and run.held_up("sibling") == 0
    left = [int(vma.prot) & n.VM_WRITE for vma in run.k.state.vmas if vma.end and vma.mm == run.task("eats").mm]
    assert left == ([0] if does == "mprotect a r" else [])


def signalled(folder: Path, signal: str) -> Played:
    """The sleeper is sent a signal at 1 s."""
    programs = {"eats": EATS, "outside": f"sleep 1\nkill eats {signal}\n{STAYS}"}
    run = played(folder, "cgexec -g memory:A eats & outside & sleep 9", programs, 950 * MS)
    assert asleep_at_the_faults_end(run)
    return run


def test_sigterm_ends_it(tmp_path: Path) -> None:
    """Measured: in 1 to 21 ms."""
    run = signalled(tmp_path, "term")
    assert run.run(S + 21 * MS).alive("eats", "filler") == {"filler"}


def test_sigstop_does_not_stop_it_and_ptrace_attach_sees_no_stop(tmp_path: Path) -> None:
    """Both send SIGSTOP and succeed; it is not acted on before the task is in user mode: once there is memory."""
    run = signalled(tmp_path, "stop").run(3 * S)
    assert int(run.task("outside").status) == 0 and asleep_at_the_faults_end(run)
    text = full() + f"cgexec -g memory:A eats & outside & sleep 2; echo 2M > {A}/memory.limit_in_bytes; sleep 9"
    sends = f"sleep 1\nkill eats stop\nsleep 3\nkill eats cont\n{STAYS}"
    raised = Played(tmp_path, text, {"filler": FILLS, "eats": EATS, "outside": sends}, KERNEL).run(3 * S)
    assert raised.waits("eats") == "stopped" and raised.stack("eats") == []
    assert raised.run(6 * S).waits("eats") == "sleep"


def test_khungtaskd_says_nothing(tmp_path: Path) -> None:
    """It passes over killable sleeps (TASK_KILLABLE), however long: nobody who waits here sleeps otherwise."""
    run = played(tmp_path, "cgexec -g memory:A eats & sleep 300", {"eats": EATS}, 200 * S)
    assert asleep_at_the_faults_end(run)
    (asleep,) = [task for task in run.k.state.tasks[: int(run.k.state.n_tasks)] if n.BLOCKS[int(task.wait_kind)]]
    assert asleep.killable


# --- the group's files -----------------------------------------------------------------------------
def test_a_limit_below_what_is_mlocked_is_refused_at_once(tmp_path: Path) -> None:
    """Measured: EBUSY in 0.05 ms, and the limit stays as it was. Here at most that long."""
    text = f"sleep 1; echo 512K > {A}/memory.limit_in_bytes; cat {A}/memory.limit_in_bytes; sleep 9"
    run = played(tmp_path, text, {}, 900 * MS, costs="bare")
    before = int(run.k.books.tasks[0].cpu_ns)
    assert int(run.run(3 * S).k.books.tasks[0].cpu_ns) - before <= 50 * US * MEASURED
    assert run.lines == ["echo: A: memory.limit_in_bytes: Device or resource busy", "1048576"]


def test_force_empty_succeeds_and_changes_nothing(tmp_path: Path) -> None:
    shows = f"cat {A}/memory.usage_in_bytes"
    text = f"sleep 1; {shows}; echo 0 > {A}/memory.force_empty && echo fine; {shows}"
    run = played(tmp_path, text, {}, 3 * S)
    before, answer, after = run.lines
    assert answer == "fine" and before == after == "1048576"


# --- ownership -------------------------------------------------------------------------------------
def test_a_page_stays_its_first_readers(tmp_path: Path) -> None:
    """B maps and reads what A has read first, for ever: it is charged for no page of it."""
    text = ("cgcreate -g memory:A -g memory:B\ncgexec -g memory:A first; cgexec -g memory:B second & sleep 2\n"
            "cat /cgroup/memory/B/memory.stat")  # fmt: skip
    reads = "mapf m @cold 64 r shared\nloop 5\n  touch m 0 64 1 r\n  readf @cold 0 64\nend"
    run = Played(tmp_path, text, {"first": "readf @cold 0 64", "second": f"{reads}\n{STAYS}"}, KERNEL).run(5 * S)
    a, b = run.number("A"), run.number("B")
    assert run.pages("cold").count(a) == 64 and b not in run.pages("cold")
    shown = dict(line.split() for line in run.lines)
    assert shown["cache"] == shown["mapped_file"] == "0"


def test_a_removed_groups_pages_stay_its_own_and_a_new_one_of_its_name_has_none(tmp_path: Path) -> None:
    """rmdir succeeds once there are no tasks. `cache` of P is 0, and only `total_cache` shows what A has read."""
    shows = "cat /cgroup/memory/P/memory.stat"
    makes = "mkdir /cgroup/memory/P/A; cat /cgroup/memory/P/A/memory.usage_in_bytes"
    removes = "rmdir /cgroup/memory/P/A && echo gone"
    text = f"cgcreate -g memory:P/A\ncgexec -g memory:P/A reads\n{removes}\n{shows}\n{makes}"
    lines = Played(tmp_path, text, {"reads": "readf @cold 0 64"}, KERNEL).run(5 * S).lines
    shown = dict(line.split() for line in lines[1:-1])
    assert (lines[0], lines[-1]) == ("gone", "0")
    assert (shown["cache"], int(shown["total_cache"])) == ("0", 64 * 4096)


def shares(folder: Path, later: str, seed: int = 0) -> list[int]:
    """Two groups fault the same cold file of 256 pages, one window, in step: the pages that each pays for."""
    text = f"cgcreate -g memory:A -g memory:B\ncgexec -g memory:A one & sleep {later}; cgexec -g memory:B two & sleep 5"
    reads = "mapf m @cold 256 r shared\nloop i 256\n  touch m i 1 1 r\nend\nsleep 100"
    programs = {"one": f"cpu 0\n{reads}", "two": f"cpu 1\n{reads}"}
    run = Played(folder, text, programs, KERNEL, seed=seed, machine="readahead = 512").run(4 * S)
    assert len(run.pages("cold")) == 256
    return [run.pages("cold").count(run.number(name)) for name in "AB"]


def test_who_allocates_the_window_pays_for_all_of_it(tmp_path: Path) -> None:
    """A race: 256:0 pages in 7 of 8 runs, and once 154:102: there both allocated it at the same moment."""
    assert shares(tmp_path, "1ms") == [256, 0]
    for seed in range(4):
        one, two = shares(tmp_path, "0ms", seed)
        assert one + two == 256
        assert min(one, two) > 0 or max(one, two) == 256
