"""Which counters of a scenario are scored, and how; what its outcomes are."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath.validate import sleeps, waits
from cowpath.validate.score import by_counter, by_kind, sums
from cowpath.validate.span import EQUAL, NEAR, OFF, WITHIN, Span

from .rows import compared, counters, outcomes, row, step, wrong

T = "t touch a 0 1 1 w"


# --- one counter


@pytest.mark.parametrize(
    ("measured", "simulated", "verdict"),
    [
        (8, 8, EQUAL), ([8, 8], 8, EQUAL), ([7, 9], 8, WITHIN), ([7, 9], 9, WITHIN), (100, 110, NEAR),
        (100, 111, OFF), ([90, 100], 81, NEAR), ([90, 100], 80, OFF), (0, 1, OFF), (8, None, OFF), (-12, -12, EQUAL),
    ],
)  # fmt: skip
def test_a_value_stands_to_what_was_measured(measured: Any, simulated: Any, verdict: str) -> None:
    span = Span.of(measured)
    assert span is not None and span.verdict(simulated) == verdict


def test_of_runs_in_which_a_step_did_not_end_only_the_others_count() -> None:
    assert Span.of([None, None, 8777, None]) == Span(8777, 8777)
    assert Span.of([None, None]) is None and Span.of("pid") is None


def test_one_that_stays_as_it_is_in_both_is_not_scored() -> None:
    real = row(step(group={"current": 0, "events": {"high": 0}}), step(group={"current": 64, "events": {"high": 0}}))
    assert counters(real, real) == {f"{T}: A current": EQUAL}


def test_one_that_changes_in_the_model_alone_is_scored() -> None:
    real = row(step(group={"current": 0, "events": {"high": 0}}))
    ours = row(step(group={"current": 0, "events": {"high": 17}}))
    assert counters(real, ours) == {f"{T}: A events.high": OFF}


def test_what_changes_is_told_from_the_step_before_that_shows_the_group() -> None:
    real = row(step(group={"current": 64}), step("ctl sleep 1"), step(group={"current": 64}))
    assert len(counters(real, real)) == 1


def test_what_the_model_does_not_tell_is_off() -> None:
    real = row(step(group={"current": 64}, minflt=3))
    assert counters(real, row(step(group={}))) == {f"{T}: minflt": OFF, f"{T}: A current": OFF}
    assert counters(real, row()) == {f"{T}: minflt": OFF, f"{T}: A current": OFF}


def test_faults_are_those_of_the_step_itself() -> None:
    real = row(step(minflt=[3, 4, 3], majflt=0), step(minflt=[3, 4, 3], majflt=0))
    assert counters(real, row(step(minflt=4, majflt=0), step(minflt=5, majflt=0))) == {f"{T}: minflt": OFF}
    assert [each.verdict for each in compared(real, row(step(minflt=4), step(minflt=5))).counters] == [WITHIN, OFF]


def test_events_local_are_the_same_as_events_where_they_are_not_told() -> None:
    real = row(step(group={"events": {"high": 17}, "events.local": {"high": 0}}))
    assert counters(real, row(step(group={"events": {"high": 17}}))) == {
        f"{T}: A events.high": EQUAL, f"{T}: A events.local.high": OFF,
    }  # fmt: skip


def test_groups_that_are_removed_and_still_charged_are_counted() -> None:
    removed = step("ctl rmdir A", value=0, **{"cgroup.stat": {"nr_dying_descendants": [1, 2], "nr_descendants": 1}})
    for dying, verdict in ((1, WITHIN), (0, OFF)):
        ours = step("ctl rmdir A", value=0, **{"cgroup.stat": {"nr_dying_descendants": dying}})
        assert counters(row(removed), row(ours)) == {"ctl rmdir A: nr_dying_descendants": verdict}


def test_memory_stat_counts_where_it_has_settled() -> None:
    real = row(step(group={"stat": {"anon": 4096}}), settled=[step(group={"stat": {"anon": [8192, 12288]}}, runs=3)])
    ours = row(step(group={"stat": {"anon": 8192}}), settled=[step(group={"stat": {"anon": 8192, "file": 64}})])
    assert counters(real, ours) == {f"settled: {T}: A stat.anon": WITHIN, f"settled: {T}: A stat.file": OFF}
    assert counters(real, row(step())) == {f"settled: {T}: A stat.anon": OFF}


def test_one_run_of_several_does_not_say_that_a_counter_has_changed() -> None:
    last = step(group={"stat": {"pgfault": [942, 987]}}, runs=3)
    after = step("after_exit_of_all_tasks", group={"stat": {"pgfault": 950}}, runs=1)
    real = row(step(), settled=[last, after])
    ours = row(
        step(), settled=[step(group={"stat": {"pgfault": 960}}), after | {"groups": {"A": {"stat": {"pgfault": 960}}}}]
    )
    assert counters(real, ours) == {f"settled: {T}: A stat.pgfault": WITHIN}


def test_events_are_those_of_the_whole_scenario() -> None:
    real, ours = row(events={"A": {"PGFAULT": 8}}), row(events={"A": {"PGFAULT": 8, "PSWPIN": 1}})
    assert counters(real, ours) == {"the whole scenario: A PGFAULT": EQUAL, "the whole scenario: A PSWPIN": OFF}


# --- outcomes


def test_who_is_killed_and_in_which_order() -> None:
    real = row(oom_killed=["t", "v"])
    assert wrong(real, row(oom_killed=["t", "v"])) == []
    assert wrong(real, row(oom_killed=["v", "t"])) == wrong(real, row(oom_killed=["t"])) == ["killed"]
    assert wrong(row(), row(oom_killed=["t"])) == ["killed"]
    assert wrong(row(oom_killed=[["t"], ["t", "v"]]), row(oom_killed=["t"])) == []


def test_after_a_lowered_limit_only_the_first_victim_is_no_matter_of_luck() -> None:
    alive = step("ctl alive", alive=["v"])
    real = row(step("ctl set A max 8388608", value=0), alive, oom_killed=["t"])
    ours = row(step("ctl set A max 8388608", value=0), step("ctl alive", alive=[]), oom_killed=["t", "v"])
    assert wrong(real, ours) == [] and wrong(real, ours | {"oom_killed": ["v", "t"]}) == ["killed"]


def test_who_dies_and_how_far_it_has_come() -> None:
    v2, v1 = step(died=True, exit=-9, progress=[3577, 3586]), step(reply="DIED", progress=[3577, 3586])
    for real in (row(v2), row(v1)):
        assert wrong(real, row(step(died=True, exit=-9, progress=3600))) == []
        assert wrong(real, row(step(died=True, exit=-9, progress=2000))) == ["about how far"]
        assert "died" in wrong(real, row(step(value=5000)))
    assert wrong(row(v2), row(step(died=True, exit=0, progress=3577))) == ["exit status"]
    assert "died" in wrong(row(step(value=8)), row(step(died=True)))


def test_who_blocks() -> None:
    assert wrong(row(step(reply="TIMEOUT")), row(step(blocked=True))) == []
    assert wrong(row(step(reply=["TIMEOUT", None])), row(step(blocked=True))) == []
    assert wrong(row(step(blocked=True)), row(step(value=0))) == ["blocked"]
    assert "blocked" in wrong(row(step(value=0)), row(step(blocked=True)))


def test_what_a_call_returned() -> None:
    assert wrong(row(step(value=-12)), row(step(value=-12))) == []
    assert wrong(row(step(value=-12)), row(step(value=-14))) == ["returned"]
    assert wrong(row(step(value=[65536, -3, -3])), row(step(value=-3))) == []
    assert wrong(row(step(value=1)), row(step())) == ["returned"]


def test_the_number_of_a_task_is_no_outcome_but_an_error_is() -> None:
    for text in ("ctl fork t c", "t pid", "o readproc /proc/@t/maps"):
        assert wrong(row(step(text, value=[154, 155, 157])), row(step(text, value=3))) == []
        assert wrong(row(step(text, value="pid")), row(step(text, value=-12))) == ["returned"]
    waited = step("ctl wait o 40", of="readproc /proc/@t/maps", value=1134)
    assert wrong(row(waited), row(step("ctl wait o 40", value=0))) == []


def test_who_lives() -> None:
    v1, v2 = step("ctl alive", alive={"t": False, "v": True}), step("ctl alive", alive=["v"])
    for real in (row(v1), row(v2)):
        assert wrong(real, row(v1)) == wrong(real, row(v2)) == []
        assert wrong(real, row(step("ctl alive", alive=["t", "v"]))) == ["alive"]
    assert wrong(row(step("ctl alive", alive=[["v"], ["t", "v"]])), row(v2)) == []
    assert wrong(row(step("ctl alive", alive=[[], ["t"]])), row(v2)) == ["alive"]


def test_what_looks_have_seen() -> None:
    real = row(step("ctl locked lib", locked=[0, 3]), step("ctl gets_on victim 2", gets_on=False))
    assert wrong(real, row(step(locked=3), step(gets_on=False))) == []
    assert wrong(real, row(step(locked=4), step(gets_on=True))) == ["locked", "gets_on"]


def test_how_many_are_locked_at_a_time_is_luck_and_a_counter() -> None:
    text = "ctl locked lib 100 20"
    real = row(step(text, locked_most=[7, 20]))
    assert counters(real, row(step(text, locked_most=21))) == {f"{text}: locked_most": "within 10 %"}
    assert outcomes(real, row(step(text, locked_most=21))) == []


def test_where_nobody_knows_who_was_killed_nobody_is_the_wrong_one() -> None:
    assert wrong(row(oom_killed=None), row(oom_killed=["t"])) == []


def test_a_group_is_removed_in_both_or_in_none() -> None:
    removed: Any = {"step": "ctl rmdir A", "groups": {"A": "removed"}}
    assert wrong(row(removed), row(removed)) == [] and wrong(row(removed), row(step("ctl rmdir A", group={}))) != []


# --- what a task waits for

OVER_HIGH = "__mem_cgroup_handle_over_high"


@pytest.mark.parametrize(
    ("stack", "name", "paths"),
    [
        (["mem_cgroup_oom_synchronize", "pagefault_out_of_memory"], "memory (OOM)", ["pagefault_out_of_memory"]),
        ([OVER_HIGH, "irqentry_exit_to_user_mode"], "throttled", ["exit_to_user"]),
        ([OVER_HIGH, "try_charge_memcg", "charge_memcg"], "throttled", ["readahead", "read"]),
        (["mem_cgroup_handle_oom", "__mem_cgroup_try_charge"], "memory (OOM)", ["file_cow", "page_fault"]),
        (["sleep_on_page_killable", "__wait_on_bit"], "page lock", ["file_cow", "page_fault"]),
        (["folio_wait_bit_common", "filemap_fault"], "page lock", ["file_read", "page_fault"]),
        (["lock_next_vma", "proc_get_vma.isra.0"], "mmap_sem for reading", ["read_maps"]),
        (["ext4_buffered_write_iter", "vfs_write"], "i_mutex", ["write"]),
        (["anon_pipe_read", "vfs_read"], "sleep", []),
    ],
)
def test_the_kernels_symbols_and_the_models_names_come_to_the_same(
    stack: list[str], name: str, paths: list[str]
) -> None:
    real = step("ctl stack t", state="D", wchan=stack[0], stack=stack)
    ours = step("ctl stack t", state="D", waits=name, paths=paths)
    assert wrong(row(real), row(ours)) == []
    assert wrong(row(real), row(step("ctl stack t", state="R", waits="", paths=[]))) == ["waits for"]
    assert wrong(row(real), row(step("ctl stack t"))) == ["waits for"]


def test_the_place_of_a_throttle_counts() -> None:
    real = step("ctl stack t", state="D", wchan=OVER_HIGH, stack=[OVER_HIGH, "try_charge_memcg"])
    ours = step("ctl stack t", state="D", waits="throttled", paths=["exit_to_user"])
    assert wrong(row(real), row(ours)) == ["waits for"]


def test_each_run_may_have_waited_for_something_else() -> None:
    real = step(
        "ctl stack t", state=["D", "S"], wchan=[OVER_HIGH, "anon_pipe_read"],
        stack={"per_run": [[OVER_HIGH, "asm_exc_page_fault"], ["anon_pipe_read"]]},
    )  # fmt: skip
    assert waits.real(real) == {waits.RETURN, waits.IDLE}
    assert wrong(row(real), row(step("ctl stack t", state="S", waits="sleep", paths=[]))) == []


def test_of_samples_what_was_seen_most_often_counts() -> None:
    seen = {"R 0 ": 1, f"D {OVER_HIGH} {OVER_HIGH}<irqentry_exit_to_user_mode": 39}
    real = step("ctl sample t 40 250", histogram={"per_run": [seen, seen]})
    ours = step("ctl sample t 40 250", histogram={"R": 2, "D throttled exit_to_user": 38})
    assert wrong(row(real), row(ours)) == []
    assert wrong(row(real), row(step("ctl sample t 40 250", histogram={"D page lock read": 40}))) == ["waits for"]


# --- sleeps


def slow(*accesses: tuple[int, int]) -> dict[str, Any]:
    return {"n": len(accesses), "sum_us": sum(us for _, us in accesses), "first": [list(each) for each in accesses]}


def runs(*each: Any) -> dict[str, Any]:
    return {"per_run": list(each)}


HIGH: dict[str, Any] = {"groups": {"A": {"high": 8388608}}}


def test_a_sleep_is_right_within_a_factor() -> None:
    real = step(slow=runs(slow((58, 252_504)), slow((58, 273_753))))
    for us, is_wrong in ((250_000, False), (180_000, False), (150_000, True), (400_000, False), (450_000, True)):
        assert (wrong(row(real, **HIGH), row(step(slow=slow((58, us))))) == ["sleeps"]) == is_wrong, us


def test_the_number_of_sleeps_counts_and_where_the_first_was() -> None:
    real = step(slow=runs(slow((57, 1_000_000)), slow((3, 8_000), (58, 1_000_000))))
    assert counters(row(real, **HIGH), row(step(slow=slow((58, 1_000_000))))) == {f"{T}: first sleep at access": WITHIN}
    assert counters(row(real, **HIGH), row(step(slow=slow((50, 1_000_000))))) == {f"{T}: first sleep at access": OFF}
    four = slow(*((at, 250_000) for at in range(4)))
    assert wrong(row(real, **HIGH), row(step(slow=four))) == ["sleeps"]


def test_what_only_works_slowly_in_an_emulator_is_no_sleep() -> None:
    real = step(slow=runs(slow((1, 14_000), (9, 16_000)), slow((9, 12_000)), None))
    assert wrong(row(real, **HIGH), row(step())) == [] and outcomes(row(real), row(step())) == []
    assert wrong(row(real), row(step(slow=slow((9, 400_000))))) == ["sleeps"]


def test_where_nobody_measured_how_long_no_sleep_is_wrong() -> None:
    v1 = row(step())  # its rows have no "slow" at all
    assert outcomes(v1, row(step(slow=slow((1, 700_000))))) == []
    fork = step("t fork 1", value=0)
    assert wrong(row(fork, **HIGH), row(step("t fork 1", value=0, slow=slow((0, 8_000_000))))) == []


def test_of_threads_that_luck_tells_apart_all_together_count() -> None:
    tasks = {"t": {"group": "A"}, "u": {"group": "A", "thread_of": "t"}}
    one, other = runs(slow((9, 300_000)), slow((1, 9_000_000))), runs(slow((3, 9_000_000)), slow((2, 500_000)))
    waited = [step(f"ctl wait {who} 9", of="touch a 0 64 1 w", slow=slept) for who, slept in (("t", one), ("u", other))]
    ours = [step(slow=slow((1, 4_000_000))), step(slow=slow((1, 5_000_000)))]
    assert outcomes(row(*waited, tasks=tasks, **HIGH), row(*ours)) == ["sleeps"]
    assert wrong(row(*waited, tasks=tasks, **HIGH), row(*ours)) == []
    assert wrong(row(*waited, tasks=tasks, **HIGH), row(ours[0], step())) == ["sleeps"]
    apart = {"t": {"group": "A"}, "u": {"group": "A"}}
    assert len(outcomes(row(*waited, tasks=apart, **HIGH), row(*ours))) == 2


def test_a_mark_may_be_set_later() -> None:
    assert sleeps.throttles(row(steps=[["ctl", "set A high 8388608"]]))
    assert not sleeps.throttles(row(steps=[["ctl", "set A max 8388608"]]))


# --- sums


def test_sums_have_the_worst_first() -> None:
    real = row(step(group={"current": 64, "peak": 64, "events": {"high": 1, "max": 1}}))
    ours = row(step(group={"current": 64, "peak": 65, "events": {"high": 4, "max": 1}}))
    found = compared(real, ours)
    assert (found.agree, found.total, found.worst and found.worst.name) == (2, 4, "events.high")
    assert [(each.name, each.agree, each.total) for each in sums([found], by_counter)][:2] == [
        ("events.high", 0, 1), ("peak", 0, 1),
    ]  # fmt: skip
    assert [(each.name, each.agree, each.total) for each in sums([found], by_kind)] == [("anon", 2, 4)]
    assert compared(real, real).worst is None
