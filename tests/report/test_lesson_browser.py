"""The page of a lesson in a browser: by keys only, widths, paper; without scripts, since it has none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cowpath import lessons
from cowpath.lessons import Lesson, Problem
from cowpath.report.lesson import write_lesson

from ..slow import some_nightly

HOSTILE = "</details><script>alert(1)</script>\"'&\u001b]0;owned\u0007"
Posed = list[tuple[str, Problem]]


@pytest.fixture(scope="module")
def lesson() -> tuple[Lesson, Posed]:
    """The first lesson's beginning, and a question that has a proof among its answers."""
    first, explorer = lessons.load("1"), lessons.Explorer()
    questions = [*first.questions[:2], lessons.load("2").questions[2]]
    return first, [(f"Question {at}", question.pose(explorer)) for at, question in enumerate(questions, 1)]


@pytest.fixture(scope="module")
def make(lesson: tuple[Lesson, Posed], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes the page."""
    folder: Path = tmp_path_factory.mktemp("lesson")

    def made(name: str, solved: bool = False) -> Path:
        write_lesson(folder / name, *lesson, "cowpath lesson 1 --report x.html", solved=solved)
        return folder / name

    return made


def test_it_says_what_the_explorer_said(
    open_page: Any, make: Callable[..., Path], lesson: tuple[Lesson, Posed]
) -> None:
    shown = open_page(make("l.html"), java_script_enabled=False)
    for section, (_, problem) in zip(shown.locator(".question").all(), lesson[1], strict=True):
        assert section.locator(".ask").inner_text() == problem.ask
        assert section.locator(".tasks li").all_inner_texts() == list(problem.tasks)
        answers = section.locator("details.answer").all()
        assert [answer.locator(".words").inner_text() for answer in answers] == [each.words for each in problem.answers]
        for fold, answer in zip(answers, problem.answers, strict=True):
            assert not fold.locator(".judged").is_visible()
            fold.locator("summary").click()
            said = fold.locator(".judged").locator("..").inner_text()
            assert said == f"{'Right.' if answer.right else 'Not so.'} {answer.why}"
            rows = len(answer.moves) - answer.since or len(answer.moves)
            assert fold.locator("tbody tr").count() == rows
            if rows:
                assert fold.locator("tbody tr th").last.inner_text() == str(len(answer.moves))
            fold.locator("summary").click()
            assert not fold.locator(".judged").is_visible()


def test_by_keys_only(open_page: Any, make: Callable[..., Path]) -> None:
    shown = open_page(make("l.html"))
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.querySelector('.words').textContent") == "attacker"
    shown.keyboard.press("Tab")
    shown.keyboard.press("Enter")
    second = shown.locator("details.answer").nth(1)
    assert second.locator(".judged").inner_text() == "Not so."
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.className") == "wide"  # what scrolls can be moved by keys
    shown.keyboard.press("Shift+Tab")
    shown.keyboard.press("Space")
    assert not second.locator(".judged").is_visible()


@pytest.mark.parametrize("width", some_nightly([390, 1280], {1280}))
def test_nothing_is_wider_than_the_window(open_page: Any, make: Callable[..., Path], width: int) -> None:
    shown = open_page(make("s.html", solved=True), width)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_is_a_sheet_of_questions_or_of_answers(open_page: Any, make: Callable[..., Path]) -> None:
    for solved in (False, True):
        shown = open_page(make("p.html", solved), 700)
        shown.emulate_media(media="print")
        assert shown.locator(".judged").first.is_visible() == solved
        assert not shown.locator(".hint").first.is_visible()
        assert shown.evaluate("document.documentElement.scrollWidth") <= 700


@pytest.mark.parametrize("scheme", some_nightly(["light", "dark"], {"light"}))
def test_axe_finds_nothing(open_page: Any, make: Callable[..., Path], scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core").Axe()
    page = open_page(make("s.html", solved=True), 1280, color_scheme=scheme)
    found = axe.run(page).response["violations"]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]][:5]) for each in found] == []


def test_it_asks_for_nothing_and_runs_nothing(make: Callable[..., Path]) -> None:
    text = make("l.html").read_text()
    assert "default-src 'none'" in text and not re.search(r"<script|src=|href=\"http|url\(http", text)
    assert text == make("again.html").read_text()


def test_names_in_its_text_are_set_as_such(make: Callable[..., Path]) -> None:
    text = make("l.html").read_text()
    assert "<p>That is harmless" in text and "<code>attacker</code> is in group A" in text and "`" not in text


def test_hostile_texts(open_page: Any, lesson: tuple[Lesson, Posed], tmp_path: Path) -> None:
    first, posed = lesson
    answers = tuple(replace(each, words=HOSTILE, detail=HOSTILE, why=HOSTILE) for each in posed[0][1].answers)
    problem = replace(posed[0][1], ask=HOSTILE, where=HOSTILE, tasks=(HOSTILE,), answers=answers)
    own = replace(first, number=0, title=HOSTILE, text=HOSTILE)
    write_lesson(tmp_path / "h.html", own, [(HOSTILE, problem)], HOSTILE, solved=True)
    text = (tmp_path / "h.html").read_text()
    assert "<script" not in text and "\u001b" not in text and "\u0007" not in text
    shown = open_page(tmp_path / "h.html", 390)
    assert shown.locator("details.answer").count() == len(answers)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
