"""Whatever prints tables fits a terminal of 80 letters, and leaves no blanks at the ends of lines."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text
from typer.testing import CliRunner

from cowpath.cli import app
from cowpath.observe.chains import Drawn
from cowpath.observe.terminal import Fitted, Hanging, Terminal
from cowpath.observe.words import Chain, Hop, Thing

ROOT = Path(__file__).parents[1]
POD = "kubepods/burstable/pod1"
NESTED = f"""cgcreate -g memory:{POD}/app
cgcreate -g memory:{POD}/nginx
cgexec -g memory:{POD}/app ls
cgexec -g memory:{POD}/nginx grep
"""
LONG_NAME = "a-design-whose-author-has-not-been-sparing-with-letters"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nested.sh").write_text(NESTED, encoding="utf-8")
    (tmp_path / f"{LONG_NAME}.toml").write_text('extends = "linux-3.0"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(*words: str) -> str:
    """What a command prints there, all of whose lines fit."""
    done = CliRunner().invoke(app, list(words), env={"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"})
    assert done.exit_code in (0, 1), done.output
    check(done.stdout, 80)
    return done.stdout


def check(text: str, width: int) -> None:
    wrong = [line for line in text.splitlines() if cell_len(line) > width or line != line.rstrip()]
    assert not wrong, wrong
    assert "\N{HORIZONTAL ELLIPSIS}" not in text, "something is cut off"


@pytest.mark.parametrize(
    "command",
    [
        "designs list", "designs show linux-3.0", "kernels", "programs", "cases list", "cases show 8",
        f"diagnose {ROOT}/tests/data/samples/sysrq-w.txt", f"diagnose {ROOT}/tests/data/samples/oom-dmesg-whole.txt",
    ],
)  # fmt: skip
def test_what_there_is(command: str) -> None:
    assert len(printed(*command.split()).splitlines()) > 5


@pytest.mark.usefixtures("folder")
def test_long_names_of_designs_and_groups() -> None:
    designs = ("-d", "linux-3.0", "-d", "unlock-charge-relock", "-d", f"{LONG_NAME}.toml")
    told = printed("compare", "nested.sh", *designs)
    for group in (POD, f"{POD}/app", f"{POD}/nginx"):
        assert f"\n{group} " in told
    assert printed("costs", "nested.sh", *designs, "--seeds", "2")


def test_the_reason_comes_right_after_the_verdict_and_is_drawn() -> None:
    told = printed("run", str(ROOT / "examples/oom-off.sh"), "--design", "linux-3.0", "--until", "3s")
    blocks = [block for block in told.split("\n\n") if block]
    assert [block.split("\n")[0] for block in blocks[:2]] == [
        "Verdicts: does a group's lack of memory hold up the tasks outside it?", "Who waits for whom",
    ]  # fmt: skip
    assert "So do 6 others." in " ".join(blocks[1].split()), "one sentence for all who wait for the same"
    assert blocks[2].splitlines()[1:] == [
        "  └─ page lock: lib page 100", "     └─ held by attacker[3] in A",
        "        └─ A's memory: limit 64M, OOM killer off",
    ]  # fmt: skip


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("case", ["commit", "mmap-sem-reader"])
def test_a_check_and_its_counterexample(case: str) -> None:
    """Of two tasks and of three."""
    told = printed("check", "-d", "linux-3.0", "-d", f"{LONG_NAME}.toml", "-c", case, "--save", "found.json")
    assert "VIOLATED" in told
    played = printed("replay", "found.json")
    assert played.splitlines()[1] and "Who waits for whom at the end" in played


# --- the parts -----------------------------------------------------------------------------------


def drawn(part: object, width: int) -> str:
    out = io.StringIO()
    Terminal(file=out, width=width).print(part)
    return out.getvalue()


CELLS = st.text(st.sampled_from("ab -,0"), max_size=60)


@settings(max_examples=40)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=4), st.integers(30, 120))
def test_any_table_fits_and_nothing_of_it_is_lost(rows: Sequence[tuple[str, ...]], width: int) -> None:
    table = Fitted("who", "what", "number:", "why")
    for row in rows:
        table.add_row(*row)
    text = drawn(table, width)
    check(text, width)
    letters = "".join(text.split())
    for cell in (cell for row in rows for cell in row):
        assert all(letters.count(letter) >= cell.count(letter) for letter in "ab0")


def test_what_has_room_stands_in_one_line_and_what_has_not_in_a_second_table() -> None:
    table = Fitted("name", "one:", "two:", "three:")
    table.add_row("a-name", "1" * 10, "2" * 10, "3" * 10)
    wide, narrow = drawn(table, 80), drawn(table, 32)
    assert wide.splitlines()[2].split() == ["a-name", "1" * 10, "2" * 10, "3" * 10]
    assert [line.split() for line in narrow.splitlines() if "a-name" in line] == [
        ["a-name", "1" * 10, "2" * 10], ["a-name", "3" * 10],
    ]  # fmt: skip


def test_a_long_name_is_broken_behind_a_hyphen_before_the_table_is() -> None:
    table = Fitted("design", "number:")
    table.add_row("pte-alloc-under-lock", "1" * 20)
    assert [line.split() for line in drawn(table, 40).splitlines()[2:]] == [["pte-alloc-under-", "1" * 20], ["lock"]]
    assert len(drawn(table, 42).splitlines()) == 3


def test_a_row_has_no_more_cells_than_there_are_columns() -> None:
    with pytest.raises(ValueError, match="2 cells, 1 columns"):
        Fitted("one").add_row("a", "b")


def test_a_line_that_folds_goes_on_further_to_the_right() -> None:
    assert drawn(Hanging("  one two three", 4), 16) == "  one two\n      three\n"
    assert drawn(Text("[not markup] :smile: 12 "), 40) == "[not markup] :smile: 12\n"


def hop(task: str, thing: Thing | None, by: str = "") -> Hop:
    return Hop(len(task), thing, task, "", "waits", by)


LOCK = Thing(3, 1, "page lock", "lib page 7")


def test_chains_with_the_same_end_share_a_picture_and_a_cycle_says_so() -> None:
    ends = (hop("holder", Thing(9, 1, "A's memory", "limit 1M")),)
    chains = [Chain((hop(f"t{n}", LOCK, "held by"), *ends)) for n in range(6)]
    assert drawn(Drawn(chains), 60).splitlines() == [
        "t0, t1, t2, t3 and 2 more", "└─ page lock: lib page 7", "   └─ held by holder",
        "      └─ A's memory: limit 1M",
    ]  # fmt: skip
    circle = Chain((hop("a", LOCK, "held by"), hop("b", LOCK, "held by")), deadlock="a")
    assert drawn(Drawn([circle]), 60).splitlines()[-1].endswith("└─ held by a: a cycle")


def test_a_terminal_without_such_letters_gets_plain_ones() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Terminal(file=out, width=60).print(Drawn([Chain((hop("a", LOCK),))]))
    out.flush()
    assert out.buffer.getvalue() == b"a\n`- page lock: lib page 7\n"  # type: ignore[attr-defined]
