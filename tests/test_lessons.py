"""Lessons and random problems: every answer's judgment is found again by another search, and its schedule replays."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from cowpath import lessons
from cowpath.cases.plan import compile_case
from cowpath.checker import boot, schedule
from cowpath.checker.check import Settings, check_case
from cowpath.checker.graph import Graph, stands_still
from cowpath.checker.movers import mover_numbers
from cowpath.checker.player import Player
from cowpath.checker.properties import find
from cowpath.checker.result import PROVED
from cowpath.checker.space import Space
from cowpath.cli import app
from cowpath.engine import costs, explore
from cowpath.engine import properties as p
from cowpath.engine.invariants_pages import OK
from cowpath.errors import InputError
from cowpath.lessons.kinds import Finish, Next, Safe, Waits
from cowpath.lessons.question import Answer, NothingToAskError, Problem
from cowpath.lessons.told import DISK, NOBODY

from .slow import some_nightly

NUMBERS = range(1, 8)
LONG = {2, 3, 4, 5, 6, 7}  # more of the same, or larger machines
SEEDS = range(40)
FEW = {6, 9}


def cowpath(*words: str, answers: str = "") -> Any:
    return CliRunner().invoke(app, list(words), input=answers, env={"COLUMNS": "80"})


# --- what the explorer says of an answer, found in another way than a lesson does
def after(answer: Answer, moves: int) -> Space:
    """The machine after so many moves of an answer's schedule."""
    plan, there = compile_case(answer.case), Space()
    k = boot.start(plan, answer.design, costs.load(), there)
    numbers = mover_numbers(list(answer.moves[:moves]), plan, k, "test")
    assert there.play(numbers) == moves
    return there


def violates(there: Space, name: str) -> bool:
    """The property is violated in this very state."""
    number = find(name).number
    if number < p.OF_STATES:
        return there.drive(explore.OFFENDER, number) != OK
    there.explore(0, fold=False, reduce=False, edges=True)
    return 0 in stands_still(Graph.of(there), int(there.k.state.n_groups)).members


def can_be_violated(there: Space, name: str) -> bool:
    """... or in one that can be reached from it: searched for from there on, without any reduction."""
    number = find(name).number
    if number < p.OF_STATES:
        there.explore(1 << number, fold=False, reduce=False, stop=True)
        return there.found(number) >= 0
    there.explore(0, fold=False, reduce=False, edges=True)
    return stands_still(Graph.of(there), int(there.k.state.n_groups)).state >= 0


def can_finish(there: Space, task: int) -> bool:
    there.explore(0, fold=False, reduce=False, edges=True)
    graph = Graph.of(there)  # without moves of the outside
    reached = np.zeros(graph.states, bool)
    reached[0] = True
    while (new := reached[graph.source] & ~reached[graph.target]).any():
        reached[graph.target[new]] = True
    return bool((reached & graph.has(p.GOAL + task)).any())


def right(question: Any, answer: Answer) -> bool:
    """Whether an answer is right."""
    if isinstance(question, Next):
        return can_be_violated(after(answer, answer.since + 1), question.where.property)
    if isinstance(question, Safe):
        wanted = [find(name) for name in question.properties]
        found = [check_case(compile_case(case), answer.design, wanted, costs.load(), Settings(reduction=False))
                 for case in question.cases]  # fmt: skip
        return all(result.verdict == PROVED for results in found for result in results)
    if isinstance(question, Finish):
        task = [player.name for player in compile_case(answer.case).players].index(question.task)
        return (answer.words == "yes") == can_finish(after(answer, answer.since), task)
    player = Player(compile_case(answer.case), answer.design, costs.load())
    list(player.play(answer.moves[: answer.since], "test"))
    said = [line for line in player.waiting() if line.startswith(question.task)]
    return stands_in_the_way(question, answer.words, said[0] if said else "", after(answer, answer.since))


