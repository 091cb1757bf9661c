"""Tables and paragraphs, at the widths of real terminals."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from cowpath.observe.run_report import report
from cowpath.observe.tables import sections, speed, verdict_columns

CHAIN = (
    "ls[412] waits for the page lock of libc.so.6 page 31, held by cc1[208] in A, "
    "which waits for A's memory: limit 64M, OOM killer off"
)
DESIGNS = {
    "linux-3.0": "stuck", "preallocate": "isolated", "charge-after-map": "isolated", "charge-after-unlock": "isolated",
    "unlock-charge-relock": "isolated", "linux-3.0-oom-flag": "stalled", "linux-3.1": "isolated",
}  # fmt: skip


def a_run(design: str, verdict: str = "isolated", group: str = "A") -> dict[str, Any]:
    latency = {
        "faults": 1_234_567, "unfinished": 0, "p50_ns": 1234, "p99_ns": 45_600, "p999_ns": 1_230_000,
        "max_ns": 4_015_000_000, "blocked_ns": 12_345_678_901,
    }  # fmt: skip
    files = {"memory.usage_in_bytes": 64 << 20, "memory.max_usage_in_bytes": 67_076_096}
    counters = {"jobs_done": 128, "oom_kills": 12, "memory.failcnt": 12_345_678, "memory.memsw.failcnt": 0}
    hold = {
        "longest_hold_ns": 12 * 10**9, "holder": "cc1[208]", "group": group, "page": "libc.so.6 page 31",
        "step": "lock_page", "ended": verdict != "stuck",
    }  # fmt: skip
    stall = {"ns": 1_500_000_000, "task": "ls[412]", "chain": CHAIN}
    return {
        "design": design,
        "verdict": verdict,
        "group_verdicts": {group: "live-locked"},
        "chain": [] if verdict == "isolated" else [CHAIN],
        "longest_stall": stall if verdict == "stalled" else None,
        "bystanders": latency,
        "groups": {group: {**files, **counters, "latency": latency}},
        "page_lock": {
            **hold, "kind": "readahead", "locked_now": 3, "most_locked": 12_345,
            "by_kind": {"task": hold | {"holds": 1, "longest_hold_ns": 816}, "readahead": hold | {"holds": 1},
                        "swap_readahead": hold | {"holds": 0}, "disk": hold | {"holds": 1}},
        },
        "wasted": {"allocations": 12_345, "charges": 12_345},
        "retries": 12_345,
        "major_faults": 1234,
        "faults": 1_234_567,
        "steps_per_fault": 12.34,
        "steps": 12_345_678,
        "virtual_ns": 60 * 10**9,
        "wall_s": 3.2,
        "ended": "settled",
    }  # fmt: skip


def shown(runs: list[dict[str, Any]], width: int, **options: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=width, **options).print(report(runs))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_every_name_and_number_is_whole(width: int) -> None:
    text = shown([a_run(design, verdict) for design, verdict in DESIGNS.items()], width)
    for word in [
        *DESIGNS,
        "live-locked",
        "12,345,678",
        "63.97M",
        "1,234,567",
        "45.6 us",
        "4.01 s",
        "12.3 s",
        "settled",
    ]:
        assert word in text, word
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


def test_the_chain_is_told_where_somebody_is_stuck_or_was_stalled() -> None:
    text = " ".join(shown([a_run(design, verdict) for design, verdict in DESIGNS.items()], 80).split())
    assert f"linux-3.0: stuck {CHAIN}." in text
    assert f"linux-3.0-oom-flag: stalled {CHAIN}." in text
    assert "12.0 s +" in text
    assert "Who waits for whom" not in shown([a_run("preallocate")], 80)


def test_who_held_a_page_lock_is_told_by_kind() -> None:
    text = shown([a_run("linux-3.0", "stuck")], 200)
    assert "read-ahead of cc1[208] in A" in text and "816 ns +" in text and "12,345" in text
    assert "swap read-ahead" not in text  # there was none


def test_no_escapes_when_not_a_terminal_and_none_from_names() -> None:
    text = shown([a_run("[bold]x\x1b[2J", group="\x1b]0;A\x07")], 80)
    assert "\x1b" not in text and "\x07" not in text
    assert "[bold]x" in text


def test_a_run_without_faults_groups_or_locks_has_dashes() -> None:
    empty = a_run("d")
    empty["bystanders"] = dict.fromkeys(empty["bystanders"])
    empty["groups"], empty["group_verdicts"], empty["steps_per_fault"] = {}, {}, None
    empty["page_lock"] = dict.fromkeys(empty["page_lock"])
    assert " - " in shown([empty], 80)


def test_speed() -> None:
    assert speed(a_run("d")) == "12,345,678 steps in 3.20 s: 3,858,024 steps/s"


def test_groups_of_which_the_tables_say_the_same_share_them() -> None:
    """Those above a pod's, in which nothing runs; the verdicts name each."""
    run = a_run("linux-3.0")
    busy = run["groups"]["A"]
    idle = busy | {"memory.usage_in_bytes": 0, "latency": busy["latency"] | {"faults": 0}}
    run["groups"] = {"pods": idle, "pods/one": idle, "pods/one/app": busy}
    run["group_verdicts"] = {"pods": "empty", "pods/one": "empty", "pods/one/app": "waits"}
    titles = [title for title, _ in sections([run]) if title.startswith("Group")]
    assert titles == [
        "Groups pods, pods/one: their progress and their memory files", "Groups pods, pods/one: their page faults",
        "Group pods/one/app: its progress and its memory files", "Group pods/one/app: its page faults",
    ]  # fmt: skip
    assert len(verdict_columns([run])) == 3 + 2 * 3
