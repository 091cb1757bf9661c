"""memory.high: how long a task sleeps for a batch against how far its group is over the mark, as real kernels do.

``throttle.tsv`` is from Debian's 6.1.192 and 6.18.15 in an emulator, three runs each; HZ=250. A lone task without swap
writes to anonymous pages; nothing can be reclaimed. A sleep is right to a tick or two, and load only makes it longer.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from cowpath import api
from cowpath.kernel import names as n
from cowpath.kernel.block import JIFFY_NS
from cowpath.observe.watch import mask_of
from cowpath.session.load import plan_session
from cowpath.session.table import read_table

DATA = Path(__file__).parents[1] / "data"
KERNEL = "linux-6.18"
A = 1  # the group
BATCH = 64  # pages; 1813e51eece0, 6.1
S = 1_000_000_000


def measured() -> list[tuple[str, int, int, list[float]]]:
    """(kernel, memory.high, excess, seconds slept in each run); pages."""
    rows = (DATA / "truth" / "memory-high-throttle.tsv").read_text(encoding="utf-8").splitlines()[1:]
    found = []
    for row in rows:
        kernel, high, over, _, _, runs = row.split("\t")
        found.append((kernel, int(high), int(over), [float(seconds) for seconds in runs.split()]))
    return found


@cache
def played(high: int, tmp: Path) -> tuple[dict[int, int], int, int]:
    """A task fills its group to the mark and goes on: the sleep in ns for each excess in pages; how many sleeps have
    begun; high in memory.events.
    """
    (tmp / "hog.prog").write_text(f"anon a {2 * high}\ntouch a 0 {2 * high} 1 w\n", encoding="utf-8")
    (tmp / "session.toml").write_text(
        '[machine]\nreuse = 0\nmemory = "256M"\n[bystanders]\nprograms = []\n[programs.hog]\nwritten = "hog.prog"\n',
        encoding="utf-8",
    )
    plan = plan_session("cgcreate -g memory:A\ncgexec -g memory:A hog\n", "s.sh", read_table(tmp / "session.toml"))
    design = api.load_design(KERNEL)
    k = api.build_machine(plan, design, api.Options())
    k.books.log_mask = mask_of((n.EV_WAIT, n.EV_WAKE, n.EV_USAGE))
    events: list[Any] = []
    clock = api.make_clock(k, plan, design, lambda block: events.append(block.copy()))
    while not k.state.groups[A].alive:
        clock.run(S, 1)
    k.state.groups[A].high, k.books.has_high = high, 1
    clock.run(60 * S)
    log = np.concatenate(events)
    sleeps, usage = {}, 0
    for event in log:
        if event["kind"] == n.EV_USAGE and event["a"] == A:
            usage = int(event["value"])
        elif event["kind"] == n.EV_WAKE and event["a"] == n.W_THROTTLE:
            sleeps[usage - high] = int(event["value"])
    begun = int(((log["kind"] == n.EV_WAIT) & (log["a"] == n.W_THROTTLE)).sum())
    return sleeps, begun, int(k.books.groups[A].events_local[n.ME_HIGH])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("high")


@pytest.mark.parametrize("kernel", ["6.1.192", "6.18.15"])
@pytest.mark.parametrize("high", [2048, 8192])
def test_a_sleep_is_as_long_as_measured(kernel: str, high: int, folder: Path) -> None:
    sleeps, _, _ = played(high, folder)
    rows = [(over, runs) for measured_on, mark, over, runs in measured() if (measured_on, mark) == (kernel, high)]
    assert len(rows) > 15
    for over, runs in rows:
        if over not in sleeps:
            continue  # beyond what is played in a minute
        least, most = min(runs) * S / 1.15 - 2 * JIFFY_NS, median(runs) * S * 1.02 + 2 * JIFFY_NS
        assert least <= sleeps[over] <= most, (over, runs, sleeps[over])
    assert sum(over in sleeps for over, _ in rows) > 15


def test_seventeen_events_a_sleep(folder: Path) -> None:
    """One when the first round is enough to see that there is no penalty, 17 for each sleep."""
    sleeps, begun, events = played(8192, folder)
    unpunished = len(range(BATCH, min(sleeps), BATCH))
    assert unpunished == 1 and begun > 40 and events == 17 * begun + unpunished
