"""A sweep on a Dask cluster: a real scheduler and three workers, on loopback."""

from __future__ import annotations

import importlib.util
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cowpath import checking, sweeping
from cowpath.errors import InputError, WorkerError
from cowpath.sweeps import cluster
from cowpath.sweeps.point import play_all

from ..slow import in_nightly_only
from .small import small, sweep, told

__all__ = ["small"]
DEMO = Path(__file__).parents[2] / "examples" / "demo_cluster.py"


@pytest.fixture(scope="module")
def demo() -> Any:
    pytest.importorskip("distributed", reason="no cluster without dask.distributed")
    spec = importlib.util.spec_from_file_location("demo_cluster", DEMO)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo_cluster"] = module  # its dataclass looks there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def three(demo: Any) -> Iterator[Any]:
    with demo.cluster(3) as made:
        yield made


def test_a_cluster_of_another_version(three: Any, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = cluster.version()
    monkeypatch.setattr(cluster.Cluster, "__init__", _of_version("9.9.9 (sources 123)"))
    with pytest.raises(InputError) as caught:
        sweep(small, tmp_path / "s", processes=None, cluster=three.address)
    assert "9.9.9 (sources 123)" in str(caught.value) and ours in str(caught.value)
    with pytest.raises(InputError, match=r"has cowpath .*, and this is 9\.9\.9"):
        cluster.call_as("9.9.9", play_all, cluster.Parcel("", b""), [])


def _of_version(other: str) -> Any:
    def init(self: cluster.Cluster, address: str) -> None:
        self.address, self.version = address, other

    return init


def test_one_of_three_workers_is_killed_and_the_rows_are_the_same(three: Any, small: Path, tmp_path: Path) -> None:
    alone = told(sweep(small, tmp_path / "alone", seeds=4))
    killed = []

    def kill_one(there: int, failed: int, total: int) -> None:
        if there > 4 and not killed:
            three.workers[0].kill()
            killed.append(there)

    points = sweep(small, tmp_path / "s", seeds=4, processes=None, cluster=three.address, told=kill_one)
    assert killed and killed[0] < len(alone)
    assert told(points) == alone
    assert three.workers[0].wait(timeout=60) != 0


def test_a_cluster_that_is_not_there(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="no cluster without dask.distributed")
    monkeypatch.setattr(cluster, "TIMEOUT_S", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for address in f"tcp://127.0.0.1:{port}", "nonsense:/x":
        with pytest.raises(InputError, match="no scheduler answers"):
            sweep(small, tmp_path / "s", processes=None, cluster=address)
    assert list(sweeping.Store(tmp_path / "s").__enter__().sweeps()) == []


def test_cases_on_a_cluster(three: Any) -> None:
    """What comes out is what comes out here."""
    asked: dict[str, Any] = {"cases": ["commit", "write"], "properties": "isolation"}
    here, there = (
        checking.check(["linux-3.0", "linux-6.18"], **asked, cluster=address) for address in (None, three.address)
    )
    rows = [[{**row, "wall_s": 0} for row in each.summary["results"]] for each in (here, there)]
    assert rows[0] == rows[1] and {row["verdict"] for row in rows[0]} == {"violated", "proved"}


def test_orders_on_a_cluster_of_which_a_worker_is_killed(three: Any) -> None:
    killed = []

    def kill_one(done: int, total: int, safe: int) -> None:
        if done > total // 4 and not killed:
            three.workers[1].kill()
            killed.append(done)

    alone, shared = (
        checking.search("swap_in", "linux-3.0", cases="swap-in", fresh=True, **more).summary
        for more in ({"processes": 1}, {"cluster": three.address, "told": kill_one})
    )
    assert killed and alone | {"wall_s": 0} == shared | {"wall_s": 0} and alone["orders"] > 20


def test_what_does_not_go_with_a_cluster(small: Path, tmp_path: Path) -> None:
    for call in (
        lambda: sweep(small, tmp_path / "s", cluster="tcp://x:1", processes=2),
        lambda: checking.search("swap_in", "linux-3.0", cluster="tcp://x:1", processes=2),
    ):
        with pytest.raises(InputError, match="--processes with --cluster"):
            call()
    own = tmp_path / "own.py"
    own.write_text("def never(state):\n    return True\n")
    with pytest.raises(InputError, match="never: a property of one's own"):
        checking.check("linux-3.0", "commit", properties=f"{own}:never", cluster="tcp://x:1")


@in_nightly_only
def test_a_scheduler_that_is_killed(small: Path, tmp_path: Path, demo: Any) -> None:
    """What has been played is kept; no point has failed."""
    with demo.cluster(1) as made:
        told = []

        def kill_it(there: int, failed: int, total: int) -> None:
            told.append((there, failed))
            if len(told) == 2:
                made.scheduler.kill()

        with pytest.raises(WorkerError, match="the cluster has gone"):
            sweep(small, tmp_path / "s", seeds=500, processes=None, cluster=made.address, told=kill_it)
    assert told[-1][1] == 0
    assert len(sweeping.points(tmp_path / "s")) == told[-1][0]
