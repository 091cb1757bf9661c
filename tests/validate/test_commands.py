"""What workers and ``ctl`` are told, command by command: each does what it says, on a small machine of one group."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from cowpath import api
from cowpath.designs import Design
from cowpath.errors import InputError
from cowpath.validate.play import NotModelled, play
from cowpath.validate.scenario import scenario_of
from cowpath.words import Place

MIB = 1 << 20
PAGE = 4096
Row = dict[str, Any]


@cache
def design(release: str) -> Design:
    return api.load_design(f"linux-{release}")


def story(*steps: str, v1: bool = False, release: str = "6.18", **more: Any) -> list[Row]:
    """What came of steps, "WHO COMMAND ..." (with "&" at the end: async), after ``start``: t is in A, o outside."""
    row: Row = {
        "id": "commands", "groups": {"A": {"limit" if v1 else "max": 64 * MIB}},
        "tasks": {"t": {"group": "A", "cpu": 0}, "o": {"cpu": 1}}, "result": [],
        "steps": [_step(step) for step in steps], **({} if v1 else {"kernel": release}), **more,
    }  # fmt: skip
    result = play(scenario_of(row, Place("story.jsonl", 1)), design(release))["result"]
    assert [each["step"] for each in result[1:-1]] == [" ".join(_step(step)[:2]) for step in steps]
    return list(result[1:-1])


def _step(text: str) -> list[str]:
    who, _, command = text.removesuffix(" &").partition(" ")
    return [who, command, "async"] if text.endswith(" &") else [who, command]


def value(*steps: str, **more: Any) -> Any:
    """What the last step returned."""
    return story(*steps, **more)[-1]["value"]


def stat(entry: Row, key: str) -> int:
    return int(entry["groups"]["A"]["stat"].get(key, 0))


# --- what calls return


@pytest.mark.parametrize(
    ("steps", "returned"),
    [
        (["t anon a 8", "t touch a 0 8 1 w"], 8),
        (["t anon a 16", "t touchperm a 16 40 3 w"], 40),
        (["t anonpop a 8", "t munmap a"], 0),
        (["t shm s 8", "t touch s 0 8 1 w"], 8),
        (["t mapf m @f 8 r shared", "t touch m 0 8 1 r"], 8),
        (["t readf @f 0 16 4"], 16),
        (["t writef @f 0 16 4"], 16),
        (["t anon a 8", "t readinto a @f 8"], 8),
        (["t anon a 8", "t mlock a"], 0),
        (["t anon a 8", "t madv a populate_write 0 8"], 0),
        (["t anon a 8", "t madv a dontdump"], 0),
        (["t mapf m @f 8 r shared", "t madv m willneed"], 0),
        (["t fadv @f willneed"], 0), (["t fadv @f dontneed 0 4"], 0), (["t fadv @f noreuse"], 0),
        (["t mapf m @f 8 rw shared", "t touch m 0 8 1 w", "t msync m"], 0),
        (["t writef @f 0 4 4", "t fsync @f"], 0), (["t unlink @f"], 0),
        (["t true"], 0), (["t fork 3"], 0), (["t mmaploop 5 1"], 5), (["t sleepms 3"], 0),
        (["t pipew 8192"], 8192),
        (["t anon a 8", "o vmw @t @t:a+2p 9000"], 9000),
        (["t anon a 8", "t touch a 0 8 1 w", "o vmr @t @t:a 4096"], 4096),
        (["t anon a 8", "o pmem @t @t:a 4096"], 4096), (["t anon a 2", "o vmw @t @t:a 12288"], 8192),
        (["t anon a 8", "o ptr @t @t:a"], 0), (["o readproc /proc/@t/maps"], 0),
        (["ctl set A high 1048576"], 0), (["ctl set A reclaim 4096"], -11), (["ctl drop"], 0),
        (["ctl rmdir A"], -16),
    ],
)  # fmt: skip
def test_a_command_returns_what_the_call_does(steps: list[str], returned: int) -> None:
    assert value(*steps, files={"f": {"pages": 16, "state": "cold"}}) == returned


@pytest.mark.parametrize(
    ("file", "text"),
    [("limit_in_bytes", "1048576"), ("memsw.limit_in_bytes", "-1"), ("oom_control", "1"), ("swappiness", "10"),
     ("failcnt", "0"), ("max_usage_in_bytes", "0"), ("memsw.max_usage_in_bytes", "0"), ("force_empty", "0")],
)  # fmt: skip
def test_every_file_of_a_group_of_v1_can_be_set(file: str, text: str) -> None:
    assert story("t anon a 8", f"ctl set A {file} {text}", v1=True)[-1]["rc"] == 0


@pytest.mark.parametrize(
    ("file", "text"),
    [("max", "1048576"), ("high", "max"), ("low", "1M"), ("min", "1M"), ("swap.max", "0"), ("swap.high", "max"),
     ("oom.group", "1"), ("peak", "reset")],
)  # fmt: skip
def test_every_file_of_a_group_of_v2_can_be_set(file: str, text: str) -> None:
    assert value("t anon a 8", f"ctl set A {file} {text}") == 0


def test_a_call_that_fails_after_others_is_an_error_not_a_short_count() -> None:
    full = {"A": {"limit": MIB, "oom_kill_disable": True}}
    assert value("t writef /dev/shm/f 0 512 16", v1=True, groups=full) == -12


# --- what workers say besides: progress, slow accesses


def test_progress_is_that_of_the_last_step_that_counts_pages() -> None:
    told = story("t anon a 64", "t touch a 0 40 1 w", "t sleepms 1", "ctl stack t", "t exit 3")
    assert told[3]["progress"] == 40
    assert (told[4]["died"], told[4]["exit"], told[4]["progress"]) == (True, 3, 40)


def test_of_reads_progress_is_pages_of_the_calls_that_are_done() -> None:
    told = story("t readf @f 0 60 16", "ctl stack t", files={"f": {"pages": 64, "state": "cold"}})
    assert told[1]["progress"] == 64  # whole chunks


def test_a_slow_access_is_told_with_its_number() -> None:
    over = {"A": {"high": 8 * MIB}}
    warm = story("t anon a 4096", "t touch a 0 2040 1 w", "t touch a 0 2200 1 w", groups=over)[-1]
    first = warm["slow"]["first"][0][0]
    assert 2040 <= first < 2200 and (first + 8) % 64 < 8  # the page at which a batch is charged; the rest was there


def test_a_loop_of_mmap_says_how_long_the_longest_call_took_and_sleeps_do_not_count() -> None:
    told = story("t mmaploop 3 20")[-1]
    assert told["extra"] == "max_ns=0" and "slow" not in told


# --- signals, tasks


def test_sigterm_ends_a_throttled_task_and_sigstop_does_not_stop_it() -> None:
    over = {"A": {"high": MIB}}
    steps = ("t anon a 4096", "t touch a 0 4096 1 w &", "ctl sleep 3")
    stopped = story(*steps, "ctl kill t STOP", "ctl stack t", "ctl sleep 2", "ctl stack t", groups=over)
    assert [stopped[at]["state"] for at in (4, 6)] == ["D", "T"]
    ended = story(*steps, "ctl kill t 15", "ctl wait t 1", groups=over)
    assert ended[3]["dead"] and ended[4]["exit"] == -15


@pytest.mark.parametrize(
    ("signal", "dead"), [("9", True), ("KILL", True), ("SIGUSR1", True), ("17", False), ("0", False)]
)
def test_what_a_signal_does_that_nobody_handles(signal: str, dead: bool) -> None:
    assert story(f"ctl kill t {signal}")[-1]["dead"] is dead


def test_who_has_stopped_goes_on_with_sigcont() -> None:
    told = story("t anon a 8", "ctl kill t STOP", "t touch a 0 8 1 w &", "ctl sleep 0.1", "ctl stack t",
                 "ctl kill t CONT", "ctl wait t 1")  # fmt: skip
    assert told[4]["state"] == "T" and told[6]["value"] == 8


def test_ptrace_attach_gets_its_stop_when_the_penalty_is_over() -> None:
    told = story("t anon a 4096", "t touch a 0 4096 1 w &", "ctl sleep 3.2", "o ptr @t 0 &", "ctl sleep 0.1",
                 "ctl stack o", "ctl wait o 5", "ctl stack t", groups={"A": {"high": MIB}})  # fmt: skip
    assert (told[5]["state"], told[5]["waits"]) == ("S", "traced")
    waited = int(told[6]["extra"].partition("wait_ns=")[2])
    assert told[6]["value"] == 0 and 100_000_000 < waited < 2_000_000_000
    assert told[7]["state"] == "D"  # it goes on, and sleeps again


def test_a_child_dies_with_its_parent() -> None:
    tasks = {"t": {"group": "A", "cpu": 0}, "c": {"child_of": "t", "cpu": 0}, "o": {"cpu": 1}}
    told = story("ctl fork t c", "ctl alive", "ctl kill t", "ctl alive", tasks=tasks)
    assert [told[at]["alive"] for at in (1, 3)] == [["t", "c", "o"], ["o"]]


# --- userfaultfd

ASKS = ("t anon a 64", "t touch a 0 1 1 w", "t uffdreg a")


def test_a_read_of_a_missing_page_waits_for_the_handler_who_pays_with_its_group() -> None:
    told = story(*ASKS, "t touch a 4 1 1 r &", "ctl sleep 0.1", "ctl stack t", "o uffdcopy @t $FD @t:a+4p 2",
                 "ctl wait t 1")  # fmt: skip
    assert (told[5]["state"], told[5]["waits"], told[5]["paths"]) == ("S", "userfault", ["page_fault"])
    assert (told[6]["value"], told[6]["extra"]) == (0, "copy=8192")
    assert told[7]["value"] == 1 and stat(told[7], "anon") == 3 * PAGE
    assert told[7]["minflt"] + told[7]["majflt"] == 1


def test_who_is_not_asked_for_is_not_woken_and_a_page_is_filled_once() -> None:
    told = story(*ASKS, "t touch a 4 1 1 w &", "o uffdcopy @t $FD @t:a+5p 1", "ctl wait t 0.1",
                 "o uffdcopy @t $FD @t:a+5p 1", "o uffdcopy @t $FD @t:a+4p 1", "ctl wait t 1")  # fmt: skip
    assert told[5]["blocked"] and told[8]["value"] == 1
    assert (told[6]["value"], told[6]["extra"]) == (-17, "copy=-17")


def test_in_a_full_group_without_a_killer_the_handler_gets_enomem_until_there_is_room() -> None:
    full = {"A": {"limit": 4 * MIB, "oom_kill_disable": True}}
    told = story(*ASKS, "t anon b 2048", "t mlock b", "t touch a 4 1 1 r &", "o uffdcopy @t $FD @t:a+4p 1",
                 "ctl stack t", "ctl set A limit_in_bytes 67108864", "o uffdcopy @t $FD @t:a+4p 1", "ctl wait t 1",
                 v1=True, groups=full)  # fmt: skip
    assert (told[6]["value"], told[6]["extra"]) == (-12, "copy=-12")
    assert told[7]["waits"] == "userfault"
    assert told[9]["value"] == 0 and told[10]["value"] == 1


def test_in_a_full_group_a_write_is_charged_before_the_handler_is_asked() -> None:
    full = {"A": {"limit": 4 * MIB, "oom_kill_disable": True}}
    told = story(*ASKS, "t anon b 2048", "t mlock b", "t touch a 4 1 1 w &", "ctl sleep 0.1", "ctl stack t", v1=True,
                 groups=full)  # fmt: skip
    assert (told[7]["state"], told[7]["waits"]) == ("D", "memory (OOM)")


# --- madvise


def test_dontneed_gives_pages_back_and_the_next_access_finds_none() -> None:
    told = story("t anon a 64", "t touch a 0 64 1 w", "t madv a dontneed 0 32", "t touch a 0 64 1 w")
    assert stat(told[2], "anon") == 32 * PAGE and told[3]["minflt"] == 32


def test_pageout_sends_pages_to_swap_where_there_is_some() -> None:
    steps = ("t anon a 64", "t touch a 0 64 1 w", "t madv a pageout", "ctl sleep 1", "t madv a pageout", "ctl sleep 1")
    assert story(*steps, swap_mb=64)[-1]["groups"]["A"]["swap.current"] == 64 * PAGE
    there = story(*steps)[-1]
    assert there["groups"]["A"]["swap.current"] == 0 and stat(there, "anon") == 64 * PAGE


def test_cold_pages_go_to_the_inactive_list() -> None:
    told = story("t anon a 64", "t touch a 0 64 1 w", "t madv a cold")
    assert stat(told[2], "inactive_anon") >= 64 * PAGE and stat(told[2], "active_anon") == 0


def test_madvise_of_what_is_not_mapped_is_enomem_and_of_what_is_mlocked_einval() -> None:
    assert value("t anon a 8", "t munmap a", "t madv a dontneed") == -12
    assert value("t anon a 8", "t mlock a", "t madv a dontneed") == -22


def test_older_kernels_do_not_know_pageout() -> None:
    assert value("t anon a 8", "t madv a pageout", release="4.19") == -22


# --- looks


def test_a_removed_group_is_told_as_such() -> None:
    told = story("t exit 0", "ctl rmdir A", "ctl rootstat")
    assert told[1]["value"] == 0 and told[1]["groups"] == told[2]["groups"] == {"A": "removed"}


def test_cat_reads_a_file_of_a_group() -> None:
    assert story("t anon a 8", "t touch a 0 8 1 w", "ctl cat A memory.current")[-1]["text"].strip().isdecimal()


def test_sample_counts_where_a_task_was_seen() -> None:
    told = story(
        "t anon a 4096", "t touch a 0 4096 1 w &", "ctl sleep 3", "ctl sample t 10 20", groups={"A": {"high": MIB}}
    )
    assert sum(told[-1]["histogram"].values()) == 10
    assert max(told[-1]["histogram"], key=told[-1]["histogram"].get) == "D throttled exit_to_user"


# --- what is wrong, or not modelled


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("t tuch a 0 1 1 w", "unknown command 'tuch'"), ("t touch a 0 1", "touch"),
        ("t touch b 0 1 1 w", "no region 'b'"), ("ctl kill t 99", "no signal '99'"),
        ("ctl kil t", "unknown command 'kil' of ctl"), ("ctl move t B", "no group 'B'"),
        ("ctl set A hihg 4", "no file 'memory.hihg'"), ("o vmw @u @u:a 4", "no task '@u'"),
        ("o vmw @t @t:z 4", "no region 'z'"), ("t madv a dontnead", "dontnead"), ("t fadv @f dontnead", "dontnead"),
        ("o uffdcopy @t $FD 0 1", "no place in memory"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_named_with_its_line(step: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        story("t anon a 8", step, files={"f": {"pages": 4, "state": "cold"}})
    assert said in str(error.value) and "story.jsonl" in str(error.value)


@pytest.mark.parametrize("step", ["t madv a free", "t madv a sequential", "t fadv @f random"])
def test_what_is_not_modelled_is_said_to_be(step: str) -> None:
    with pytest.raises(NotModelled):
        story("t anon a 8", step, files={"f": {"pages": 4, "state": "cold"}})
