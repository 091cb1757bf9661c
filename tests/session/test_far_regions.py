"""A program speaks of another program's memory: the linker knows where that lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.session.load import plan_session
from cowpath.session.table import read_table

TARGET = "anon first 1000\nanon second 8\nfork child\n  sleep 1\nend\nsleep 1"


def linked(folder: Path, line: str) -> Any:
    """The instruction of a line, in a session with a task ``t``."""
    for name, text in (("t", TARGET), ("o", f"anon second 3\n{line}")):
        (folder / f"{name}.prog").write_text(text + "\n", encoding="utf-8")
    table = '[bystanders]\nprograms = []\n[programs.t]\nwritten = "t.prog"\n[programs.o]\nwritten = "o.prog"\n'
    (folder / "s.toml").write_text(table, encoding="utf-8")
    ops = plan_session("t &\no &\nwait\n", "s.sh", read_table(folder / "s.toml")).ops
    places = {int(op["b"]): int(op["a"]) for op in ops if op["code"] == n.OP_MMAP}  # by size
    (found,) = [op for op in ops if op["code"] == n.OP_REMOTE]
    return found, places


@pytest.mark.parametrize("task", ["t", "t.child"])
def test_a_region_is_the_other_programs(task: str, tmp_path: Path) -> None:
    op, places = linked(tmp_path, f"vmw {task} second 2")
    assert (int(op["b"]), int(op["c"]), int(op["bits"])) == (places[8] + 2, 6, n.REMOTE_WRITEV)
    op, places = linked(tmp_path, f"ptr {task} first 999")
    assert (int(op["b"]), int(op["c"]), int(op["bits"])) == (places[1000] + 999, 1, n.REMOTE_POKE)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("vmw t secnd", "2:7: task 't' has no region 'secnd' (did you mean second?"),
        (
            "pmem t second 8",
            "2:8: page 8 is outside of region 'second' of 't', which has 8 pages (pages 0 to 7)",
        ),
        (
            "vmr t second 7 2",
            "2:7: page 8 is outside of region 'second' of 't', which has 8 pages (pages 0 to 7)",
        ),
        ("ptr nobody second", "2:5: no task of the session is called 'nobody'"),
    ],
)
def test_what_is_not_there(line: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        linked(tmp_path, line)
    assert "o.prog:" + problem in str(error.value)
