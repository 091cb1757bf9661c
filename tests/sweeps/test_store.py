"""A sweep's store: what is in it is whole, each point once, and the same whoever has played it."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cowpath import api, sweeping
from cowpath.errors import InputError
from cowpath.sweeps.executors import Processes
from cowpath.sweeps.point import Played
from cowpath.sweeps.store import Store, Sweep

from ..slow import some_nightly
from .small import DESIGNS, SMALL, VARY, command, count, small, start, sweep, told

__all__ = ["small"]
A_SWEEP = Sweep("s", "x.sh", "", ("a",), {}, 3)


def test_a_point_is_the_run_that_its_inputs_say(small: Path, tmp_path: Path) -> None:
    points = sweep(small, tmp_path / "s.sqlite")
    assert points.tally is not None and (points.tally.played, points.tally.failed) == (16, 0)
    row = next(row for row in points if row.values == ("2M",) and row.design == "linux-3.1" and row.seed == 1)
    small.write_text(small.read_text().replace("${LIMIT:-64M}", "2M"))
    summary = api.run(small, "linux-3.1", seed=1, until="1s").summary
    del summary["wall_s"]
    summary["kernel"] = row.result["kernel"] if row.result else None  # how it was chosen
    assert row.result == json.loads(json.dumps(summary))


def test_what_is_there_is_not_played_again_and_more_is_added(small: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.sqlite"
    before = told(sweep(small, store))
    again = sweep(small, store)
    assert again.tally is not None and (again.tally.before, again.tally.played) == (16, 0)
    more = sweep(small, store, seeds=3)
    assert more.tally is not None and (more.tally.before, more.tally.played) == (16, 8)
    assert set(map(str, before)) < set(map(str, told(more))) and len(more) == 24
    other = sweep(small, store, vary={"LIMIT": "2M"})  # another sweep in the same file
    assert len(other) == 4 and len(sweeping.points(store, more.sweep.id)) == 24


def test_threads_processes_and_one_by_one_give_the_same_rows(small: Path, tmp_path: Path) -> None:
    alone = told(sweep(small, tmp_path / "1"))
    assert told(sweep(small, tmp_path / "2", processes=2)) == alone
    with ThreadPoolExecutor(2) as threads:
        assert told(sweep(small, tmp_path / "3", executor=threads)) == alone


def test_a_script_that_does_not_ask_whether_it_is_the_main_one(small: Path, tmp_path: Path) -> None:
    """Processes that play for it do not run it again."""
    script = tmp_path / "script.py"
    script.write_text(
        f"import cowpath\npoints = cowpath.sweep({str(small)!r}, {VARY!r}, ['linux-3.1'], until='1s', processes=2, "
        f"store={str(tmp_path / 's')!r})\nprint(sum(row.status == 'played' for row in points))\n"
    )
    done = subprocess.run([sys.executable, script], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "4\n", "")


def test_a_point_that_fails_is_kept_and_the_others_go_on(small: Path, tmp_path: Path) -> None:
    wanted = {"vary": {"LIMIT": ["2M", "no limit"], "memory": ["1G", "4K"]}, "designs": ["linux-3.0"]}
    points = sweep(small, tmp_path / "s", **wanted)
    by_value = {row.values: row for row in points if row.seed == 0}
    assert by_value["2M", "1G"].status == "played"
    assert by_value["2M", "4K"].status == "failed" and "a memory of 1 pages" in (by_value["2M", "4K"].error or "")
    failed = sum(row.status == "failed" for row in points)
    assert points.tally is not None and points.tally.failed == failed < 8
    again = sweep(small, tmp_path / "s", **wanted)
    assert again.tally is not None and again.tally.before == 8
    retried = sweep(small, tmp_path / "s", **wanted, retry=True)
    assert retried.tally is not None and (retried.tally.before, retried.tally.failed) == (8 - failed, failed)


def test_what_the_kernel_refuses_is_no_point_of_that_value(small: Path, tmp_path: Path) -> None:
    small.write_text(small.read_text().replace("cgexec", "cgset -r memory.memsw.limit_in_bytes=2M A\ncgexec"))
    points = sweep(
        small, tmp_path / "s", vary={"A:memory.memsw.limit_in_bytes": "1M,80M"}, designs=DESIGNS[:1], seeds=1
    )
    failed, played = sorted(points, key=lambda row: row.status)
    assert failed.values == ("1M",) and "the kernel answers: Invalid argument" in (failed.error or "")
    assert played.values == ("80M",) and played.result is not None


def test_two_sweeps_on_one_file_do_not_hurt_each_other(small: Path, tmp_path: Path) -> None:
    alone = told(sweep(small, tmp_path / "alone"))
    both = [start(command(small, tmp_path / "both", "--seeds", "2", "--processes", "1")) for _ in range(2)]
    for each in both:
        _, errors = each.communicate(timeout=600)
        assert each.returncode == 0, errors
    assert told(sweeping.points(tmp_path / "both")) == alone


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """64 points."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "small.sh").write_text(SMALL)
    return told(sweep(folder / "small.sh", folder / "s", seeds=8))