def stands_in_the_way(question: Any, words: str, chain: str, there: Space) -> bool:
    """By the sentence about the task's wait; of who sleeps not, by whether it can move without charging in vain."""
    task = [player.name for player in compile_case(question.where.case).players].index(question.task)
    awake = bool(there.drive(explore.WHO) >> task & 1)
    there.drive(explore.HOLDER, 0)
    charging = int(there.k.books.tasks[task].charging)
    short_of = question.where.case.groups[charging - 1].name if charging > 0 else ""
    if words == NOBODY:
        return awake and not short_of
    first = re.split(", which (?!has yet)", chain)[0]
    if words.endswith("'s memory"):
        group = words.removesuffix("'s memory")
        return short_of == group or f"for {words}" in first or f"{group} is over its memory.high" in first
    if words == DISK:
        return "from disk" in first and " by " not in first
    return re.search(rf" by {re.escape(words)}( in \w+)?($|,)", first) is not None


def assert_judged(question: Any, problem: Problem) -> None:
    assert {answer.right for answer in problem.answers} == {True, False}
    for answer in problem.answers:
        assert answer.right == right(question, answer), answer.words
        assert answer.why.endswith(".")
        assert answer.moves[: answer.since] == problem.came
        if not answer.right or isinstance(question, Next):
            assert answer.moves, "a wrong answer has a schedule"
        player = Player(compile_case(answer.case), answer.design, costs.load())
        assert len(list(player.play([*answer.moves, *answer.cycle], "test"))) == len(answer.moves) + len(answer.cycle)
        if isinstance(question, Next) and answer.right:
            assert violates(after(answer, len(answer.moves)), question.where.property)


@pytest.mark.parametrize("number", some_nightly(NUMBERS, LONG))
def test_every_answer_of_a_lesson_is_judged_as_another_search_does(number: int) -> None:
    explorer = lessons.Explorer()
    for question in lessons.load(str(number)).questions:
        assert_judged(question, question.pose(explorer))


