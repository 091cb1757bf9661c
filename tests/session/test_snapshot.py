"""``cowpath from-cgroup``: from a directory tree of groups to a session that sets the same limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.session.load import plan_session
from cowpath.session.snapshot import session_of
from cowpath.session.table import Table


def tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


V2 = {
    "system.slice/app.service/memory.max": "67108864\n", "system.slice/app.service/memory.high": "50331648\n",
    "system.slice/app.service/memory.current": "50331648\n",
    "system.slice/app.service/memory.events": "low 0\nhigh 5\n",
    "system.slice/app.service/memory.low": "0\n", "system.slice/app.service/memory.oom.group": "1\n",
    "system.slice/app.service/memory.swap.max": "max\n", "system.slice/app.service/pids.max": "100\n",
    "system.slice/memory.max": "max\n",
}  # fmt: skip
V1 = {
    "A/memory.limit_in_bytes": "8388608\n", "A/memory.memsw.limit_in_bytes": "16777216\n", "A/memory.failcnt": "3\n",
    "A/memory.oom_control": "oom_kill_disable 1\nunder_oom 0\n", "A/memory.swappiness": "60\n",
    "A/B/memory.limit_in_bytes": "9223372036854771712\n", "A/B/memory.swappiness": "0\n",
}  # fmt: skip


def sets(text: str) -> list[tuple[str, str, int]]:
    """What a session writes: group, file, value."""
    plan = plan_session(text, "s.sh", Table(bystanders=()))
    ops = plan.ops[plan.ops["code"] == n.OP_CG_SET]
    return [(plan.groups[op["a"]], n.CG_FILES[op["b"]], int(op["c"])) for op in ops]


def test_v2(tmp_path: Path) -> None:
    text = session_of(tree(tmp_path, V2))
    app = "system.slice/app.service"
    assert sets(text) == [
        ("system.slice", "cgroup.subtree_control", 1), (app, "memory.high", 12288), (app, "memory.max", 16384),
        (app, "memory.oom.group", 1),
    ]  # fmt: skip
    assert "memory.current 50331648; memory.events low 0, high 5" in text and "# not modelled: pids.max 100" in text


def test_v1(tmp_path: Path) -> None:
    text = session_of(tree(tmp_path, V1))
    assert sets(text) == [
        ("A", "memory.limit_in_bytes", 2048), ("A", "memory.memsw.limit_in_bytes", 4096),
        ("A", "memory.oom_control", 1), ("A/B", "memory.swappiness", 0),
    ]  # fmt: skip
    assert "memory.failcnt 3" in text


def test_a_group_alone_has_the_name_of_its_directory(tmp_path: Path) -> None:
    folder = tree(tmp_path / "web", {"memory.max": "1048576\n"})
    assert sets(session_of(folder)) == [("web", "memory.max", 256)]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no group in it"), ({"memory.max": "lots\n"}, "memory.max:1: not what the kernel writes: 'lots'"),
        ({"A/memory.max": "1\n", "B/memory.limit_in_bytes": "1\n"}, "both versions"),
        ({"memory.max": "max\n", "memory.oom.group": "777\n"}, "memory.oom.group:1: not what"),
        ({"memory.limit_in_bytes": "1\n", "memory.oom_control": "\n"}, "memory.oom_control:1: not what"),
        ({"memory.max": "1\n2\n"}, "memory.max:1: not what"), ({"memory.max": "\0"}, "not a text file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, files: dict[str, str], words: str) -> None:
    with pytest.raises(InputError) as caught:
        session_of(tree(tmp_path, files))
    assert words in str(caught.value)


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a directory"):
        session_of(tmp_path / "nosuch")
