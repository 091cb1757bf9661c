"""What a question is, and what comes of it when it is posed: a problem, all of whose answers are judged.

Nothing of an answer is stored: the explorer finds what is right, and for each possible answer a schedule that shows
why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cowpath.cases import Case
from cowpath.cases.plan import compile_case
from cowpath.checker.check import Settings, check_case
from cowpath.checker.properties import find
from cowpath.checker.result import Result
from cowpath.checker.space import Step
from cowpath.designs import Design
from cowpath.engine import costs
from cowpath.errors import InputError
from cowpath.words import nearest

from .ground import Ground
from .told import labels, task_line

START, VIOLATED_NOW, FIRST_FORK, LAST_FORK, ASLEEP = "start", "violated", "first fork", "last fork", "asleep"


class NothingToAskError(InputError):
    """No question can be made of this: every answer would be right, or none, or there is no such moment."""


@dataclass(frozen=True)
class Answer:
    """A possible answer, judged. ``moves`` lead from the case's start through the question's situation."""

    words: str
    detail: str  #: More of it, in small print; or empty.
    right: bool
    why: str
    moves: tuple[str, ...]  #: Empty: a proof, which has no schedule.
    cycle: tuple[str, ...]  #: What then goes on for ever.
    since: int  #: So many of ``moves`` lead to the situation.
    case: Case
    design: Design


@dataclass(frozen=True)
class Problem:
    """A question, its situation, and all answers to it."""

    ask: str
    where: str  #: "commit on linux-3.0"
    came: tuple[str, ...]  #: The moves that lead to the situation.
    tasks: tuple[str, ...]  #: A line for each task in it.
    answers: tuple[Answer, ...]


class Explorer:
    """Explores each case on each design once. ``told`` hears what is explored, and how far that is."""

    def __init__(self, told: Callable[[str, Step], None] | None = None) -> None:
        self.told = told
        self._grounds: dict[tuple[str, str, str, str], Ground] = {}

    def ground(self, case: Case, design: Design, property_: str) -> Ground:
        """The states of a case on a design."""
        key = (case.name, case.text, design.name, property_)
        if key not in self._grounds:
            self._grounds[key] = Ground(case, design, property_, self._progress(f"{case.name} on {design.name}"))
        return self._grounds[key]

    def check(self, case: Case, design: Design, properties: Sequence[str]) -> list[Result]:
        """The results of ``cowpath check``."""
        progress = self._progress(f"{case.name} on {design.name}")
        settings = Settings(progress=None if progress is None else lambda _, step: progress(step))
        return check_case(compile_case(case), design, [find(name) for name in properties], costs.load(), settings)

    def _progress(self, what: str) -> Callable[[Step], None] | None:
        told = self.told
        return None if told is None else lambda step: told(what, step)


class Question(Protocol):
    """What a kind of question can do."""

    def pose(self, explorer: Explorer) -> Problem:
        """Explore, and judge every answer. Raises InputError where there is nothing to ask."""


@dataclass(frozen=True)
class Where:
    """A case on a design, a property, and a moment: START, VIOLATED_NOW, a fork, "asleep TASK", or a state's number."""

    case: Case
    design: Design
    property: str
    moment: str | int

    def state(self, ground: Ground) -> int:
        """The state of that moment. Raises InputError if there is none."""
        if isinstance(self.moment, int):
            return self.moment
        word, _, task = self.moment.partition(" ")
        state = 0 if self.moment == START else None
        if self.moment == VIOLATED_NOW:
            state = ground.nearest(ground.bad)
        elif self.moment in (FIRST_FORK, LAST_FORK):
            forks = ground.shortest_forks()
            state = forks[0 if self.moment == FIRST_FORK else -1] if forks else None
        elif word == ASLEEP:
            state = ground.nearest(ground.sleeps(self.task(ground, task)))
        if state is None:
            raise self.nothing(f"there is no moment {self.moment!r}")
        return state

    def task(self, ground: Ground, name: str) -> int:
        """A task's number. Raises InputError."""
        if name not in ground.tasks:
            hint = nearest(name, ground.tasks, "there are: " + ", ".join(ground.tasks))
            raise InputError(f"no task {name!r} in {self.case.name}", hint=hint)
        return ground.names.index(name)

    def words(self) -> str:
        """``commit on linux-3.0``."""
        return f"{self.case.name} on {self.design.name}"

    def nothing(self, why: str) -> NothingToAskError:
        """There is nothing to ask."""
        return NothingToAskError(f"nothing to ask of {self.words()} and {self.property}: {why}")

    def problem(self, ask: str, ground: Ground, state: int, answers: Sequence[Answer]) -> Problem:
        """The problem. Raises InputError if all answers are right, or none."""
        if len({answer.right for answer in answers}) != 2:
            raise self.nothing("every answer is right" if answers and answers[0].right else "no answer is right")
        tasks = tuple(task_line(task, self.design) for task in ground.picture(state).tasks if task.name in ground.tasks)
        return Problem(ask, self.words(), tuple(labels(ground, ground.way_to(state))), tasks, tuple(answers))

    def answer(self, words: str, right: bool, why: str, ground: Ground, state: int, then: list[int],
               detail: str = "") -> Answer:  # fmt: skip
        """An answer whose schedule leads to the situation and on."""
        moves = [*ground.way_to(state), *then]
        since = len(moves) - len(then)
        return Answer(words, detail, right, why, tuple(labels(ground, moves)), (), since, self.case, self.design)
