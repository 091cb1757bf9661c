"""``cowpath lesson``: short lessons and random problems, whose answers the explorer judges."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cowpath.atomic import check_outputs, check_target
from cowpath.cli.pages import Report, say
from cowpath.cli.progress import progress_bars
from cowpath.errors import InputError

if TYPE_CHECKING:
    from cowpath.again import Command as AgainCommand
    from cowpath.lessons import Explorer, Lesson, Problem

SHOWN, QUIT = "?", ("q", "quit")
Pose = Callable[["Explorer"], "Problem"]


def lesson(
    number: Annotated[
        str | None,
        typer.Argument(help="A lesson's number, or a file of your own (.toml). Default: list them.", metavar="[N]"),
    ] = None,
    random: Annotated[
        int | None,
        typer.Option("--random", help="A random problem: the same seed, the same problem.", metavar="SEED", min=0),
    ] = None,
    answers: Annotated[
        bool, typer.Option("--answers", help="Ask nothing: print every answer, judged, with its schedule.")
    ] = False,
    report: Report = None,
) -> None:
    """Learn by questions: who moves next, who waits for whom, which order is safe.

    No answer is stored: each is judged by visiting every state of a small machine, and a wrong one gets a schedule that
    shows why. Answers are read from standard input, a line each: a number, ? to be shown, q to end. With --report
    they are on the page, each in a fold; with --answers too the folds are open.

    Example: cowpath lesson 1
    """
    from cowpath import lessons

    if number is not None and random is not None:
        raise InputError(f"lesson {number} and a random problem", hint="one of them")
    if number is None and random is None:
        if answers or report is not None:
            raise InputError("of which lesson?", hint="cowpath lesson 1, or --random SEED")
        _list()
        return
    check_outputs([report], [number] if number else [])
    check_target(report)
    chosen = None if number is None else lessons.load(number)
    poses = list(_poses(chosen, random))
    if report is not None:
        _page(report, chosen, poses, again(number, random, answers).line(str(report)), answers)
        return
    if chosen is not None:
        from cowpath.lessons import show

        _print(*show.head(chosen))
    _solve_all(poses) if answers else _ask_all(poses)


def _poses(chosen: Lesson | None, seed: int | None) -> Iterator[tuple[str, Pose]]:
    """A title for each question, and what makes the problem."""
    from cowpath import lessons

    if chosen is None:
        assert seed is not None
        yield f"Problem {seed}", lambda explorer: lessons.problem(seed, explorer)
        return
    for at, question in enumerate(chosen.questions, 1):
        yield f"Question {at} of {len(chosen.questions)}", question.pose


def _posed(poses: Sequence[tuple[str, Pose]]) -> Iterator[tuple[str, Problem]]:
    """The problems, each explored when it is wanted, with a bar meanwhile."""
    from cowpath.kernel.compiled import announced
    from cowpath.lessons import Explorer

    explorer = Explorer()
    for at, (title, pose) in enumerate(poses):
        with progress_bars(None) as progress, announced(progress.compiling):
            tell = progress.checking()
            explorer.told = lambda what, step, at=at, tell=tell: tell(at, len(poses), what, step)
            problem = pose(explorer)
        yield title, problem


# --- in the terminal
def _ask_all(poses: Sequence[tuple[str, Pose]]) -> None:
    """Ask, until all are answered or nobody answers any more."""
    from cowpath.lessons import show

    at_once = 0
    for title, problem in _posed(poses):
        _print(*show.question(problem, title))
        tries = _ask(problem)
        if tries is None:
            return
        at_once += tries == 1
    typer.echo(f"\n{at_once} of {len(poses)} right at the first try.")


def _ask(problem: Problem) -> int | None:
    """Ask until an answer is right; how many were given, 0 if it was shown, None if nobody answers."""
    from cowpath.lessons import show

    tries = 0
    while (word := _line(len(problem.answers))) is not None:
        if word == SHOWN:
            _print(show.solution(problem))
            return 0
        tries += 1
        answer = problem.answers[int(word) - 1]
        _print(show.verdict(answer))
        if answer.right:
            return tries
        _print(*show.schedule(answer))
    return None


def _line(count: int) -> str | None:
    """A line that is an answer, or None at the end. What is piped in is shown, too."""
    while True:
        sys.stdout.write(f"\nYour answer (1 to {count}; {SHOWN} shows all, q ends): ")
        sys.stdout.flush()
        line = sys.stdin.readline() if sys.stdin is not None else ""
        word = line.strip()
        if not sys.stdin or not sys.stdin.isatty():
            typer.echo(word if word.isprintable() else "")
        if not line or word in QUIT:
            return None
        if word == SHOWN or (word.isdecimal() and 1 <= int(word) <= count):
            return word
        typer.echo(f"A number from 1 to {count}, {SHOWN} or q.")


def _solve_all(poses: Sequence[tuple[str, Pose]]) -> None:
    from cowpath.lessons import show

    for title, problem in _posed(poses):
        _print(*show.question(problem, title), show.solution(problem))


# --- other ways out
def _list() -> None:
    from cowpath import lessons
    from cowpath.lessons import show

    _print(show.lessons_table([lessons.load(str(each)) for each in range(1, len(lessons.names()) + 1)]))


def again(number: str | None, seed: int | None, answers: bool) -> AgainCommand:
    """What makes the page again."""
    from cowpath.again import Command

    options = ([] if seed is None else ["--random", str(seed)]) + ["--answers"] * answers
    return Command("lesson", tuple(options), number)


def _page(target: Path, chosen: Lesson | None, poses: Sequence[tuple[str, Pose]], command: str, solved: bool) -> None:
    from cowpath.report.lesson import write_lesson

    write_lesson(target, chosen, list(_posed(poses)), command, solved=solved)
    say(target)


def _print(*parts: Any) -> None:
    from cowpath.observe.terminal import Terminal

    console = Terminal()
    for part in parts:
        console.print(part)
