"""A run that was cut off goes on from its last checkpoint, and what comes out is the same, to the byte."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cowpath import api
from cowpath.checkpoints import Checkpoint, bytes_of, chunks_of, fill, read
from cowpath.cli import app
from cowpath.engine import clock
from cowpath.errors import InputError
from cowpath.observe.watch import Wanted

from .slow import some_nightly

EXAMPLES = Path(__file__).parents[1] / "examples"
SESSION = EXAMPLES / "high-readahead.sh"  # its output reads files while it runs, and there are stalls
MOVES = 8_000


class CutError(Exception):
    pass


def play(folder: Path, checkpoint: Checkpoint | None = None, session: Path = SESSION) -> tuple[dict[str, Any], bytes]:
    """The run's figures, and its log."""
    options = api.Options(until=9 * 10**9)
    design, plan = api.load_both("linux-6.18", session, options)
    log = folder / "log.parquet"
    summary = api.run_plan(plan, design, options, Wanted(log=log), checkpoint=checkpoint).summary
    return {name: value for name, value in summary.items() if name != "wall_s"}, log.read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], bytes]:
    return play(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock looks up after so few moves, so that there is something to cut."""
    monkeypatch.setattr(clock, "BUDGET", MOVES)


def cut_after(number: int) -> Any:
    left = [number]

    def taken(now_ns: int) -> None:
        left[0] -= 1
        if not left[0]:
            raise CutError

    return taken


@pytest.mark.usefixtures("often")
def test_a_run_that_is_cut_off_again_and_again(tmp_path: Path, undisturbed: tuple[dict[str, Any], bytes]) -> None:
    """After each second checkpoint: each time it goes on from there."""
    file = tmp_path / "run.checkpoint"
    cuts = 0
    while True:
        try:
            found = play(tmp_path, Checkpoint(file, 0.0, cut_after(2)))
            break
        except CutError:
            cuts += 1
            assert not (tmp_path / "log.parquet").exists()
    assert cuts > 5
    assert found == undisturbed
    assert sorted(each.name for each in tmp_path.iterdir()) == ["log.parquet"]


@pytest.mark.usefixtures("often")
def test_what_comes_behind_the_checkpoint_is_cut_off(tmp_path: Path, undisturbed: tuple[dict[str, Any], bytes]) -> None:
    """As a run leaves it that is killed while it writes events, or the next checkpoint."""
    file = tmp_path / "run.checkpoint"
    with pytest.raises(CutError):
        play(tmp_path, Checkpoint(file, 0.0, cut_after(7)))
    with (tmp_path / "run.checkpoint.events").open("ab") as events:
        events.write(b"half an event")
    (tmp_path / ".run.checkpoint.x.part").write_bytes(b"half a checkpoint")
    assert play(tmp_path, Checkpoint(file, 0.0)) == undisturbed


@pytest.mark.parametrize("moment", some_nightly(range(20), set(range(1, 20))))
def test_kill_9(moment: int, tmp_path: Path) -> None:
    """While it plays, or while a checkpoint is written: they are written all the time."""
    words = [sys.executable, "-m", "cowpath", "run", str(SESSION), "-d", "linux-6.18", "--log", "log.parquet"]
    kept = [*words, "--checkpoint", "c", "--every", "0"]
    for folder in "alone", "cut":
        (tmp_path / folder).mkdir()
    subprocess.run(words, cwd=tmp_path / "alone", check=True, capture_output=True, env=os.environ)
    running = subprocess.Popen(kept, cwd=tmp_path / "cut", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 300
    while not (tmp_path / "cut" / "c").exists() and running.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.05 * moment)
    running.send_signal(signal.SIGKILL)
    running.wait(timeout=60)
    done = subprocess.run(kept, cwd=tmp_path / "cut", check=True, capture_output=True, env=os.environ)
    assert done.stderr == b"" or b"Traceback" not in done.stderr
    assert (tmp_path / "cut" / "log.parquet").read_bytes() == (tmp_path / "alone" / "log.parquet").read_bytes()


@given(st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(1, 255)), max_size=20), st.integers(0, 9))
@settings(max_examples=2, deadline=None)
def test_the_machine_is_what_it_was(bytes_at: list[tuple[int, int]], seed: int) -> None:
    design, plan = api.load_both("linux-6.18", SESSION, api.Options())
    k, other = (api.build_machine(plan, design, api.Options(seed=each)) for each in (seed, seed + 1))
    raw = bytes_of(k)
    for at, value in bytes_at:
        raw[at % len(raw)] = value
    fill(other, list(chunks_of(k)))
    step = 1 << 26
    assert all(np.array_equal(raw[at : at + step], bytes_of(other)[at : at + step]) for at in range(0, len(raw), step))


@pytest.mark.usefixtures("often")
def test_files_that_are_no_checkpoint_of_this_run(tmp_path: Path) -> None:
    file = tmp_path / "c"
    with pytest.raises(CutError):
        play(tmp_path, Checkpoint(file, 0.0, cut_after(3)))
    content = file.read_bytes()
    other = tmp_path / "other.sh"
    other.write_text(SESSION.read_text().replace("8M", "9M"))
    (tmp_path / "other.toml").write_text(
        SESSION.with_suffix(".toml").read_text().replace("programs/", f"{EXAMPLES}/programs/")
    )
    with pytest.raises(InputError, match="a checkpoint of another run"):
        play(tmp_path, Checkpoint(file), other)
    for wrong in b"", b"text\n" * 9, content[:-1], content[:-1] + bytes([content[-1] ^ 1]):
        file.write_bytes(wrong)
        with pytest.raises(InputError, match="not a whole one"):
            play(tmp_path, Checkpoint(file))
        assert file.read_bytes() == wrong
    head, _, rest = content.partition(b"\n")
    first, _, state = rest.partition(b"\n")
    file.write_bytes(b"\n".join([head, json.dumps(json.loads(first) | {"version": "0.0.9"}).encode(), state]))
    with pytest.raises(InputError, match=r"a checkpoint of cowpath 0\.0\.9, and this is"):
        play(tmp_path, Checkpoint(file))
    file.write_bytes(content)
    (tmp_path / "c.events").write_bytes(b"")
    with pytest.raises(InputError, match="are not there"):
        play(tmp_path, Checkpoint(file))
    assert read(file)[0]["run"] and replace(Checkpoint(file), every_s=1.0).events == tmp_path / "c.events"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--every", "5s"], "--every without --checkpoint"),
        (["--checkpoint", "c", "--every", "often"], "'often' is not a time"),
        (["--checkpoint", "c", "--report", "p.html"], "does not go with --report"),
        (["--checkpoint", "nosuch/c"], "cannot write"),
        (["--checkpoint", "c", "--log", "c.events"], "two outputs cannot go to one file"),
    ],
)
def test_what_is_wrong(words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["run", str(SESSION), *words])
    assert result.exit_code == 2 and message in result.stderr and "Traceback" not in result.output
