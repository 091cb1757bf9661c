"""The checking mode at work: random sessions keep every rule after every move, and they meet everything there is."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from cowpath import designs
from cowpath.engine import invariants, loop
from cowpath.kernel import names as n

from ..slow import NIGHTLY, some_nightly
from .checked import boot, run_counting
from .found import BUFFERS_FROM_ANOTHER, BYTES_FROM_RCU
from .strategies import DESIGNS, LATER, Session, sessions

pytestmark = pytest.mark.usefixtures("small_is_compiled")

PARTS = 2
EXAMPLES = (20_800 if NIGHTLY else 520) // PARTS
REACHED = (
    "retries", "allocations_wasted", "charges_wasted", "pages_reclaimed", "oom_kills", "oom_rounds", "sigbus",
    "pages_copied", "charges_bypassed", "major_faults", "swap_ins", "swap_outs", "page_outs", "pages_dirtied",
)  # fmt: skip
SEEN = (
    "pages written by the flusher", "pages written by fsync", "pages written by who dirties", "pages scanned by kswapd",
    "limits that were busy", "groups emptied", "groups too busy to be emptied", "tasks moved", "host OOM kills",
    "waits for write-back", "waits for pause", "waits for the disk", "page tables made",
    "tasks bound to a CPU", "tasks on CPUs other than the first",
)  # fmt: skip
# in few sessions: which ones a seed draws depends on the modules that are loaded (Hypothesis reads their constants)
RARE = ("pages of shmem brought back",)


DRAWN = settings(
    max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def played(session: Session, reached: Counter[str]) -> Any:
    """The machine after a session that has kept every rule; what came about in it is counted."""
    k = boot(session)
    why, problem = run_counting(k, reached)
    assert not problem, f"{problem}; after {k.books.steps} moves"
    mortal = k.state["tasks"]["kthread"] == n.KT_NONE
    if why == loop.SCRIPT and not k.state["tasks"]["run_state"][mortal].any():
        assert invariants.nothing_is_left(k)
        reached["finished"] += 1
    counters = k.books["groups"]["counters"].sum(axis=0)
    for name in REACHED:
        reached[name] += int(counters[n.COUNTER_NAMES.index(name)])
    return k


@pytest.mark.parametrize("part", range(PARTS))
def test_random_sessions_keep_every_rule(part: int) -> None:
    reached: Counter[str] = Counter()

    @seed(part)
    @DRAWN
    @given(sessions())
    def keeps_every_rule(session: Session) -> None:
        k = played(session, reached)
        reached["host OOM kills"] += int(k.books.groups[0].counters[n.C_OOM_KILLS])
        tasks = k.state["tasks"][: int(k.state.n_tasks)]
        reached["tasks bound to a CPU"] += int((tasks["affinity"][tasks["run_state"] != n.T_FREE] != n.NONE).sum())
        reached["tasks on CPUs other than the first"] += int((tasks["cpu"] > 0).sum())
        reached["tasks started"] += len(session.tasks)
        reached["tasks moved"] = reached["tasks that joined a group"] - reached["tasks started"]

    keeps_every_rule()
    missing = [name for name in REACHED + SEEN + RARE * NIGHTLY if reached[name] <= 0]
    assert not missing, f"the sessions are too tame: no {', '.join(missing)}"
    assert reached["finished"] > EXAMPLES // 4


SEEN_LATER = (
    "waits for throttled", "waits for stopped", "waits for memory (OOM)", "page tables made", "retries",
    "oom_kills", "charges_wasted", "events of memory.high",
)  # fmt: skip
RARE_LATER = ("swap_ins",)  # as above: 260 sessions drew none


@pytest.mark.parametrize("part", some_nightly(range(PARTS), nightly=range(1, PARTS)))
def test_random_sessions_of_later_kernels_keep_every_rule(part: int) -> None:
    """Two thirds of them with cgroup v2: memory.max, .high, .low, .swap.max, .reclaim, .oom.group and cgroup.kill."""
    reached: Counter[str] = Counter()

    @seed(part)
    @DRAWN
    @given(sessions(LATER, (True, True, False)))
    def keeps_every_rule(session: Session) -> None:
        k = played(session, reached)
        events = k.books["groups"]["events_local"].sum(axis=0)
        reached["events of memory.high"] += int(events[n.ME_HIGH])

    keeps_every_rule()
    missing = [name for name in SEEN_LATER + RARE_LATER * NIGHTLY if reached[name] <= 0]
    assert not missing, f"the sessions are too tame: no {', '.join(missing)}"
    assert reached["finished"] > EXAMPLES // 10


@pytest.mark.parametrize("session", [BUFFERS_FROM_ANOTHER, BYTES_FROM_RCU], ids=["buffers", "bytes"])
def test_what_was_found_once_keeps_every_rule(session: Session) -> None:
    played(session, Counter())


def test_all_designs_are_among_them() -> None:
    assert set(DESIGNS) == set(designs.names(["v1"]))
    assert set(LATER) == {design for design in designs.names(["v2"]) if designs.load(design).extends is None}
