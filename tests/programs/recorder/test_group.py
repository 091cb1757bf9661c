"""Where the command's memory cgroup is made, and that it goes again: on trees that look like cgroup file systems."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cowpath.errors import InputError
from cowpath.programs.recorder import group
from cowpath.programs.recorder.group import Group


def mounts(*lines: tuple[str, Path, str]) -> str:
    """mountinfo(5) of these: kind of file system, mount point, options."""
    return "".join(f"30 23 0:26 / {place} rw,relatime - {kind} cgroup rw,{options}\n" for kind, place, options in lines)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that is made has its files at once, as the kernel's has."""
    real = Path.mkdir

    def mkdir(self: Path, *arguments: int, **named: bool) -> None:
        real(self, *arguments, **named)
        if self.name.startswith(group.PREFIX):
            version2 = (self.parent / "cgroup.controllers").exists()
            (self / ("memory.current" if version2 else "memory.usage_in_bytes")).write_text("4096\n")

    monkeypatch.setattr(Path, "mkdir", mkdir)


@pytest.mark.usefixtures("kernel")
def test_v1_makes_it_below_our_own(tmp_path: Path) -> None:
    (tmp_path / "own group").mkdir()
    place = str(tmp_path).replace(" ", "\\040")
    made = group.make(mounts(("cgroup", Path(place), "memory")), "5:cpu:/x\n4:memory:/own group\n0::/\n")
    assert made == Group(
        tmp_path / "own group" / f"cowpath-record-{os.getpid()}", "v1", tmp_path / "own group/cgroup.procs"
    )


@pytest.mark.usefixtures("kernel")
def test_v2_makes_it_where_the_controller_is_passed_on(tmp_path: Path) -> None:
    for folder, passed_on in ((".", "cpu memory"), ("user", "memory"), ("user/shell", "")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "cgroup.controllers").write_text("cpu memory\n")
        (tmp_path / folder / "cgroup.subtree_control").write_text(passed_on + "\n")
    made = group.make(mounts(("cgroup2", tmp_path, "nsdelegate")), "0::/user/shell\n")
    assert made.path.parent == tmp_path / "user" and made.interface == "v2"
    assert made.home == tmp_path / "user" / "shell" / "cgroup.procs"


def test_what_to_type_where_there_can_be_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no memory cgroups are mounted.*--no-group"):
        group.make(mounts(("cgroup", tmp_path, "cpu")), "4:memory:/\n")
    (tmp_path / "cgroup.controllers").write_text("memory\n")
    (tmp_path / "cgroup.subtree_control").write_text("memory\n")
    with pytest.raises(InputError, match=r"no memory cgroup can be made.*subtree_control"):
        group.make(mounts(("cgroup2", tmp_path, "rw")), "0::/\n")
    assert not list(tmp_path.glob("cowpath-record-*"))


@pytest.mark.usefixtures("kernel")
def test_groups_of_a_cowpath_that_was_killed_are_swept_up(tmp_path: Path) -> None:
    gone = tmp_path / "cowpath-record-4194305"  # beyond the largest pid
    alive, others = tmp_path / "cowpath-record-1", tmp_path / "cowpath-record-x"
    for folder in (gone, alive, others):
        os.mkdir(folder)  # noqa: PTH102 - not what the fixture does
    group.make(mounts(("cgroup", tmp_path, "memory")), "4:memory:/\n")
    assert not gone.exists() and alive.exists() and others.exists()


def test_counters_of_both_versions(tmp_path: Path) -> None:
    files = {
        "memory.usage_in_bytes": "10", "memory.max_usage_in_bytes": "20", "memory.current": "30", "memory.peak": "40",
        "memory.stat": "cache 1\nrss 2\npgfault 3\ntotal_rss 9\n", "memory.oom_control": "under_oom 0\noom_kill 5\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    shared = {"file": 1, "anon": 2, "pgfault": 3, "oom_kill": 5}
    assert Group(tmp_path, "v1", tmp_path).counters() == {"usage": 10, "max_usage": 20, **shared}
    assert Group(tmp_path, "v2", tmp_path).counters() == {"usage": 30, "max_usage": 40, **shared}


def test_who_is_left_goes_back(tmp_path: Path) -> None:
    place = tmp_path / "group"
    place.mkdir()
    (place / "cgroup.procs").write_text("17\n23\n")
    home = tmp_path / "cgroup.procs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group, "REMOVAL_S", 0.0)
        with pytest.raises(InputError, match="can't be removed"):
            Group(place, "v1", home).remove()  # a plain folder with a file in it stays, as a busy group does
    assert home.read_text() == "23"
    (place / "cgroup.procs").unlink()
    assert Group(place, "v1", home).remove() == [] and not place.exists()
