"""``cowpath lesson``: short lessons and random problems, whose answers the explorer judges."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cowpath.atomic import cannot_write, check_outputs, check_target
from cowpath.cli.pages import Report, say
from cowpath.cli.progress import progress_bars
from cowpath.errors import InputError
from cowpath.observe.text import visible

if TYPE_CHECKING:
    from cowpath.again import Command as AgainCommand
    from cowpath.lessons import Answer, Explorer, Lesson, Problem

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
    save: Annotated[
        Path | None,
        typer.Option(help="Write the schedule of the last wrong answer to this file, for replay.", metavar="FILE"),
    ] = None,
) -> None:
    """Learn by questions: who moves next, who waits for whom, which order is safe.

    No answer is stored: each is judged by visiting every state of a small machine, and a wrong one gets a schedule that
    shows why. Answers are read from standard input, a line each: a number, ? to be shown, q to end. With --report
    they are on the page, each in a fold; with --answers too the folds are open.

    Example: cowpath lesson 1
    """
    from cowpath import lessons

    if number is None and random is None and not answers and report is None and save is None:
        _list()
        return
    _check_words(number, random, report, save)
    chosen = None if number is None else lessons.load(number)
    poses = list(_poses(chosen, random))
    if report is not None:
        _page(report, chosen, poses, again(number, random, answers).line(str(report)), answers)
        return
    if chosen is not None:
        from cowpath.lessons import show

        _print(*show.head(chosen))
    wrong = _solve_all(poses) if answers else _ask_all(poses)
    if save is not None:
        _save(save, wrong)


def _check_words(number: str | None, random: int | None, report: Path | None, save: Path | None) -> None:
    """Raise InputError for what does not go together, and for a file that cannot be written."""
    if number is None and random is None:
        raise InputError("of which lesson?", hint="cowpath lesson 1, or --random SEED")
    if number is not None and random is not None:
        raise InputError(f"lesson {number} and a random problem", hint="one of them")
    if report is not None and save is not None:
        raise InputError("--save with --report: of which answer?", hint="one of them")
    check_outputs([report, save], [number] if number else [])
    check_target(report)
    check_target(save)


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


# --- in the terminal; what is returned is the last wrong answer
def _ask_all(poses: Sequence[tuple[str, Pose]]) -> Answer | None:
    """Ask, until all are answered or nobody answers any more."""
    from cowpath.lessons import show

    at_once, wrong = 0, None
    for title, problem in _posed(poses):
        _print(*show.question(problem, title))
        done, given = _ask(problem)
        wrong = next((answer for answer in reversed(given) if not answer.right), wrong)
        if not done:
            return wrong
        at_once += len(given) == 1 and given[0].right
    typer.echo(f"\n{at_once} of {len(poses)} right at the first try.")
    return wrong


def _ask(problem: Problem) -> tuple[bool, list[Answer]]:
    """Ask until an answer is right or all are shown; whether it came to that, and the answers that were given."""
    from cowpath.lessons import show

    given: list[Answer] = []
    while (word := _line(len(problem.answers))) is not None:
        if word == SHOWN:
            _print(show.solution(problem))
            return True, given
        answer = problem.answers[int(word) - 1]
        given.append(answer)
        _print(show.verdict(answer))
        if answer.right:
            return True, given
        _print(*show.schedule(answer))
    return False, given


def _line(count: int) -> str | None:
    """A line that is an answer, or None at the end. What is piped in is shown, too."""
    while True:
        sys.stdout.write(f"\nYour answer (1 to {count}; {SHOWN} shows all, q ends): ")
        sys.stdout.flush()
        line = _read_line()
        word = line.strip()
        if sys.stdin is None or not sys.stdin.isatty():
            typer.echo(visible(word))
        if not line or word in QUIT:
            return None
        if word in (SHOWN, *map(str, range(1, count + 1))):
            return word
        typer.echo(f"A number from 1 to {count}, {SHOWN} or q.")


def _read_line() -> str:
    """A line of standard input; "" at its end. Raises InputError for what is no text."""
    try:
        return "" if sys.stdin is None else sys.stdin.readline()
    except UnicodeDecodeError:
        raise InputError("standard input is not UTF-8 text", hint="an answer a line: 1") from None


def _solve_all(poses: Sequence[tuple[str, Pose]]) -> Answer | None:
    from cowpath.lessons import show

    wrong = None
    for title, problem in _posed(poses):
        _print(*show.question(problem, title), show.solution(problem))
        wrong = next((answer for answer in reversed(problem.answers) if not answer.right), wrong)
    return wrong


# --- other ways out
def _save(target: Path, wrong: Answer | None) -> None:
    from cowpath.checker import schedule

    if wrong is None:
        typer.echo(f"cowpath: no answer was wrong: {visible(str(target))} was not written", err=True)
        return
    try:
        content = schedule.content(wrong.design, wrong.case, wrong.moves, reason=wrong.why, cycle=wrong.cycle)
        schedule.write(target, content)
    except OSError as error:
        raise cannot_write(target, error) from None


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
