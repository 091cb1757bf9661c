"""oom-off: killer off, the group full, a task in it writes a page of a shared library; twelve others use that page."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from cowpath.kernel import names as n
from cowpath.kernel.page_lock import RETRY_PHASE
from cowpath.session.cgroupfs import READABLE

from .world import EXAMPLES, MS, SAME_AS, TRUTH, WAYS_2_AND_3, S, World, limits, scenario

OFF = scenario("oom-off")
SETUP = OFF["setup"]["group_A"]
DESIGNS = (*TRUTH["kernels"], "charge-after-map")
OWN = 17  # pages that the attacker touches before it fills: its program, stack and data
VICTIMS_AT, END = 1200 * MS, 58_200 * MS
START = limits(oom_off=True) + "cgexec -g memory:A taskset -c 1 attacker &\n"
HOLD = START + "attacker=$!\nsleep 1.2\nvictims &\nsleep 57\n"
RELEASES = {
    "raise": "cgset -r memory.memsw.limit_in_bytes=128M A\ncgset -r memory.limit_in_bytes=128M A\n",
    "SIGKILL": "kill -9 $attacker\n",
    "memory.oom_control=0": "cgset -r memory.oom_control=0 A\n",
}
# the tasks of examples/programs/victims.prog, in the order of the truth's list
VICTIMS = (
    "read-100", "cow-100", "read-101", "cow-101", "pread-100", "pread-into-100", "mlock-100", "shared-100",
    "pwrite-100",
    "threads", "mapper", "fadvise",
)  # fmt: skip


def column(design: str) -> str:
    """The truth's column for a design."""
    return SAME_AS.get(design, design)


def blocked_victims(design: str) -> set[str]:
    """Who is blocked while the attacker is, as measured."""
    if design in WAYS_2_AND_3:
        assert OFF["ways_2_and_3"] == "no victim blocked"
        return set()
    rows = zip(VICTIMS, OFF["victims_us"], strict=True)
    return {victim for victim, row in rows if str(row[column(design)]).startswith("blocked")}


def files(world: World) -> dict[str, str]:
    """All the group's files."""
    return {name: world.file(name.removeprefix("memory.")) for name in READABLE}


@cache
def held(design: str) -> dict[str, Any]:
    """What is to be seen while the attacker is blocked, 57 s long."""
    world = World(HOLD, "oom-off.sh", design)
    world.run(VICTIMS_AT - MS)
    early = files(world), int(world.k.books.tasks[world.tasks("attacker")[0]].cpu_ns)
    world.run(END - MS)
    late = files(world), int(world.k.books.tasks[world.tasks("attacker")[0]].cpu_ns)
    return {
        "early": early, "late": late,
        "blocked": {name for name in VICTIMS if world.task(name) is not None},
        "locked": world.lib_pages_locked(),
        "stacks": {name: kernel_stack(world, name) for name in ("attacker", *VICTIMS) if world.task(name) is not None},
        "killable": {name for name in VICTIMS if (task := world.task(name)) is not None and task.killable},
        "verdict": world.verdict(),
        "stat": world.stat,
    }  # fmt: skip


# --- who is blocked, and who is not --------------------------------------------------------------
@pytest.mark.parametrize("design", DESIGNS)
def test_exactly_these_victims_are_blocked(design: str) -> None:
    assert held(design)["blocked"] == blocked_victims(design)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_verdict(design: str) -> None:
    verdict = held(design)["verdict"]
    assert verdict.outside == ("stuck" if blocked_victims(design) else "isolated")
    assert verdict.groups == {"A": "waits"}
    waiting = [chain.split("[")[0] for chain in verdict.chains]
    assert set(waiting) == blocked_victims(design)
    assert all("lib page 100, held by attacker[" in chain and "OOM killer off" in chain for chain in verdict.chains)


@pytest.mark.parametrize("design", DESIGNS)
def test_pages_of_lib_that_are_locked(design: str) -> None:
    known = OFF["lib_pages_locked_while_blocked"]
    assert held(design)["locked"] == known.get(column(design), known["charge-after-unlock"])  # both forms of way 2


def test_the_second_thread_goes_on_while_the_first_is_blocked() -> None:
    """LOCK_PAGE_RETRY: the first thread has dropped mmap_sem, so that the second can map memory and touch it."""
    world = World(HOLD, "oom-off.sh", "linux-3.0")
    world.run(END - MS)
    first = world.task("threads")
    assert first.wait_kind == n.W_PAGE_LOCK and world.task("mapper") is None
    mm = world.k.state.mms[int(first.mm)]
    assert mm.mmap_sem.readers == 0 and mm.mmap_sem.writer == n.NONE
    assert mm.anon_rss == 16  # the second thread's pages are there


