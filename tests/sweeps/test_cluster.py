"""A sweep on a Dask cluster: a real scheduler and three workers, on loopback."""

from __future__ import annotations

import importlib.util
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cowpath import sweeping
from cowpath.errors import InputError
from cowpath.sweeps import cluster

from .small import small, sweep, told

__all__ = ["small"]
DEMO = Path(__file__).parents[2] / "examples" / "demo_cluster.py"


@pytest.fixture(scope="module")
def three() -> Iterator[Any]:
    pytest.importorskip("distributed", reason="no cluster without dask.distributed")
    spec = importlib.util.spec_from_file_location("demo_cluster", DEMO)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo_cluster"] = module  # its dataclass looks there
    spec.loader.exec_module(module)
    with module.cluster(3) as made:
        yield made


def test_a_cluster_of_another_version(three: Any, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = cluster.version()
    monkeypatch.setattr(cluster.Cluster, "__init__", _of_version("9.9.9 (sources 123)"))
    with pytest.raises(InputError) as caught:
        sweep(small, tmp_path / "s", cluster=three.address)
    assert "9.9.9 (sources 123)" in str(caught.value) and ours in str(caught.value)
    with pytest.raises(InputError, match=r"has cowpath .*, and this is 9\.9\.9"):
        cluster.play_as("9.9.9", cluster.Parcel("", b""), [])


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

    points = sweep(small, tmp_path / "s", seeds=4, cluster=three.address, told=kill_one)
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
            sweep(small, tmp_path / "s", cluster=address)
    assert list(sweeping.Store(tmp_path / "s").__enter__().sweeps()) == []
