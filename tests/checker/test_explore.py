"""Exploring a case by hand: the states are the explorer's; what is typed, what if, a walk as a file."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cowpath import cases, checking, designs
from cowpath.checker import what_if
from cowpath.checker.atlas import START, Atlas
from cowpath.checker.conditions import condition
from cowpath.checker.space import Space
from cowpath.cli import app
from cowpath.errors import InputError


def step(script: str, *more: str, case: str = "commit") -> Result:
    words = ["step", case, "--explore", *(more or ("--design", "linux-3.0"))]
    return CliRunner().invoke(app, words, input=script, env={"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"})


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    """All of commit on linux-3.0."""
    made = Atlas(cases.load("commit"), designs.load("linux-3.0"))
    assert made.is_small() and not made.is_small(most=100)
    assert len(list(made.look_everywhere())) == len(made.states)
    return made


# --- the states
def test_the_states_are_the_explorers(atlas: Atlas) -> None:
    space, known = atlas.player.space, list[bytes]()

    def digest(of: Space) -> bytes:
        return blake2b(of.x.words.tobytes()).digest()

    atlas.bring(START)
    space.explore(0, fold=False, reduce=False, look=lambda *_: bool(known.append(digest(space))))
    assert len(set(known)) == len(atlas.states)
    found = set()
    for number in range(len(atlas.states)):
        atlas.bring(number)
        found.add(digest(space))
    assert found == set(known)
    assert sum(len(atlas.moves(number)) for number in range(len(atlas.states))) == space.transitions


def test_what_a_state_violates_is_what_the_check_finds(atlas: Atlas) -> None:
    """The nearest state that violates isolation is as far away as the shortest counterexample; no other is violated."""
    (result,) = checking.check("linux-3.0", "commit", properties="isolation").results
    bad = [number for number, state in enumerate(atlas.states) if state.violates]
    assert {name for number in bad for name, _ in atlas.states[number].violates} == {"isolation"}
    assert min(len(atlas.way_to(number)) for number in bad) == result.depth == 15
    walk = checking.explore("commit", "linux-3.0")
    way = walk.until(condition("violated isolation", walk.atlas))
    assert way is not None and len(way) == 15
    assert walk.state.violates == (("isolation", result.reason),)


def test_until_says_that_there_is_no_such_state_only_if_all_were_looked_at(atlas: Atlas) -> None:
    walk = checking.explore("commit", "preallocate")
    assert walk.until(condition("violated isolation", walk.atlas)) is None
    with pytest.raises(InputError, match="no proof"):
        walk.until(condition("violated isolation", walk.atlas), most=20)
    assert walk.until(condition("nobody waits", walk.atlas)) == ()


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("nobody wats", "one of"),
        ("atacker waits", "attacker"),
        ("attacker in charg", "charge"),
        ("violated isolaton", "isolation"),
        ("attacker sings", "one of"),
        ("B is full", "one of"),
        ("violated no-stuck", "of states"),
    ],
)
def test_a_condition_that_is_none_says_what_would_be_right(atlas: Atlas, words: str, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        condition(words, atlas)


@pytest.mark.parametrize(
    "words",
    [
        "attacker in file_cow",
        "attacker in charge",
        "attacker holds page lock",
        "A is full",
        "victim waits",
        "victim is done",
    ],
)
def test_until_comes_to_where_it_is_so(words: str) -> None:
    walk = checking.explore("commit", "linux-3.0")
    wanted = condition(words, walk.atlas)
    assert walk.until(wanted) is not None
    assert wanted.holds(walk.state, walk.atlas.design)


# --- what is typed
def test_a_walk_in_the_terminal(tmp_path: Path) -> None:
    saved = tmp_path / "walk.json"
    typed = f"1\n2\nmark here\nback\nundo\nuntil violated\nwho\ngo here\nwalk\nsave {saved}\nquit\n"
    result = step(typed)
    assert result.exit_code == 0, result.output
    for words in (
        "move 2: victim: touch",
        "here: the state after 2 moves",
        "This state violates isolation: victim waits",
        "the page lock of lib page 0: attacker; waits for it: victim",
        "   1  attacker: touch\n   2  victim: touch\n",
    ):
        assert words in result.output, words
    assert json.loads(saved.read_text())["schedule"] == ["attacker", "victim"]
    played = CliRunner().invoke(app, ["replay", str(saved)], env={"COLUMNS": "120", "NO_COLOR": "1"})
    assert played.exit_code == 0 and "a walk of commit on linux-3.0" in played.output
    again = step("walk\n", "--design", "preallocate", case=str(saved))  # it goes on from a saved one, on another design
    assert again.exit_code == 0 and "   2  victim: touch" in again.output


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("1\nfoo\n", "-:2: no command 'foo'"),
        ("9\n", "-:1: no move 9 (there are 1 to 2)"),
        ("back\n", "cannot go 1 back"),
        ("undo\n", "nothing to undo"),
        ("go x\n", "no bookmark 'x'"),
        ("mark 'x\n", "quotation mark"),
        ("back x\n", "no number"),
        ("drop file_cow lock_pag\n", "lock_page"),
        ("drop fil_cow lock_page\n", "file_cow"),
        ("until\n", "takes"),
        ("drop file_cow find_page\n", "-:1: "),
        ("save /no/such/folder/x\n", "cannot write"),
        ("untl victim waits\n", "until"),
    ],
)
def test_what_cannot_be_done_is_one_line_that_names_the_line(typed: str, wrong: str) -> None:
    result = step(typed)
    assert result.exit_code == 2
    kernel, line = result.stderr.strip().splitlines()
    assert "kernel: linux-3.0" in kernel and line.startswith("cowpath: -:") and wrong in line


def test_options_of_sessions_and_of_cases_are_told_apart() -> None:
    for words in (
        ["step", "commit", "--explore", "--cpus", "2"],
        ["step", "commit", "--explore", "--count", "2"],
        ["step", "examples/oom-off.sh", "--property", "isolation"],
        ["step", "nosuch", "--explore"],
    ):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 2 and len(result.stderr.strip().splitlines()) == 1, (words, result.output)


# --- what if
def test_what_if_two_steps_were_swapped_is_what_the_check_of_that_design_says() -> None:
    """Of linux-3.0: the page is prepared before the lock, which is the commit's idea; and it isolates."""
    result = step("until victim waits\nswap truncate lock_page unlock_page\n", "-d", "linux-3.0", "-p", "isolation")
    assert result.exit_code == 2 and "-:2:" in result.stderr  # no path that can be
    design = designs.load("preallocate")
    edited = (
        what_if.drop(design, "file_cow", "recheck_mapping") if "recheck_mapping" in design.paths["file_cow"] else design
    )
    assert edited.paths["file_cow"] == tuple(s for s in design.paths["file_cow"] if s != "recheck_mapping")


def test_a_design_that_is_tried_out_is_checked_anew_and_walked_on() -> None:
    """unlock-charge-relock without its second look at the mapping: a walk goes on on it, and undo comes back."""
    typed = "1\n1\ndrop file_cow recheck_mapping\nwalk\nundo\npath file_cow\n"
    result = step(typed, "-d", "unlock-charge-relock", "-p", "no-stale-page", case="truncate-while-waiting")
    assert result.exit_code == 0, result.output
    assert "VIOLATED" in result.output and "without" in result.output
    assert "recheck_mapping" in result.output.rpartition("> path file_cow")[2]
    (checked,) = checking.check("unlock-charge-relock", "truncate-while-waiting", properties="no-stale-page").results
    assert checked.verdict == "proved"
