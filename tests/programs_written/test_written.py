"""The language of written programs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.regions import ALIGNMENT, FIRST_PAGE
from cowpath.programs.unit import Unit
from cowpath.programs.writer import COMMANDS
from cowpath.programs.written import compile_written

A = FIRST_PAGE


def unit(text: str) -> Unit:
    return compile_written(text, "p.prog", "p")


def listing(text: str) -> list[str]:
    """Instructions without the first (exec) and the last (exit)."""
    ops = [
        " ".join([n.OP_NAMES[op["code"]], *(str(op[x]) for x in "abcd")])
        + (f" bits {op['bits']}" if op["bits"] else "")
        for op in unit(text).code.ops
    ]
    assert ops[0] == "exec 1 0 0 0" and ops[-1] == "exit 0 0 0 0"
    return ops[1:-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anon a 4", [f"mmap {A} 4 -1 0 bits 1"]),
        ("anonpop a 4", [f"mmap {A} 4 -1 0 bits 33"]),
        ("shm a 4", [f"mmap {A} 4 -1 0 bits 5"]),
        ("mapf a @f 4 r private", [f"mmap {A} 4 0 0"]),
        ("mapf a @f 4 rw shared 8", [f"mmap {A} 4 0 8 bits 5"]),
        ("anon a 8\ntouch a 1 3 2 w", [f"mmap {A} 8 -1 0 bits 1", f"touch {A + 1} 3 2 0 bits 1"]),
        ("anon a 8\nmunmap a", [f"mmap {A} 8 -1 0 bits 1", f"munmap {A} 8 0 0"]),
        ("anon a 8\nmlock a 2 3", [f"mmap {A} 8 -1 0 bits 1", f"mlock {A + 2} 3 0 0"]),
        ("anon a 8\nfill a", [f"mmap {A} 8 -1 0 bits 1", f"fill {A} 8 1 0"]),
        ("readf @f 2 5 2", ["read 0 2 2 -1", "read 0 4 2 -1", "read 0 6 1 -1"]),
        ("writef @f 2 5", ["write 0 2 5 -1"]),
        ("anon a 8\nreadinto a @f 2 3", [f"mmap {A} 8 -1 0 bits 1", f"read 0 0 1 {A + 3}", f"read 0 1 1 {A + 4}"]),
        ("fadv @f dontneed", ["fadvise 0 0 -1 0"]),
        ("fadv @f willneed\nfadv @f willneed 2 5", ["fadvise 0 0 -1 0 bits 1", "fadvise 0 2 5 0 bits 1"]),
        ("anon a 8\nmadv a populate_read", [f"mmap {A} 8 -1 0 bits 1", f"madvise {A} 8 0 0"]),
        ("anon a 8\nmadv a populate_write 2 3", [f"mmap {A} 8 -1 0 bits 1", f"madvise {A + 2} 3 0 0 bits 1"]),
        ("truncate @f 3", ["truncate 0 3 0 0"]),
        ("fsync @f", ["fsync 0 0 0 0"]),
        ("failreads @f 3 1", ["fail_reads 0 3 1 0"]),
        ("lseek @f end\nlseek @f set", ["lseek 0 0 0 0", "lseek 0 0 0 0"]),
        ("stat @etc/x\ncreat @etc/y\nstat @etc/x", ["stat 0 0 0 0", "creat 0 1 0 0", "stat 0 0 0 0"]),
        ("stat x\nstat /x\nreaddir @./", ["stat 0 0 0 0", "stat 1 1 0 0", "readdir 0 0 0 0"]),
        ("readproc all\nreadproc all status", ["read_proc -3 0 0 0", "read_proc -3 0 0 0 bits 1"]),
        ("sleep 5ms\ncompute 1us", ["sleep 5000000 0 0 0", "compute 1000 0 0 0"]),
        ("mark\nexit 3", ["mark 0 0 0 0", "exit 3 0 0 0"]),
        ("cpu 1\ncpu any\noom_score_adj -500", ["affinity 1 0 0 0", "affinity -1 0 0 0", "oom_adj -500 0 0 0"]),
        ("handle sigbus\nhandle nothing", ["sigbus 1 0 0 0", "sigbus 0 0 0 0"]),
        ("wait any\nwait all", ["wait -1 0 0 0", "wait -2 0 0 0"]),
        ("kill other tree\nreadproc other", ["kill 0 0 0 0 bits 1", "read_proc 0 0 0 0"]),
        (
            "loop i 5 # five rounds\nanon a 8\ntouch a i+3 1 1 r\nend",
            ["loop 0 0 0 0", f"mmap {A} 8 -1 0 bits 1", f"touch {A + 3} 1 1 1", "next 0 5 2 0"],
        ),
        (
            "loop forever\nloop j 2\nsleep 1\nend\nend",
            ["loop 0 0 0 0", "loop 1 0 0 0", "sleep 1000000000 0 0 0", "next 1 2 3 0", "jump 2 0 0 0"],
        ),
        (
            "fork c\nexit 1\nend\nwait c",
            ["fork 3 0 1 0", "jump 5 0 0 0", "exit 1 0 0 0", "exit 0 0 0 0", "wait 0 0 0 0"],
        ),
        (
            "thread t\nend\nwait t",
            ["fork 3 0 1 0 bits 1", "jump 4 0 0 0", "exit 0 0 0 0", "wait 0 0 0 0 bits 1"],
        ),
        (
            "task c\nmark\nend\nstart c\nstart c",
            ["fork 4 0 1 0", "fork 4 0 1 0", "exit 0 0 0 0", "mark 0 0 0 0"],
        ),
        ("run ls -l", ["fork 0 0 1 0", "wait 0 0 0 0"]),
    ],
)  # fmt: skip
def test_commands(text: str, expected: list[str]) -> None:
    assert listing(text) == expected


def test_regions_do_not_share_a_page_table() -> None:
    ops = unit("anon a 1\nanon b 513\nanon c 1\nanon a 2").code.ops[1:-1]
    starts = ops["a"].tolist()
    assert starts[0] == starts[3] and all(start % ALIGNMENT == 0 for start in starts)
    assert starts[1] - starts[0] >= 2 * ALIGNMENT and starts[2] - starts[1] >= 3 * ALIGNMENT


def test_what_the_linker_gets() -> None:
    linked = unit("fork c\nend\nreadproc other\nrun ls -l\nwritef @out 0 9\nmapf m @lib 4 r private 2")
    assert linked.code.slots == ("c", "other", "ls")
    assert linked.code.comms == ("p", "c", "ls")
    assert [word.text for word in linked.outer] == ["other"]
    assert [(f.name, f.pages, f.room) for f in linked.code.files] == [("out", 0, 9), ("lib", 6, 6)]
    (call,) = linked.calls
    assert (call.program.text, [a.text for a in call.arguments], call.slot) == ("ls", ["-l"], "ls")
    assert linked.code.ops[call.at]["code"] == n.OP_FORK


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tuch a 0 1 1 r", "p.prog:1:1: unknown command: 'tuch'"
         " (did you mean touch? docs/programs.md lists the commands)"),
        ("touch a 0 1 1 r", "p.prog:1:7: no region 'a' (anon, mapf and shm make regions)"),
        ("anon a 4\ntouch a 3 2 1 r", "p.prog:2:9: page 4 is outside of region 'a', which has 4 pages (pages 0 to 3)"),
        ("anon a 4\ntouch a 0 1 1 x", "p.prog:2:15: 'x' is not understood here (one of: r, w)"),
        ("anon a 4\ntouch a i 1 1 r", "p.prog:2:9: 'i' is neither a number nor a loop's variable"
         " (a page, i, or i+16 within 'loop i 1024')"),
        ("anon a 4\nloop i 5\n  touch a i 1 1 r\nend", "p.prog:3:11: page 4 is outside of region 'a', which has 4 pages"
         " (pages 0 to 3)"),
        ("anon a 4\nloop i forever\ntouch a i 1 1 r\nend", "p.prog:3:9: 'i' grows without end"
         " (loop i 1024: a loop with an end)"),
        ("anon a", "p.prog:1:1: anon needs more words (anon REGION pages)"),
        ("exit 1 2", "p.prog:1:8: too many words: '2' (exit [status|errno])"),
        ("anon a 0", "p.prog:1:8: '0' is not a whole number from 1 to 34359738368"),
        ("readf lib 0 1", "p.prog:1:7: 'lib' is not a file (files are written @name)"),
        ("readf @etc/ 0 1", "p.prog:1:7: 'etc/' is a directory (stat, creat and readdir read directories)"),
        ("readdir @etc", "p.prog:1:9: '@etc' is not a directory (directories are written @dir/)"),
        ("stat @etc/", "p.prog:1:6: '@etc/' is no name of a file (a name in a directory: @dir/name)"),
        ("lseek @f middle", "p.prog:1:10: 'middle' is not understood here (one of: set, cur, end)"),
        ("fork c", "p.prog:1:1: 'fork' without 'end' (a block ends with a line 'end')"),
        ("end", "p.prog:1:1: 'end' without a block (blocks begin with fork, thread, loop, task)"),
        ("start c", "p.prog:1:7: no task 'c' (task NAME ... end defines one)"),
        ("wait c", "p.prog:1:6: the program starts no task called 'c'"
         " ('fork NAME', 'start NAME' and 'run NAME' start tasks)"),
        ("sleep 5q", "p.prog:1:7: '5q' is not a time (a number with ns, us, ms, s, m or h: 5ms)"),
        ("oom_score_adj 1001", "p.prog:1:15: '1001' is not a whole number from 0 to 1000"),
        ("fork a\ntask b\nend\nend", "p.prog:2:1: a task within a block"
         " (tasks are defined at the top, outside of all blocks)"),
        ("loop 1\n" * 5 + "end\n" * 5, "p.prog:5:1: more than 4 loops within each other (at most 4)"),
        ("readf @f 0 34359738368 1", "p.prog:1:12: readf would be more than 262144 calls (a larger chunk)"),
        ("anon a 34359738368", "p.prog:1:6: the program's regions are too large: 'a' has no room (fewer pages)"),
    ],
)  # fmt: skip
def test_errors(text: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        unit(text)
    assert str(caught.value) == expected


WORDS = st.sampled_from(
    [
        *COMMANDS,
        *[
            "task",
            "end",
            "a",
            "i",
            "@f",
            "0",
            "1",
            "4",
            "r",
            "w",
            "rw",
            "private",
            "shared",
            "any",
            "all",
            "forever",
            "5ms",
        ],
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(WORDS | st.text(max_size=3), max_size=7), max_size=8))
def test_any_text_is_a_program_or_an_input_error(lines: list[list[str]]) -> None:
    text = "\n".join(" ".join(line) for line in lines)
    try:
        assert unit(text).code.ops["code"][0] == n.OP_EXEC
    except InputError as error:
        assert error.line is not None


def test_deep_blocks() -> None:
    with pytest.raises(InputError, match="more than 32 blocks within each other"):
        unit("fork\n" * 5000)


def test_the_docs_name_every_command() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "programs.md").read_text()
    assert not [name for name in COMMANDS if f"`{name} " not in docs and f"`{name}`" not in docs]
