"""The cache's folder: old keys go, nothing else does; where it cannot be written, that is said once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cowpath.kernel.jit import folders

DAY = 24 * 60 * 60
PROGRAM = """
import resource, sys
from cowpath.kernel.compiled import driver, entry_point
if sys.argv[1:]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))

@entry_point
def one(x):
    return x + 1

@driver
def two(x):
    return x * 2 + one(x)

print(one(1), two(2))
"""


def key(within: Path, number: int, days: float) -> Path:
    """A key's folder that was last used so many days ago."""
    folder = within / f"{number:016x}"
    folder.mkdir(parents=True)
    for name in ("used", "cowpath.engine.loop.run-.py311-12ab.nbi", "cowpath.engine.loop.run-.py311-12ab.1.nbc"):
        (folder / name).touch()
    os.utime(folder / "used", (time.time() - days * DAY,) * 2)
    return folder


def test_of_the_folders_that_were_not_used_today_the_last_ones_stay(tmp_path: Path) -> None:
    kept = [key(tmp_path, number, number / 100) for number in range(20)]  # today
    kept += [key(tmp_path / "b", number, 2) for number in range(3)]
    old = [key(tmp_path, number, number) for number in range(20, 25)]
    folders.take_into_use(tmp_path / ("f" * 16))
    assert all(each.exists() for each in kept)
    assert not any(each.exists() for each in old)


def test_without_many_others_an_old_key_stays(tmp_path: Path) -> None:
    old = [key(tmp_path, number, 400) for number in range(folders.KEPT - 1)]
    folders.take_into_use(tmp_path / ("f" * 16))
    assert all(each.exists() for each in old)


def test_a_key_that_is_used_is_not_old(tmp_path: Path) -> None:
    old = [key(tmp_path, number, 10 + number) for number in range(30)]
    for folder in old[-5:]:
        assert folders.take_into_use(folder)
    folders.drop_old(tmp_path, time.time())
    assert all(each.exists() for each in old[-5:]) and sum(each.exists() for each in old) == folders.KEPT


def test_a_cache_that_can_only_be_read_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is needed may be in it; what is not, is told where it cannot be kept."""
    folder = key(tmp_path, 1, 3)

    def read_only(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "utime", read_only)
    monkeypatch.setattr(folders, "say_unwritable", lambda error: pytest.fail(str(error)))
    assert folders.take_into_use(folder)


def test_what_is_not_ours_is_not_touched(tmp_path: Path) -> None:
    """A folder of another name, one with a file of the user's, a link to a folder, a file with a key's name."""
    filler = [key(tmp_path, number, number) for number in range(folders.KEPT)]
    away = key(tmp_path / "away", 1, 400)
    (tmp_path / "0123456789abcdee").symlink_to(away)
    (tmp_path / "0123456789abcded").touch()
    mixed = key(tmp_path, 0xABCDEF, 400)
    (mixed / "thesis.txt").write_text("all my work")
    named = tmp_path / "photographs"
    named.mkdir()
    (tmp_path / "sources-of-the-nile").touch()
    for each in (tmp_path / "sources-of-the-nile", named):
        os.utime(each, (0, 0))
    folders.drop_old(tmp_path, time.time())
    assert all(each.exists() for each in (*filler, away, *away.iterdir(), named, tmp_path / "sources-of-the-nile"))
    assert len(list(mixed.iterdir())) == 4
    assert (tmp_path / "0123456789abcdee").is_symlink() and (tmp_path / "0123456789abcded").exists()


def test_a_note_is_whole_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COWPATH_CACHE", str(tmp_path))
    name = "a" * 64 + "-cpython"
    assert folders.note(name) is None
    folders.write_note(name, "b" * 64)
    assert folders.note(name) == "b" * 64
    (tmp_path / f"sources-{name}").write_text("b" * 30)
    assert folders.note(name) is None
    os.utime(tmp_path / f"sources-{name}", (0, 0))
    folders.drop_old(tmp_path, time.time())
    assert not list(tmp_path.iterdir())


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container a user may be no more than a number."""
    for name in ("COWPATH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert not folders.root().parent.parent.exists()


def run(program: Path, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COWPATH_CACHE": str(cache)}
    return subprocess.run(
        [sys.executable, program, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_where_nothing_can_be_kept_that_is_said_once(tmp_path: Path) -> None:
    """Below a regular file there is no folder, not even for root."""
    (tmp_path / "file").touch()
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = run(program, tmp_path / "file" / "cache")
    assert (done.returncode, done.stdout) == (0, "2 7\n")
    assert len(done.stderr.splitlines()) == 1
    for word in ("cannot be kept", str(tmp_path / "file" / "cache"), "Not a directory", "COWPATH_CACHE"):
        assert word in done.stderr


def test_a_disk_that_gets_full_is_said_once_and_leaves_nothing_broken(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = run(program, tmp_path / "cache", "2000")  # room for an index, and for no code
    assert (done.returncode, done.stdout) == (0, "2 7\n")
    assert len(done.stderr.splitlines()) == 1 and "File too large" in done.stderr
    assert not list((tmp_path / "cache").rglob("*.tmp.*"))
    for _ in range(2):
        done = run(program, tmp_path / "cache")
        assert (done.returncode, done.stdout, done.stderr) == (0, "2 7\n", "")
