"""What the figures are made from: limits over time, lanes of the chain, step lists."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from cowpath import api, designs
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.observe import lanes
from cowpath.observe.histogram import Histogram
from cowpath.observe.usage import Limit, Usage
from cowpath.observe.words import Chain, Hop
from cowpath.report.chosen import of_chains
from cowpath.report.figures import document
from cowpath.report.latency_figure import latency_figure
from cowpath.report.memory_figure import MIB, limit_line
from cowpath.report.step_lists import design_lists

LIMIT = "memory.limit_in_bytes"
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_a_limit_is_drawn_only_where_there_is_one() -> None:
    usage = Usage(2)
    usage.limits += [
        Limit(1_000_000_000, 1, LIMIT, 256),
        Limit(2_000_000_000, 1, LIMIT, n.UNLIMITED),
        Limit(4_000_000_000, 1, LIMIT, 512),
        Limit(4_500_000_000, 0, LIMIT, 1),
    ]
    at, mib = limit_line(usage, 1, 5_000_000_000, LIMIT)
    assert at == [1, 1, 2, 2, 4, 4, 5]
    known = [value if not math.isnan(value) else None for value in mib]
    assert known == [None, 256 * MIB, 256 * MIB, None, None, 512 * MIB, 512 * MIB]


def test_a_group_made_anew_has_no_limit(tmp_path: Path) -> None:
    session = tmp_path / "anew.sh"
    session.write_text(
        "cgcreate -g memory:A\ncgset -r memory.limit_in_bytes=1M A\nsleep 1\ncgdelete memory:A\n"
        "cgcreate -g memory:A\nsleep 1\n"
    )
    result = api.run(session, bystanders=[], report=tmp_path / "page.html")
    timeline = result.seen.timeline
    assert timeline is not None
    _, mib = limit_line(timeline.usage, 1, timeline.ends, LIMIT)
    assert math.isnan(mib[-1]) and 1.0 in mib


def test_the_lane_of_a_chain_is_the_life_that_lasts() -> None:
    lives = np.zeros(3, lanes.LIFE)
    lives["task"], lives["end"] = 80, [100, lanes.NO_END, 300]
    chain = Chain((Hop(80, None, "cc1[80]", "A", "runs", ""),))
    found = of_chains(lives, ["cc1[80]"] * 3, np.array([9, 1, 5]), [chain])
    assert found.tolist() == [False, True, False]


def test_latencies_of_no_time_at_all() -> None:
    found = Histogram()
    found.add(np.zeros(3))
    assert latency_figure(["d"], [Histogram()]) is None
    assert document(latency_figure(["$$x$$"], [found]))["root"]


def test_what_moved_is_said_together_and_policies_are_marked() -> None:
    first, commit, flag = design_lists(
        [designs.load(name) for name in ("linux-3.0", "preallocate", "linux-3.0-oom-flag")]
    )
    assert [path.edits for path in first.paths] == [[]]
    assert commit.paths[0].edits == ["find_page, lock_page: now before copy_page"]
    assert [step.name for step in commit.paths[0].steps if step.moved] == ["find_page", "lock_page"]
    assert [policy.name for policy in flag.policies if policy.changed] == ["oom_lock"]


def test_two_designs_of_one_name_cannot_be_compared(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('name = "linux-3.0"\nextends = "linux-3.0"\n')
    with pytest.raises(InputError, match=r"two designs are called 'linux-3\.0'"):
        api.compare(EXAMPLES / "oom-off.sh", ["linux-3.0", mine])
    with pytest.raises(InputError, match="no design to compare"):
        api.compare(EXAMPLES / "oom-off.sh", [])


@pytest.mark.parametrize("which", ["session", "table", "program", "design", "link"])
def test_what_is_read_is_not_overwritten(tmp_path: Path, which: str) -> None:
    files = {
        "session": tmp_path / "mine.sh",
        "table": tmp_path / "mine.toml",
        "program": tmp_path / "mine.prog",
        "design": tmp_path / "own.toml",
    }
    files["session"].write_text("mine\n")
    files["table"].write_text('[programs.mine]\nwritten = "mine.prog"\n')
    files["program"].write_text("compute 1us\n")
    files["design"].write_text('extends = "linux-3.0"\n')
    target = files.get(which, tmp_path / "link")
    if which == "link":
        target.symlink_to(files["program"])
    before = target.read_text()
    with pytest.raises(InputError, match="an output cannot go to a file that is read"):
        api.run(files["session"], files["design"], until="1ms", report=target)
    assert target.read_text() == before
