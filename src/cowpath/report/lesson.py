"""A lesson, or a random problem, as a page: each answer opens to what the explorer found. It needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cowpath.lessons.lesson import Lesson
from cowpath.lessons.played import play
from cowpath.lessons.question import Answer, Problem
from cowpath.lessons.show import LONGEST, paragraphs, situation
from cowpath.observe.text import clean

from .graph import graph_of, svg
from .html import render, write
from .steps import columns, table_rows


def write_lesson(
    target: Path, lesson: Lesson | None, posed: Sequence[tuple[str, Problem]], command: str, *, solved: bool
) -> None:
    """Write the page of a lesson's questions, or of one problem. ``solved``: all answers are open.

    Raises InputError where it cannot be written.
    """
    number = f"Lesson {lesson.number}: " if lesson is not None and lesson.number else ""
    title = posed[0][0] if lesson is None else f"{number}{clean(lesson.title, LONGEST)}"
    questions = [
        {
            "title": "" if lesson is None else name, "ask": problem.ask, "situation": situation(problem),
            "tasks": problem.tasks, "answers": [_answer(answer) for answer in problem.answers],
        }
        for name, problem in posed
    ]  # fmt: skip
    text = [] if lesson is None else paragraphs(lesson.text)
    write(target, render("lesson.html.j2", title=title, text=text, questions=questions, command=command, solved=solved))


def _answer(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = {
        "words": clean(answer.words), "detail": answer.detail, "right": answer.right, "why": answer.why, "moves": None,
    }  # fmt: skip
    if answer.moves:
        played = play(answer)
        waiting = "; ".join(str(chain) for chain in played.chains)
        cells = table_rows(played.rows, played.tasks)
        found["moves"] = {
            "caption": played.caption.rstrip(":"), "columns": columns(played.rows, played.tasks),
            "rows": list(zip([row.number for row in played.rows], cells, strict=True)),
            "cycle_from": played.cycle_from, "graph": svg(graph_of(played.chains), waiting) if waiting else "",
        }  # fmt: skip
    return found
