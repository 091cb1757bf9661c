"""A disk that is full, really: one message that names the file, and nothing that is half written."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cowpath import sweeping
from cowpath.cli import app
from cowpath.errors import InputError
from cowpath.sweeps.point import Played
from cowpath.sweeps.store import Store, Sweep

SESSION = "cgcreate -g memory:A\ncgset -r memory.limit_in_bytes=2M A\ncgexec -g memory:A ls\n"
A_SWEEP = Sweep("s", "x.sh", "", ("a",), {}, 3)
SIZE = 128 << 10


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 128 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=False, capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small file system: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    file = tmp_path / "small.sh"
    file.write_text(SESSION)
    return file


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))


def make_room(disk: Path) -> None:
    subprocess.run(["mount", "-o", f"remount,size={64 * SIZE}", disk], check=True)


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "120", "NO_COLOR": "1"})


def test_a_store_that_grows_until_the_disk_is_full(disk: Path) -> None:
    """What came before is there, also to a reader; with more room it goes on."""

    def put(store: Store, seed: int) -> None:
        played = Played(f"p{seed:04}", "played", f'"{"x" * 6000}"', None, 0.1)
        store.put(A_SWEEP, [("d", seed, ["1"], played)])

    there = 0
    with Store(disk / "s", "v") as store:
        store.note(A_SWEEP)
        with pytest.raises(InputError, match=r"disk/s: cannot be written: .*full.*what it holds is whole"):
            while there < 100:
                put(store, there)
                there += 1
    with Store(disk / "s") as store:
        assert 0 < len(list(store.rows(A_SWEEP))) == there < 100
    make_room(disk)
    with Store(disk / "s", "v") as store:
        put(store, there)
        assert [row.seed for row in store.rows(A_SWEEP)] == list(range(there + 1))


def test_a_sweep_on_a_full_disk(disk: Path, session: Path) -> None:
    fill(disk)
    words = ("sweep", session, "--vary", "A:memory.limit_in_bytes=1M,2M", "-d", "linux-3.1", "--processes", "1")
    result = call(*words, "--store", disk / "s", "--until", "1s")
    assert result.exit_code == 2 and "disk/s: cannot be written: " in result.stderr and "make room" in result.stderr
    assert "Traceback" not in result.output
    make_room(disk)
    assert call(*words, "--store", disk / "s", "--until", "1s").exit_code == 0
    assert len(sweeping.points(disk / "s")) == 2


@pytest.mark.parametrize("option", [
    "--log=x.parquet", "--report=x.html", "--trace=x.pftrace", "--checkpoint=x.run", "--ftrace=x.dat", "--ftrace=x.txt",
    "--metrics=x.prom",
])  # fmt: skip
def test_what_a_run_writes(disk: Path, session: Path, option: str) -> None:
    fill(disk)
    name, _, file = option.partition("=")
    more = ("--every", "0s") if name == "--checkpoint" else ()
    result = call("run", session, "-d", "linux-3.1", "--until", "1s", name, disk / file, *more)
    assert result.exit_code == 2 and f"disk/{file}: cannot write" in result.stderr, result.output
    assert "No space left" in result.stderr and "Traceback" not in result.output
    assert [each.name for each in disk.iterdir()] == ["filler"]


def test_what_a_sweep_writes(disk: Path, session: Path, tmp_path: Path) -> None:
    store = tmp_path / "s"
    words = ("--vary", "A:memory.limit_in_bytes=1M,2M", "-d", "linux-3.1", "--processes", "1", "--until", "1s")
    assert call("sweep", session, *words, "--store", store).exit_code == 0
    fill(disk)
    for what, file in ("export", "x.csv"), ("export", "x.jsonl"), ("export", "x.parquet"), ("plot", "x.html"):
        result = call("sweep", what, store, disk / file)
        assert result.exit_code == 2 and f"disk/{file}: cannot write" in result.stderr, result.output
        assert "Traceback" not in result.output and [each.name for each in disk.iterdir()] == ["filler"]