# --- the group's files ---------------------------------------------------------------------------
@pytest.mark.parametrize("design", DESIGNS)
def test_how_the_group_fills_up(design: str) -> None:
    fill = OFF["fill"]
    assert fill["pages_of_exec_stack_data"] == OWN
    world = World(HOLD, "oom-off.sh", design)
    world.run_to(lambda: world.books.rss > SETUP["pages"] - 200, moves=100)
    world.run_to(lambda: world.number("usage_in_bytes") == SETUP["memory.limit_in_bytes"])
    attacker = world.task("attacker")
    assert world.books.rss - OWN == fill["anon_pages_when_usage_first_reaches_limit"]
    assert world.stock == fill["stock_pages_then"]
    assert world.stat["rss"] == world.number("usage_in_bytes") - world.stock * n.PAGE_SIZE  # rss excludes the stock
    assert world.number("failcnt") == fill["failcnt_then"]

    world.run_to(lambda: world.waits("attacker") == "sleep")  # its 50 ms: nothing fits any more
    assert int(attacker.progress) == 0 and world.stock == 0
    assert world.books.rss - OWN == fill["anon_pages_in_all"]
    assert (
        fill["anon_pages_in_all"] - fill["anon_pages_when_usage_first_reaches_limit"]
        == fill["further_anon_pages_that_fit"]
    )
    assert world.number("failcnt") == fill["failcnt_then"]


@pytest.mark.parametrize("design", DESIGNS)
def test_the_files_while_it_is_blocked(design: str) -> None:
    now, expected = held(design)["late"][0], OFF["while_blocked"]
    for name in ("usage_in_bytes", "max_usage_in_bytes", "failcnt", "memsw.failcnt"):
        assert int(now[f"memory.{name}"]) == expected[name], name
    assert now["memory.oom_control"].replace("\n", ", ") == expected["oom_control"]


@pytest.mark.parametrize("design", DESIGNS)
def test_nothing_changes_during_57_s(design: str) -> None:
    assert OFF["while_blocked"]["changes_during_57_s"] == "none: it sleeps, it does not retry"
    assert held(design)["late"] == held(design)["early"]  # its files, and the CPU time that it has used


@pytest.mark.parametrize("design", DESIGNS)
def test_memory_stat(design: str) -> None:
    """Real tasks fault a little more: ``pgfault`` counts what needs no memory of the group too (text, zero page).

    Such faults are the program's own, and the model's program has none; so few are they that 100 is a safe bound.
    """
    stat, expected = held(design)["stat"], dict(TRUTH["files"]["blocked attacker of oom-off"])
    assert list(stat) == TRUTH["files"]["memory.stat keys, in order"]
    text = held(design)["late"][0]["memory.stat"]
    assert [line.split()[0] for line in text.splitlines()] == list(stat)
    pgfault, active_anon = expected.pop("pgfault"), expected.pop("active_anon")
    assert stat["pgfault"] == stat["pgpgin"] + 1  # each made a page; the one that is blocked counts at its entry
    assert stat["pgfault"] <= pgfault <= stat["pgfault"] + 100
    assert str(stat["active_anon"]) in active_anon.replace(",", "").split()
    assert {key: stat[key] for key in expected} == expected


# --- stacks --------------------------------------------------------------------------------------
FUNCTIONS = {  # the kernel functions of 3.0 that a path's step stands for, the innermost first
    ("page_fault", "handle_pte_fault"): "handle_pte_fault < handle_mm_fault < do_page_fault",
    (
        "file_cow",
        "charge",
    ): "__mem_cgroup_try_charge < mem_cgroup_charge_common < mem_cgroup_newpage_charge < __do_fault",
    ("file_cow", "lock_page"): "__lock_page_or_retry < filemap_fault < __do_fault",
    ("file_read", "lock_page"): "__lock_page_or_retry < filemap_fault < __do_fault",
    ("file_shared_write", "lock_page"): "__lock_page_or_retry < filemap_fault < __do_fault",
}


def kernel_stack(world: World, name: str) -> str:
    """The functions that a task's frames stand for; "" where a frame is not in the table."""
    task = world.task(name)
    inner = ""
    if task.wait_kind == n.W_OOM:
        inner = "mem_cgroup_handle_oom < "
    elif task.wait_kind == n.W_PAGE_LOCK and task.frames[int(task.depth) - 1].phase == RETRY_PHASE and task.killable:
        inner = "sleep_on_page_killable < __wait_on_bit < wait_on_page_bit_killable < "
    functions = [FUNCTIONS.get(frame, "") for frame in world.stack(name)]
    return inner + " < ".join(functions) if all(functions) else ""


@pytest.mark.parametrize("design", DESIGNS)
def test_the_attackers_stack(design: str) -> None:
    assert held(design)["stacks"]["attacker"] == OFF["stacks"]["attacker"]


@pytest.mark.parametrize("design", DESIGNS)
def test_a_fault_victims_stack(design: str) -> None:
    faulting = {"read-100", "cow-100", "shared-100", "threads"} & blocked_victims(design)
    for name in faulting:
        assert held(design)["stacks"][name].startswith(OFF["stacks"]["fault victim"].removesuffix(" < ...")), name