@pytest.mark.parametrize("seed", some_nightly(SEEDS, set(SEEDS) - FEW))
def test_and_so_are_those_of_a_random_problem(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    for kind in (Next, Waits, Finish, Safe):
        monkeypatch.setattr(
            kind, "pose", lambda self, explorer, pose=kind.pose: (asked.append(self), pose(self, explorer))[1]
        )
    problem = lessons.problem(seed, shared())
    assert_judged(asked[-1], problem)


@cache
def shared() -> lessons.Explorer:
    return lessons.Explorer()


def test_the_same_seed_draws_the_same_problem() -> None:
    once = {seed: lessons.problem(seed, shared()) for seed in FEW}
    assert len({str(problem) for problem in once.values()}) == len(FEW)
    assert once[6] == lessons.problem(6, lessons.Explorer())


# --- no answer is stored
def test_what_is_right_is_not_in_the_files() -> None:
    for number in NUMBERS:
        lesson = lessons.load(str(number))
        assert lesson.number == number and lesson.aim and lesson.questions
        for question in lesson.questions:
            assert set(vars(question)) <= {"where", "ask", "task", "cases", "designs", "properties", "shows_steps"}


def test_other_steps_under_the_same_name_turn_the_answer() -> None:
    text = (Path(lessons.__file__).parent / "3-commit.toml").read_text(encoding="utf-8")
    asked = lessons.read(text, "x.toml").questions[0]
    assert isinstance(asked, Safe)
    assert [answer.words for answer in asked.pose(shared()).answers if answer.right] == ["order 3"]
    one, three = re.findall(r'name = "order [13]"\n(paths.*)\n', text)
    turned = text.replace(three, "@").replace(one, three).replace("@", one)
    asked = lessons.read(turned, "x.toml").questions[0]
    assert [answer.words for answer in asked.pose(shared()).answers if answer.right] == ["order 1"]


def test_where_a_design_is_safe_there_is_nothing_to_ask() -> None:
    text = (Path(lessons.__file__).parent / "1-page-lock.toml").read_text(encoding="utf-8")
    for question in lessons.read(text.replace('"linux-3.0"', '"preallocate"'), "x.toml").questions:
        with pytest.raises(NothingToAskError, match="there is no moment"):
            question.pose(shared())


def test_the_teachers_sheet_says_of_each_what_its_file_says() -> None:
    sheet = (Path(__file__).parents[1] / "docs" / "teaching.md").read_text(encoding="utf-8")
    for number in NUMBERS:
        lesson = lessons.load(str(number))
        assert f"## {number}. {lesson.title}\n\n{lesson.minutes} minutes. {lesson.aim}\n" in sheet


# --- the command
OWN = 'title = "mine"\ntext = "A text."\n'


def test_the_list() -> None:
    shown = cowpath("lesson")
    assert shown.exit_code == 0
    for number in NUMBERS:
        assert lessons.load(str(number)).title in shown.output


def test_a_wrong_answer_is_shown_why_and_asked_again() -> None:
    shown = cowpath("lesson", "1", answers="2\n1\n3\n?\nno\n2\n")
    assert shown.exit_code == 0, shown.output
    wrong, more = shown.output.split("Not so. ", 1)
    assert "Who moves next" in wrong and "file_read: lock_page" not in wrong
    assert "The moves from here:" in more and more.index("Right. ") > more.index("unlock_page")
    assert "A number from 1 to 2, ? or q." in shown.output
    assert shown.output.rstrip().endswith("1 of 3 right at the first try.")


def test_a_wrong_answers_schedule_is_saved_for_replay(tmp_path: Path) -> None:
    file = tmp_path / "why.json"
    shown = cowpath("lesson", "1", "--save", str(file), answers="2\n1\nq\n")
    assert shown.exit_code == 0
    saved = schedule.load(file)
    assert (saved.case.name, saved.design.name) == ("commit", "linux-3.0") and len(saved.moves) == 20
    again = cowpath("replay", str(file))
    assert again.exit_code == 0 and saved.reason[:40] in again.output
    assert cowpath("lesson", "1", "--save", str(tmp_path / "none.json"), answers="1\nq\n").exit_code == 0
    assert list(tmp_path.iterdir()) == [file]


def test_all_at_once_are_counted() -> None:
    assert cowpath("lesson", "3", answers="3\n4\n2\n").output.rstrip().endswith("3 of 3 right at the first try.")


@pytest.mark.parametrize("given", ["", "q\n", "quit\n"])
def test_nobody_answers(given: str) -> None:
    shown = cowpath("lesson", "--random", "9", answers=given)
    assert shown.exit_code == 0 and "Right." not in shown.output and "try." not in shown.output


@pytest.mark.parametrize("given", ["9" * 5000, "0", "-1", "1.0", "\u001b[31m", "\uff11"])
def test_what_is_no_answer_is_asked_again(given: str) -> None:
    shown = cowpath("lesson", "--random", "9", answers=f"{given}\nq\n")
    assert shown.exit_code == 0 and "A number from 1 to 4, ? or q." in shown.output and "\u001b" not in shown.output


def test_answers_that_are_no_text() -> None:
    shown = CliRunner().invoke(app, ["lesson", "--random", "9"], input=b"\xff\xfe\n")
    assert shown.exit_code == 2 and "not UTF-8 text" in shown.output


def test_the_solution() -> None:
    shown = cowpath("lesson", "--random", "6", "--answers")
    assert "Right. " in shown.output and "Not so. " in shown.output and "Your answer" not in shown.output
    assert [line for line in shown.output.splitlines() if len(line) > 80 or line != line.rstrip()] == []
    assert cowpath("lesson", "--random", "6", "--answers").output == shown.output


def test_a_page_and_its_command(tmp_path: Path) -> None:
    words = ["lesson", "--random", "6", "--answers", "--report", str(tmp_path / "p.html")]
    shown = cowpath(*words)
    assert shown.exit_code == 0 and "Right." not in shown.output
    page = (tmp_path / "p.html").read_text()
    assert "Right." in page and f"cowpath {' '.join(words)}</pre>" in page


def test_a_page_does_not_become_the_lesson(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(OWN + '[[questions]]\nkind = "next"\n')
    before = own.read_text()
    assert cowpath("lesson", str(own), "--report", str(own)).exit_code == 2
    assert cowpath("lesson", "1", "--report", str(tmp_path / "none" / "p.html")).exit_code == 2
    assert own.read_text() == before and list(tmp_path.iterdir()) == [own]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lesson", "8"], "no lesson '8'"),
        (["lesson", "0"], "no lesson '0'"),
        (["lesson", "9" * 5000], "no lesson"),
        (["lesson", "1", "--random", "2"], "one of them"),
        (["lesson", "--answers"], "of which lesson?"),
        (["lesson", "--report", "x.html"], "of which lesson?"),
        (["lesson", "--save", "x.json"], "of which lesson?"),
        (["lesson", "1", "--report", "x.html", "--save", "x.json"], "of which answer?"),
        (["lesson", "none.toml"], "none.toml"),
        (["lesson", "--random", "-1"], "greater than or equal to 0"),
    ],
)
def test_wrong_words(words: list[str], said: str) -> None:
    shown = cowpath(*words)
    assert shown.exit_code == 2 and said in shown.output and "Traceback" not in shown.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = 3", "title must be a text"),
        ('title = "x"\ntext = "y"', "questions is missing"),
        (OWN + "questions = 3", "questions must be tables"),
        (OWN + '[[questions]]\nkind = "nxt"', "question 1: kind = 'nxt' (did you mean next?"),
        (OWN + '[[questions]]\nkind = "next"\nmoment = "last frok"', "question 1: moment = 'last frok'"),
        (OWN + '[[questions]]\nkind = "next"\nanswer = 1', "question 1: unknown key 'answer'"),
        (OWN + '[[questions]]\nkind = "waits"', "question 1: task is missing"),
        (OWN + '[[questions]]\nkind = "waits"\ntask = 3', "question 1: task must be a text"),
        (OWN + '[[questions]]\nkind = "waits"\ntask = "victm"', "no task 'victm' in commit (did you mean victim?"),
        (OWN + '[[questions]]\nkind = "next"\ncase = "comit"', "no case 'comit'"),
        (OWN + '[[questions]]\nkind = "next"\nproperty = "isolatio"', "no property 'isolatio'"),
        (OWN + '[[questions]]\nkind = "safe"', "designs must be two at least"),
        (OWN + '[[questions]]\nkind = "safe"\ndesigns = ["linux-3.0", 3]', "designs: 3"),
        (OWN + '[[questions]]\nkind = "safe"\ndesigns = ["linux-3.0", "linux-3.0"]', "every design is safe, or none"),
        (OWN + 'minutes = "x"\n[[questions]]\nkind = "next"', "minutes = 'x'"),
        ("= 3", "line 1"),
    ],
)  # fmt: skip
def test_a_lesson_of_ones_own_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    shown = cowpath("lesson", str(tmp_path / "mine.toml"), "--answers")
    assert shown.exit_code == 2 and said in shown.output and "Traceback" not in shown.output


def test_a_lesson_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(OWN + '[[questions]]\nkind = "next"\ncase = "write"\n')
    shown = cowpath("lesson", str(tmp_path / "mine.toml"), answers="1\n")
    assert shown.exit_code == 0 and "1 of 1 right at the first try." in shown.output


def test_a_task_of_the_case_only() -> None:
    with pytest.raises(InputError, match="no task"):
        Waits(lessons.load("1").questions[1].where, "", "nobody").pose(shared())
