"""Every example compiles, and says what it is meant to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath.kernel import names as n
from cowpath.session.load import load_session

EXAMPLES = Path(__file__).parents[2] / "examples"
COSTS = {
    "cost-cow.sh", "cost-sigbus.sh", "crowd.sh", "lost-retry.sh", "moved.sh", "own-page.sh", "sigbus-full.sh",
    "sigbus-storm.sh", "swap.sh", "uncharged.sh",
}  # fmt: skip
HIGH = {"high-cat.sh", "high-readahead.sh", "high-willneed.sh"}
SESSIONS = sorted(path.name for path in EXAMPLES.glob("*.sh"))


def test_the_examples_that_the_docs_speak_of() -> None:
    assert {
        "build.sh",
        "cold.sh", "commit.sh", "commit-oom-off.sh", "fork-bomb.sh", "fork-bomb-oom-off.sh", "fork-bomb-pinned.sh",
        "fork-bomb-read.sh", "no-limit.sh", "oom-off.sh", "oom-off-enable.sh", "oom-off-kill.sh", "oom-off-raise.sh",
        "own-mmap_sem.sh", "raise.sh", "two-groups.sh", *COSTS, *HIGH,
    } == set(SESSIONS)  # fmt: skip


@pytest.mark.parametrize("name", SESSIONS)
def test_it_compiles(name: str) -> None:
    plan = load_session(EXAMPLES / name)
    assert plan.source.startswith("# ")  # what it shows
    ops = plan.ops
    targets = ops["a"][(ops["code"] == n.OP_FORK) | (ops["code"] == n.OP_JUMP)]
    assert targets.min() > 0 and targets.max() < len(ops)
    assert {"A"} <= set(plan.groups)
    alone = name in {"build.sh", *COSTS, *HIGH} or name.startswith(
        ("oom-off", "own")
    )  # it starts all that it needs itself
    assert sum(start.bystander for start in plan.starts) == (0 if alone else 1)


def test_the_commits_four_commands_word_for_word() -> None:
    lines = [line for line in (EXAMPLES / "commit.sh").read_text().splitlines() if line and not line.startswith("#")]
    assert lines == [
        "cgcreate -g memory:A",
        "cgset -r memory.limit_in_bytes=64M A",
        "cgset -r memory.memsw.limit_in_bytes=64M A",
        "cd kernel_dir; cgexec -g memory:A make -j",
    ]


def test_files_of_bystanders_are_warm_and_the_compilers_are_cold() -> None:
    warm = {file.name.rpartition("/")[2]: file.warm for file in load_session(EXAMPLES / "commit.sh").files}
    assert warm["libc.so.6"] and not warm["cc1"]
    assert not any(file.warm for file in load_session(EXAMPLES / "cold.sh").files)


def test_the_scenario_that_was_measured() -> None:
    plan = load_session(EXAMPLES / "oom-off.sh")
    assert plan.settings.cpus == 2 and plan.settings.memory == 1536 << 20
    assert [(f.name, f.pages, f.warm) for f in plan.files] == [("lib", 1024, True), ("input", 1, True)]
    victims = [plan.comms[c] for c in plan.ops["c"][plan.ops["code"] == n.OP_FORK]][2:]
    assert victims == [
        "read-100", "cow-100", "read-101", "cow-101", "pread-100", "pread-into-100", "mlock-100", "shared-100",
        "pwrite-100", "threads", "mapper", "fadvise",
    ]  # fmt: skip