@pytest.mark.parametrize("design", DESIGNS)
def test_who_can_be_killed_while_blocked(design: str) -> None:
    """Faults wait killably, the calls on pages do not."""
    rows = dict(zip(VICTIMS, (row["op"] for row in OFF["victims_us"]), strict=True))
    blocked = blocked_victims(design)
    assert held(design)["killable"] == {name for name in blocked if "uninterruptible" not in rows[name]}


# --- what frees them -----------------------------------------------------------------------------
@cache
def released(design: str, release: str) -> World:
    world = World(HOLD + RELEASES[release] + "sleep 1\n", "oom-off.sh", design)
    world.run(END - MS)
    assert world.waits("attacker") == "memory (OOM)"
    world.run(END + S // 2)
    return world


def release_of(name: str) -> Any:
    return next(row for row in OFF["releases"] if row["release"].startswith(name))


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("design", DESIGNS)
def test_a_release_frees_everybody(design: str, release: str) -> None:
    world = released(design, release)
    assert release_of(release)["victims_resume_ms"][1] < 500
    assert not any(world.tasks(name) for name in VICTIMS)
    assert world.lib_pages_locked() == 0
    assert world.verdict().outside == ("stalled" if blocked_victims(design) else "isolated")


@pytest.mark.parametrize("design", DESIGNS)
def test_raising_the_limit_completes_the_copy(design: str) -> None:
    world = released(design, "raise")
    assert release_of("raise")["attacker"] == "COW completes"
    assert world.waits("attacker") == "sleep" and world.count(n.C_COW) == 1
    assert world.number("usage_in_bytes") == OFF["after_raise"]["usage_in_bytes"]
    seen = int(OFF["after_raise"]["failcnt"].split()[0])  # "more tries may count first": at most one more round of 6
    assert seen <= world.number("failcnt") <= seen + 6


@pytest.mark.parametrize("design", DESIGNS)
def test_killing_the_attacker_bypasses_its_charge(design: str) -> None:
    world = released(design, "SIGKILL")
    assert release_of("SIGKILL")["attacker"] == "dies; charge bypassed; usage 0, failcnt 7"
    assert world.task("attacker") is None and world.count(n.C_BYPASSED) == 1
    assert world.number("usage_in_bytes") == 0 and world.number("failcnt") == OFF["while_blocked"]["failcnt"]
    assert world.count(n.C_OOM_KILLS) == 0


@pytest.mark.parametrize("design", DESIGNS)
def test_turning_the_killer_on_kills_the_attacker(design: str) -> None:
    world = released(design, "memory.oom_control=0")
    assert release_of("memory.oom_control=0")["attacker"] == "woken, then OOM-killed"
    assert world.task("attacker") is None and world.count(n.C_OOM_KILLS) == 1
    assert world.number("usage_in_bytes") == 0
    assert world.file("oom_control") == "oom_kill_disable 0\nunder_oom 0"


@pytest.mark.parametrize("design", DESIGNS)
def test_a_wake_up_without_memory_counts_six_more_tries(design: str) -> None:
    """memsw.limit alone wakes the sleepers; "the retries start again, the batch stays 1": 5 retries, and one more."""
    assert TRUTH["files"]["failcnt"].startswith(
        "+7 at the first entry into OOM: one try with a batch of 32, six with a"
    )
    world = World(HOLD + "cgset -r memory.memsw.limit_in_bytes=128M A\nsleep 1\n", "oom-off.sh", design)
    world.run(END + S // 2)
    assert world.waits("attacker") == "memory (OOM)"
    assert world.number("failcnt") == OFF["while_blocked"]["failcnt"] + 6


# --- the examples show the same ------------------------------------------------------------------
@pytest.mark.parametrize(
    ("example", "printed"),
    [
        (
            "oom-off.sh",
            {"memory.usage_in_bytes": "67108864", "memory.failcnt": "7", "memory.oom_control": "oom_kill_disable 1"},
        ),
        ("oom-off-raise.sh", {"memory.usage_in_bytes": "67112960", "memory.oom_control": "oom_kill_disable 1"}),
        ("oom-off-kill.sh", {"memory.usage_in_bytes": "0", "memory.failcnt": "7"}),
        ("oom-off-enable.sh", {}),
    ],
)
@pytest.mark.parametrize("design", ["linux-3.0", "preallocate"])
def test_the_examples(design: str, example: str, printed: dict[str, str]) -> None:
    text = (EXAMPLES / example).read_text(encoding="utf-8")
    world = World(text, example, design)
    world.run(20 * S)
    output = dict(line.split(": ") for line in world.clock.output.splitlines() if ": " in line)
    assert printed.items() <= output.items()
    assert len(world.tasks("attacker")) == (example in ("oom-off.sh", "oom-off-raise.sh"))
    assert world.verdict().outside == (
        "isolated" if design == "preallocate" else "stuck" if example == "oom-off.sh" else "stalled"
    )
