"""Mutated logs: cut, interleaved, doubled, differently begun. No traceback, and nothing that they do not say."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cowpath.diagnose import Diagnosis, answer, diagnose, show

from ..slow import NIGHTLY

DATA = Path(__file__).parents[1] / "data"
LOGS = [
    path.read_text(encoding="utf-8").splitlines()
    for path in (*sorted((DATA / "stacks").glob("*.txt")), *sorted((DATA / "logs").iterdir()))
]
BEFORE = (
    "", "[ 1234.567890] ", "[T77] ", "Jan 12 06:25:01 web1 kernel: ", "12 janv. 06:25:01 web1 kernel: [ 12.000001] ",
    "Mär 12 06:25:01 web1 kernel: ", "2024-01-12T06:25:01+01:00 web1 kernel: ", "<3>", "kern  :err   : [ 1.000000] ",
)  # fmt: skip
NOISE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["Jan 12 06:25:01 web1 sshd[9]: mem_cgroup_oom_synchronize+0x1/0x2", "usb 1-1: device 7", "", "\x1b[0m"]
    ),
)
EXAMPLES = 10_000 if NIGHTLY else 150


@st.composite
def mutated(draw: st.DrawFn) -> list[str]:
    """Parts of one or two logs, in each other's way."""
    logs = [draw(st.sampled_from(LOGS)) for _ in range(draw(st.integers(1, 2)))]
    before = draw(st.sampled_from(BEFORE))
    parts = []
    for log in logs:
        start = draw(st.integers(0, len(log)))
        parts.append(log[start : draw(st.integers(start, len(log)))] if draw(st.booleans()) else list(log))
    lines = parts[0]
    for part in parts[1:]:
        if draw(st.booleans()):
            lines = lines + part
        else:
            lines = [line for pair in zip(lines, part, strict=False) for line in pair]
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(lines)))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            lines = [*lines[:place], draw(NOISE), *lines[place:]]
        elif kind == 1 and place < len(lines):
            lines = [*lines[:place], lines[place], *lines[place:]]
        elif kind == 2 and place < len(lines):
            lines = [*lines[:place], lines[place][: draw(st.integers(0, len(lines[place])))], *lines[place + 1 :]]
        elif place < len(lines):
            lines = [*lines[:place], *lines[place + 1 :]]
    return [before + line for line in lines]


@settings(max_examples=EXAMPLES, deadline=None)
@given(mutated())
def test_nothing_is_said_that_the_lines_do_not_carry(lines: list[str]) -> None:
    told = diagnose(f"{line}\n".encode("utf-8", "surrogatepass") for line in lines)
    assert json.loads(json.dumps(answer.as_json(told))) == answer.as_json(told)
    assert list(show.lines(told))
    carried(told, "\n".join(lines))


def carried(told: Diagnosis, text: str) -> None:
    """What is said is in the lines."""
    assert told.memcg_stall in ("yes", "no", "cannot tell")
    for each in told.tasks:
        assert each.task.name == "?" or each.task.name.startswith("task at line ") or each.task.name in text
        assert each.task.pid is None or str(each.task.pid) in text
        assert all(name in text for name in each.task.names)
        for held in (*each.held, *each.may_hold):
            assert held.where == "" or held.where in text
        if each.group_memory:
            assert "mem_cgroup" in text or "memcg" in text or "charge" in text or "memory_" in text
    if told.memcg_stall == "yes":
        assert told.stalled
    for edge in told.edges:
        assert edge.waiter != edge.holder
    for report in told.reports.ooms:
        assert report.invoker in text
        assert all(str(row.pid) in text and row.name in text for row in report.rows)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=12))
def test_bytes_of_any_kind(lines: list[bytes]) -> None:
    told = diagnose(lines)
    assert told.memcg_stall == "cannot tell" or told.tasks
    assert list(show.lines(told))
