"""The kinds of questions: who moves next, who waits for whom, can it still finish, which is safe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cowpath.cases import Case
from cowpath.checker.explain import CaseScene, hops_of
from cowpath.checker.many import Job
from cowpath.checker.picture import Picture
from cowpath.checker.result import PROVED, VIOLATED, Result
from cowpath.designs import Design
from cowpath.engine import moves as m
from cowpath.observe.text import plural

from .ground import Ground
from .question import Answer, Explorer, NothingToAskError, Problem, Where
from .told import DISK, NOBODY, how_it_is, in_its_way, what_next


# --- who moves next
@dataclass(frozen=True)
class Next:
    """Who must move next, if it is to go wrong? Right: after that move the property can still be violated."""

    where: Where
    ask: str

    def pose(self, explorer: Explorer) -> Problem:
        """An answer for each mover that can move."""
        ground = explorer.ground(self.where.case, self.where.design, self.where.property)
        state = self.where.state(ground)
        picture = ground.picture(state)
        answers = [self._judge(ground, state, mover, picture) for mover in ground.moves(state)]
        ask = self.ask or f"Who moves next, so that {self.where.property} can still be violated?"
        return self.where.problem(ask, ground, state, answers)

    def _judge(self, ground: Ground, state: int, mover: int, picture: Picture) -> Answer:
        after = ground.moves(state)[mover]
        to_bad = ground.distances(ground.bad)
        right = bool(to_bad[after] >= 0)
        then = [mover, *(ground.way(after, to_bad) if right else ground.way_to_rest(after))]
        there = how_it_is(ground, [*ground.way_to(state), *then], bad=right)
        if right:
            why = f"{plural(len(then), 'move')} from here it has come to it. {there}"
        else:
            reach = plural(ground.reachable(after), "state")
            why = f"Then it cannot happen any more, in none of the {reach} that can still be reached. {there}"
        return self.where.answer(ground.names[mover], right, why, ground, state, then,
                                 what_next(picture, ground.names[mover], ground.design))  # fmt: skip


# --- who waits for whom
@dataclass(frozen=True)
class Waits:
    """What stands in a task's way now? Right is what the wait-for chain says."""

    where: Where
    ask: str
    task: str

    def pose(self, explorer: Explorer) -> Problem:
        """An answer for each other task and group, the disk, and nobody."""
        ground = explorer.ground(self.where.case, self.where.design, self.where.property)
        state = self.where.state(ground)
        task = self.where.task(ground, self.task)
        there = ground.stand(ground.way_to(state))
        chain = hops_of(there, CaseScene(there.k, ground.plan), task)
        truth = in_its_way(chain, able=task in ground.moves(state))
        if truth is None:
            raise self.where.nothing(f"what {self.task} waits for is nobody's")
        others = [name for name in ground.tasks if name != self.task]
        options = [*others, *(f"{group.name}'s memory" for group in self.where.case.groups), DISK, NOBODY]
        answers = [self._judge(ground, state, task, option, truth, str(chain)) for option in options]
        return self.where.problem(self.ask or f"For whom, or what, does {self.task} wait now?", ground, state, answers)

    def _judge(self, ground: Ground, state: int, task: int, option: str, truth: str, chain: str) -> Answer:
        said = f"{self.task} can move" if truth == NOBODY else chain
        if option == truth:
            return self.where.answer(option, True, f"{said}.", ground, state, [])
        without = m.DISK if option == DISK else ground.names.index(option) if option in ground.tasks else None
        goes_on = np.zeros(ground.states, bool)
        goes_on[ground.source[ground.mover == task]] = True
        distances = ground.distances(goes_on, without=without)
        then: list[int] = []
        why = f"{said[:1].upper()}{said[1:]}." if truth == NOBODY else f"{said}."
        tries = truth != NOBODY and task in ground.moves(state)  # awake, and charges in vain: a move is no way on
        if option != NOBODY and not tries and distances[state] >= 0:
            then = [*ground.way(state, distances, without=without), task]
            if without is not None:
                why += f" Here {self.task} goes on, and {option} has made no move meanwhile."
        return self.where.answer(option, False, why, ground, state, then)


# --- can it still end well
@dataclass(frozen=True)
class Finish:
    """Can what a task is doing still finish, if nothing comes from outside?"""

    where: Where
    ask: str
    task: str

    def pose(self, explorer: Explorer) -> Problem:
        """Yes and no."""
        ground = explorer.ground(self.where.case, self.where.design, self.where.property)
        state = self.where.state(ground)
        task = self.where.task(ground, self.task)
        goal = ground.goal_of(task)
        if goal[state]:
            raise self.where.nothing(f"{self.task} is in user mode, or waits for its own group's memory")
        to_goal, to_end = ground.distances(goal, outside=False), ground.distances(ground.ends, outside=False)
        can = bool(to_goal[state] >= 0)
        distances = to_goal if can else to_end
        then = ground.way(state, distances, outside=False) if distances[state] >= 0 else []
        if can:
            why = f"{plural(len(then), 'move')} from here {self.task} is done."
        else:
            reach = plural(ground.reachable(state, outside=False), "state")
            there = how_it_is(ground, [*ground.way_to(state), *then], bad=False)
            why = f"In none of the {reach} that can be reached from here is {self.task} done. {there}"
        judged = (("yes", can), ("no", not can))
        answers = [self.where.answer(word, right, why, ground, state, then) for word, right in judged]
        ask = self.ask or f"Can what {self.task} is doing still finish, if nothing comes from outside?"
        return self.where.problem(ask, ground, state, answers)


# --- which is safe
@dataclass(frozen=True)
class Safe:
    """Which of these designs violates none of the properties in none of the cases?"""

    cases: tuple[Case, ...]
    designs: tuple[Design, ...]
    properties: tuple[str, ...]
    ask: str
    shows_steps: bool  # of the first case's path

    def pose(self, explorer: Explorer) -> Problem:
        """An answer for each design."""
        answers = tuple(self._judge(explorer, design) for design in self.designs)
        words = f"{', '.join(case.name for case in self.cases)}; {', '.join(self.properties)}"
        if len({answer.right for answer in answers}) != 2:
            raise NothingToAskError(f"nothing to ask of {words}: every design is safe, or none")
        return Problem(self.ask or "Which of these is safe?", words, (), (), answers)

    def _judge(self, explorer: Explorer, design: Design) -> Answer:
        detail = " ".join(design.paths[self.cases[0].path]) if self.shows_steps else ""
        found = [(case, result) for case in self.cases for result in self._results(explorer, case, design)]
        for case, result in found:
            if result.verdict == VIOLATED:
                depth = plural(result.depth, "move")
                why = f"It violates {result.property} in {case.name}, after {depth}: {result.reason}."
                moves, cycle = tuple(result.schedule), tuple(result.cycle)
                return Answer(design.name, detail, False, why, moves, cycle, 0, case, design)
            if result.verdict != PROVED:
                raise NothingToAskError(f"{case.name} on {design.name} is {result.verdict}: {result.reason}")
        states = plural(max(result.states for _, result in found), "state")
        where = "this case" if len(self.cases) == 1 else f"these {len(self.cases)} cases"
        why = f"Proved in {where}: none of up to {states} violates it."
        return Answer(design.name, detail, True, why, (), (), 0, self.cases[0], design)

    def _results(self, explorer: Explorer, case: Case, design: Design) -> list[Result]:
        if not Job(design, case).applies:
            raise NothingToAskError(f"{case.name} is not about {design.name}")
        return explorer.check(case, design, self.properties)
