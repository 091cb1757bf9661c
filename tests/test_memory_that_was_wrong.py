"""Sessions of memory, swap and read-ahead whose outcome was wrong once."""

from __future__ import annotations

from pathlib import Path

import cowpath

TRIED = Path(__file__).parent / "data" / "tried"


def test_the_killer_weighs_a_task_against_what_its_group_may_have_in_memory_and_swap() -> None:
    """3.0's mem_cgroup_get_limit: a small task with oom_score_adj 300 goes before a big one, where there is swap."""
    kills = cowpath.run(TRIED / "oomadj.sh").summary["kills"]
    assert [(kill["task"].split("[")[0], kill["badness"]) for kill in kills] == [("small", 276), ("big", 95)]


def test_a_random_read_of_one_page_holds_nobody_up() -> None:
    found = cowpath.run(TRIED / "min-pread2.sh")
    assert found.verdict == "isolated" and found.summary["groups"]["A"]["jobs_done"] == 1


def test_two_childrens_shared_memory_are_two_objects() -> None:
    found = cowpath.run(TRIED / "shm-children.sh")
    assert found.summary["groups"]["A"]["memory.max_usage_in_bytes"] >= 2000 * 4096