@pytest.mark.parametrize("moment", some_nightly(range(20), set(range(20)) - {14}))
def test_kill_9_loses_nothing_that_was_there(
    moment: int, small: Path, tmp_path: Path, undisturbed: list[tuple[Any, ...]]
) -> None:
    """After so many points; with one process, and with two, which end with the one that has started them."""
    store = tmp_path / "s.sqlite"
    running = start(command(small, store, "--seeds", "8", "--processes", str(1 + moment % 2)))
    wanted, deadline = moment * len(undisturbed) // 24, time.monotonic() + 300
    while count(store) < wanted and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=60)  # until the last process that writes to the same pipe has ended
    there = count(store)
    assert wanted <= there
    points = sweep(small, store, seeds=8)
    assert points.tally is not None and points.tally.before == there
    assert told(points) == undisturbed


def test_ctrl_c_leaves_a_whole_store(small: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.sqlite"
    running = start(command(small, store, "--seeds", "10000", "--processes", "2"))
    deadline = time.monotonic() + 300
    while count(store) < 3 and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130, errors
    assert "Traceback" not in errors
    assert len(sweeping.points(store)) == count(store) >= 3


def test_a_process_that_ends_is_replaced_and_its_points_are_played(
    small: Path, tmp_path: Path, undisturbed: list[tuple[Any, ...]]
) -> None:
    players = Processes(2)
    killed = []

    def kill_it(there: int, failed: int, total: int) -> None:
        if there > 4 and not killed:
            killed.extend(player.process for player in players.players)
            for process in killed:
                process.kill()

    grid = sweeping.grid_of(VARY, (), 8)
    options = sweeping.Options.of(until="1s")
    points = sweeping.sweep_grid(small, grid, DESIGNS, options, tmp_path / "s", lambda: players, told=kill_it)
    assert killed and told(points) == undisturbed


# --- files that are none
def test_a_store_of_another_version(small: Path, tmp_path: Path) -> None:
    with Store(tmp_path / "s", "0.0.9 (sources abc)"):
        pass
    with pytest.raises(InputError, match=r"a store of cowpath 0.0.9 \(sources abc\), and this is .*0\.1\.0"):
        sweep(small, tmp_path / "s")
    assert list(sweeping.Store(tmp_path / "s").__enter__().sweeps()) == []


def test_files_that_are_no_store(small: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a store\n" * 500)
    sqlite3.connect(tmp_path / "other").execute("CREATE TABLE x (y)")
    for name, words in ("text", "no store"), ("other", "no store of cowpath's"), (".", "it is a folder"):
        before = (tmp_path / name).read_bytes() if name != "." else b""
        with pytest.raises(InputError, match=words):
            sweep(small, tmp_path / name)
        with pytest.raises(InputError, match=words):
            sweeping.points(tmp_path / name)
        assert name == "." or (tmp_path / name).read_bytes() == before
    with pytest.raises(InputError, match="no such store"):
        sweeping.points(tmp_path / "nosuch")
    with pytest.raises(InputError, match="is no file"):
        sweep(small, Path("-"))


def test_a_broken_store(small: Path, tmp_path: Path) -> None:
    store = tmp_path / "s"
    sweep(small, store)
    content = bytearray(store.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    store.write_bytes(content)
    with pytest.raises(InputError, match="broken"):
        sweep(small, store, seeds=3)


def test_a_full_disk_is_told_and_the_store_is_whole(tmp_path: Path) -> None:
    with Store(tmp_path / "s", "v") as store:
        store.note(A_SWEEP)
        store.put(A_SWEEP, [("d", 0, ["1"], Played("p0", "played", "{}", None, 0.1))])
        pages = store._pragma("page_count")
        store._db.execute(f"PRAGMA max_page_count = {pages}")  # what a full disk answers, SQLite answers here
        with pytest.raises(InputError, match=r"full.*what it holds is whole"):
            store.put(A_SWEEP, [("d", 1, ["1"], Played("p1", "played", f'"{"x" * 100_000}"', None, 0.1))])
    with Store(tmp_path / "s") as store:
        assert [row.id for row in store.rows(A_SWEEP)] == ["p0"]


def test_a_point_that_is_there_stays_as_it_is_unless_it_had_failed(tmp_path: Path) -> None:
    with Store(tmp_path / "s", "v") as store:
        store.note(A_SWEEP)
        for played in (
            Played("p", "failed", None, "why", 1),
            Played("p", "played", "{}", None, 2),
            Played("p", "failed", None, "x", 3),
        ):
            store.put(A_SWEEP, [("d", 0, ["1"], played)])
        (row,) = store.rows(A_SWEEP)
        assert (row.status, row.wall_s, row.error) == ("played", 2.0, None)
        assert store.missing(["p", "q"]) == {"q"}
