"""Lessons and problems for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.text import Text

from cowpath.checker.show import moves_table
from cowpath.observe.terminal import Fitted, Hanging
from cowpath.observe.text import clean, plural, visible

from .lesson import Lesson
from .played import play
from .question import Answer, Problem

LONGEST = 200  # letters of a title


def lessons_table(lessons: Sequence[Lesson]) -> RenderableType:
    """A row per lesson."""
    table = Fitted(":", "lesson", "minutes:", "questions:")
    for each in lessons:
        table.add_row(str(each.number), each.title, str(each.minutes), str(len(each.questions)))
    return table


def head(lesson: Lesson) -> Iterator[RenderableType]:
    """The title and the text."""
    number = f"Lesson {lesson.number}: " if lesson.number else ""
    yield Text(f"{number}{clean(lesson.title, LONGEST)}", "bold")
    for paragraph in paragraphs(lesson.text):
        yield from ("", Text(visible(paragraph)))


def paragraphs(text: str) -> list[str]:
    """What blank lines part, each on one line."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def question(problem: Problem, title: str) -> Iterator[RenderableType]:
    """What is asked, of which situation, and the answers to choose from."""
    yield from ("", Text(title, "bold"), Text(visible(problem.ask)), "")
    yield from (Hanging(f"  {visible(each)}") for each in (situation(problem), *problem.tasks))
    yield ""
    for number, answer in enumerate(problem.answers, 1):
        yield Hanging(f"  {number}  {clean(answer.words)}")
        if answer.detail:
            yield Hanging(f"     {visible(answer.detail)}")


def situation(problem: Problem) -> str:
    """``commit on linux-3.0, after 10 moves: attacker 6, victim 4``."""
    if not problem.came:
        return problem.where
    runs = [(mover, sum(1 for _ in those)) for mover, those in groupby(problem.came)]
    who = ", ".join(f"{clean(mover)} {many}" for mover, many in runs)
    return f"{problem.where}, after {plural(len(problem.came), 'move')}: {who}"


def verdict(answer: Answer, before: str = "") -> RenderableType:
    """Right or not, and why."""
    word, style = ("Right. ", "bold green") if answer.right else ("Not so. ", "bold red")
    return Text.assemble((before + word, style), visible(answer.why))


def schedule(answer: Answer) -> Iterator[RenderableType]:
    """The moves that show it."""
    if answer.moves:
        played = play(answer)
        yield Text(played.caption, "dim")
        yield moves_table(played.rows, played.tasks, played.cycle_from)


def solution(problem: Problem) -> RenderableType:
    """Every answer, whether it is right, why, and its schedule; a schedule that several have is shown once."""
    parts: list[RenderableType] = []
    shown: dict[tuple[str, ...], int] = {}
    for number, answer in enumerate(problem.answers, 1):
        parts.extend(("", verdict(answer, f"{number}  {clean(answer.words)}: ")))
        first = shown.setdefault((answer.design.name, *answer.moves), number)
        parts.extend(schedule(answer) if first == number else [Text(f"The moves are those of answer {first}.", "dim")])
    return Group(*parts)
