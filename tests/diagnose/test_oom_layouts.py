"""OOM reports of every layout from 2.6.32 to 7.1: each field is read, the kill is held against the table."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cowpath import api
from cowpath.diagnose import answer, diagnose

from . import layouts
from .layouts import CGROUP2, MIB, RELEASES, TASKS, One, report

LOGS = Path(__file__).parents[1] / "data" / "logs"
BOTH = [(release, False) for release in RELEASES] + [(release, True) for release in CGROUP2]
EXACT = [
    release for release in RELEASES if release not in ("2.6.32", "2.6.39", "3.0")
]  # what their points are made of is printed


def told(lines: list[str], before: str = "[  989.625176] ") -> dict[str, Any]:
    found = answer.as_json(diagnose(f"{before}{line}\n".encode() for line in lines))
    assert json.loads(json.dumps(found)) == found
    assert len(found["oom"]) == 1
    return found["oom"][0]


@pytest.mark.parametrize(("release", "second"), BOTH)
def test_every_field_is_read(release: str, second: bool) -> None:
    oom = told(report(release, second=second))
    assert oom["whole"]
    assert oom["memcg"]
    asked = {"name": "sh -c", "pid": 311, "outsider": "no", "why": "it is in the table", "holds": []}
    assert oom["invoker"] == asked
    assert (oom["limit_of"], oom["victim_group"]) == ("/A", "/A/b")
    assert oom["counters"]["memory"] == {"usage": 64 * MIB, "limit": 64 * MIB, "failcnt": 25}
    assert ("swap" in oom["counters"]) == second
    assert (oom["victim"]["pid"], oom["victim"]["name"]) == (312, "hog")
    assert oom["columns"] == layouts.heading(release).rpartition("] ")[2].split()
    for row, task in zip(oom["tasks"], TASKS, strict=True):
        assert (row["pid"], row["name"], row["total_vm"], row["rss"]) == (task.pid, task.name, task.total_vm, task.rss)
        assert row.get("swapents", 0) == task.swapents
        assert row.get("pgtables_bytes", task.pgtables) == task.pgtables
        assert row.get("oom_score_adj", task.adj) == task.adj
    if layouts.age(release) >= (3, 9):
        assert oom["made_of"]["anon"] == 65408 << 10
        assert oom["made_of"]["file"] == 128 << 10
        assert oom["made_of"]["kernel"] == 132 << 10
    assert oom["would_have_held"]["at_least"] == 64 * MIB + 4096


@pytest.mark.parametrize("release", EXACT)
def test_the_victim_has_most_points(release: str) -> None:
    oom = told(report(release))
    hog = TASKS[1]
    assert oom["victim"]["points"] == [layouts.points(release, hog, 64 * MIB)] * 2
    assert oom["right"] is True
    if layouts.age(release) < (5, 0):
        low, high = oom["recomputed_score"]
        assert low <= oom["printed_score"] <= high


@pytest.mark.parametrize("release", EXACT)
def test_a_victim_with_fewer_points_is_reported(release: str) -> None:
    oom = told(report(release, victim=311))
    assert oom["right"] is False
    assert "hog[312] has more points" in oom["why"]


@pytest.mark.parametrize("release", [release for release in EXACT if layouts.age(release) < (5, 0)])
def test_a_score_that_does_not_come_out_is_reported(release: str) -> None:
    lines = [line.replace(" score ", " score 9") for line in report(release)]
    oom = told(lines)
    assert oom["right"] is False
    assert "its score is printed as 9" in oom["why"]


@pytest.mark.parametrize("release", ("2.6.32", "2.6.39", "3.0"))
def test_what_the_table_lacks_is_not_made_up(release: str) -> None:
    oom = told(report(release))
    assert oom["right"] is None
    assert oom["victim"]["points"] is None


@pytest.mark.parametrize("release", RELEASES)
def test_cut_off_anywhere(release: str) -> None:
    lines = report(release)
    for end in range(1, len(lines) + 1):
        oom = told(lines[:end])
        assert len(oom["tasks"]) == len([line for line in lines[:end] if line.startswith("[")][1:])
        assert oom["whole"] == (end == len(lines))
        if oom["victim"] is None:
            assert oom["right"] is None


def test_a_child_dies_in_its_stead() -> None:
    lines = report("3.12")
    lines[-1] = lines[-1].replace("Killed process 312 (hog)", "Killed process 399 (child)")
    oom = told(lines)
    assert oom["child_in_its_stead"] == {"chosen": {"pid": 312, "name": "hog"}, "killed": 399}
    assert oom["right"] is True


def test_the_one_that_may_not_be_killed() -> None:
    tasks = (*TASKS, One(320, "sshd", 9999, 30000, adj=-1000))
    oom = told(report("6.18", tasks))
    assert oom["right"] is True
    assert oom["tasks"][-1]["points"] is None
    assert told(report("6.18", tasks, victim=320))["right"] is False


def test_an_adjustment_that_nobody_knows_the_weight_of() -> None:
    """With swap that the group may use, an adjustment weighs by how much there is, which the report does not say."""
    tasks = (One(311, "a", 9000, 8000), One(312, "hog", 9000, 8000, adj=20), One(313, "b", 9000, 9000))
    oom = told(report("6.18", tasks, victim=312))
    low, high = oom["victim"]["points"]
    assert low < 9000 < high
    assert oom["right"] is None
    assert "swap" in oom["why"]


def test_in_between_stand_lines_of_others() -> None:
    lines = []
    for number, line in enumerate(report("5.15")):
        lines += [line, f"usb 1-1: new device number {number}", "IPv4: martian source 10.0.0.1"]
    assert told(lines)["right"] is True


def test_the_killer_finds_nobody() -> None:
    lines = [line for line in report("6.18") if "Killed" not in line and "oom-kill:" not in line]
    oom = told([*lines, "Out of memory and no killable processes..."])
    assert oom["nobody_to_kill"]
    assert oom["victim"] is None


@pytest.mark.parametrize("name", ["oom-dmesg", "oom-dmesg-whole"])
def test_real_reports(name: str) -> None:
    with (LOGS / f"{name}.txt").open("rb") as raw:
        oom = answer.as_json(diagnose(raw))["oom"][0]
    assert oom["right"] is True
    assert oom["whole"] == (name == "oom-dmesg-whole")
    assert oom["invoker"]["outsider"] == "no"
    assert oom["limit_of"] == "/A"
    assert oom["victim"]["pid"] == oom["invoker"]["pid"]
    made = sum(size for what, size in oom["made_of"].items() if what != "swap")
    assert abs(made - oom["counters"]["memory"]["usage"]) < MIB


def test_who_sets_a_limit_is_from_outside() -> None:
    lines = report("6.18", (One(1, "systemd", 10, 10), *TASKS))
    lines[4:4] = [" <TASK>", *(f" {name}+0x10/0x20" for name in ("dump_header", "oom_kill_process", "out_of_memory",
                  "mem_cgroup_out_of_memory", "memory_max_write", "cgroup_file_write")), " </TASK>"]  # fmt: skip
    lines = [line for line in lines if not line.startswith("[      1]")]
    assert told(lines)["invoker"]["outsider"] == "yes"


@pytest.mark.parametrize("second", [False, True])
def test_the_session_that_does_it_again(second: bool, tmp_path: Path) -> None:
    """It is one that cowpath reads, with the same limit, and its tasks want more than that."""
    oom = told(report("6.18", second=second))
    session = tmp_path / "again.sh"
    session.write_text(oom["session"])
    plan = api.load_plan(session, api.Options())
    assert plan.notes == ()
    wanted = [int(size) for size in re.findall(r"--vm-bytes (\d+)", oom["session"])]
    assert len(wanted) == len(TASKS)
    assert sum(wanted) > 64 * MIB
    assert f"echo {64 * MIB} > " in oom["session"]


def test_what_the_invoker_had_in_hand() -> None:
    """A call trace of read-ahead in 2.6.39: the pages before are locked, and entry 8 has that shape."""
    lines = report("2.6.39")
    trace = (
        "dump_header", "oom_kill_process", "mem_cgroup_out_of_memory", "mem_cgroup_handle_oom",
        "__mem_cgroup_try_charge", "mem_cgroup_cache_charge", "add_to_page_cache_locked",
        "mpage_readpages", "ext4_readpages", "vfs_read",
    )  # fmt: skip
    lines[4:4] = [f" [<ffffffff811{place:05x}>] {name}+0x10/0x20" for place, name in enumerate(trace)]
    found = answer.as_json(diagnose(f"{line}\n".encode() for line in lines))
    assert found["oom"][0]["invoker"]["holds"] == ["page lock"]
    assert [(entry["number"], entry["certain"]) for entry in found["entries"]] == [(8, False)]
    assert found["memcg_stall"] == "cannot tell"


def test_the_host_itself() -> None:
    lines = report("6.18")
    lines = [
        line.replace("CONSTRAINT_MEMCG", "CONSTRAINT_NONE").replace("oom_memcg=/A", "global_oom") for line in lines
    ]
    lines = [line.replace("Memory cgroup out of memory: Killed", "Out of memory: Killed") for line in lines]
    lines = [line for line in lines if "usage" not in line and "stats for" not in line]
    found = answer.as_json(diagnose(f"{line}\n".encode() for line in lines))
    assert not found["oom"][0]["memcg"]
    assert found["memcg_involved"] != "yes"
