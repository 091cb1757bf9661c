"""memory.pressure: what counts as held up, by how much, and the averages."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from cowpath import api
from cowpath.engine.psi import calc_load
from cowpath.kernel import names as n
from cowpath.session.load import plan_session
from cowpath.session.table import read_table

S = 1_000_000_000
A = "/sys/fs/cgroup/A"
HOG = "anon a 4096\ntouch a 0 4096 1 w\nsleep 100"  # 16 MiB; the mark is at 8


def pressure(
    folder: Path, text: str, programs: dict[str, str], until: int = 30 * S
) -> tuple[list[dict[str, float]], Any]:
    """What each `cat memory.pressure` has printed, a line after the other, and the machine."""
    lines = ['[machine]\nreuse = 0\nmemory = "256M"\n[bystanders]\nprograms = []\n']
    for name, program in programs.items():
        (folder / f"{name}.prog").write_text(program + "\n", encoding="utf-8")
        lines.append(f'[programs.{name}]\nwritten = "{name}.prog"\n')
    (folder / "s.toml").write_text("".join(lines), encoding="utf-8")
    plan = plan_session(text, "s.sh", read_table(folder / "s.toml"))
    design = api.load_design("linux-6.18")
    k = api.build_machine(plan, design, api.Options())
    clock = api.make_clock(k, plan, design, lambda events: None)
    clock.run(until)
    found = [dict(word.split("=") for word in line.split()[1:]) for line in clock.output.splitlines()]
    return [{key: float(value) for key, value in each.items()} for each in found], k


def test_a_group_in_which_all_are_throttled_is_wholly_held_up(tmp_path: Path) -> None:
    text = f"mkdir {A}; echo 8M > {A}/memory.high\ncgexec -g memory:A hog &\nsleep 10\ncat {A}/memory.pressure"
    (some, full), _ = pressure(tmp_path, text, {"hog": HOG})
    assert 8e6 < full["total"] <= some["total"] <= 10e6, "us, of 10 s"
    assert 60 < some["avg10"] <= 100 and 10 < some["avg60"] < 20 and some["avg300"] < some["avg60"]


def test_who_works_meanwhile_halves_some_and_ends_full(tmp_path: Path) -> None:
    """On another CPU, it counts as much as the one that is held up; `full` is by CPU, as in the kernel."""
    text = f"mkdir {A}; echo 8M > {A}/memory.high\ncgexec -g memory:A hog &\ncgexec -g memory:A works &\nsleep 10\n"
    (some, full), _ = pressure(
        tmp_path, f"{text}cat {A}/memory.pressure", {"hog": f"cpu 0\n{HOG}", "works": "cpu 1\ncompute 100s"}
    )
    assert 4e6 < some["total"] < 5.2e6
    (some, full), _ = pressure(
        tmp_path, f"{text}cat {A}/memory.pressure", {"hog": f"cpu 0\n{HOG}", "works": "cpu 0\ncompute 100s"}
    )
    assert some["total"] > 8e6 and full["total"] < 0.1e6, "on its own CPU it is not all of the group"


def test_the_parent_and_the_machine_have_it_too_and_a_neighbour_does_not(tmp_path: Path) -> None:
    text = "cgcreate -g memory:A/B -g memory:A/C\ncgset -r memory.high=8M A/B\ncgexec -g memory:A/B hog &\nsleep 5\n"
    files = [f"cat {A}/B/memory.pressure", f"cat {A}/memory.pressure", "cat /sys/fs/cgroup/memory.pressure",
             f"cat {A}/C/memory.pressure"]  # fmt: skip
    found, _ = pressure(tmp_path, text + "\n".join(files), {"hog": HOG})
    assert found[0]["total"] == found[2]["total"] > 3e6
    assert found[4]["total"] == pytest.approx(found[0]["total"], rel=0.02), "the shell sleeps"
    assert found[6] == {"avg10": 0, "avg60": 0, "avg300": 0, "total": 0}


def test_reclaim_for_a_charge_counts_and_that_of_a_write_does_not(tmp_path: Path) -> None:
    reads = {"reads": "readf @f 0 3000 16"}
    text = f"mkdir {A}; echo 4M > {A}/memory.max; cgexec -g memory:A reads\ncat {A}/memory.pressure"
    (some, _), _ = pressure(tmp_path, text, reads)
    assert some["total"] > 0
    text = f"mkdir {A}; cgexec -g memory:A reads; echo 4M > {A}/memory.reclaim; echo 1M > {A}/memory.max\n"
    (some, _), k = pressure(tmp_path, f"{text}cat {A}/memory.pressure", reads)
    assert some["total"] == 0 and k.books.groups[1].counters[n.C_RECLAIMED] > 1000


def test_the_averages_decay_as_an_exponential() -> None:
    load, shown = 0, []
    for _ in range(30):  # a minute at 50 %
        load = int(calc_load(load, 1981, 50 * 2048))
        shown.append(load / 2048)
    assert shown[-1] == pytest.approx(50 * (1 - math.exp(-1)), abs=0.5)


def test_it_costs_nothing_where_nobody_reads_it(tmp_path: Path) -> None:
    _, k = pressure(tmp_path, f"mkdir {A}; echo 8M > {A}/memory.high\ncgexec -g memory:A hog &\nsleep 1", {"hog": HOG})
    assert not k.books.psi_on and not k.books.psi_at
