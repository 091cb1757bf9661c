"""``cowpath step CASE --explore``: any move of a small machine, chosen in a terminal or by a script on stdin."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cowpath.atomic import cannot_write, check_outputs
from cowpath.cli.progress import progress_bars
from cowpath.errors import InputError
from cowpath.observe.text import clean, plural, visible
from cowpath.words import nearest

if TYPE_CHECKING:
    from cowpath.checker.atlas import Move
    from cowpath.checker.walk import Walk
    from cowpath.designs import Design

PROMPT = "a move's number, or help > "
HELP = """\
N                   make move N of those that are listed
back [N]            take back the last move, or the last N
undo                as before what was done last
until CONDITION     a shortest way to a state in which it is so: nobody waits; TASK waits; TASK is gone; TASK is done;
                    TASK in STEP; TASK holds WORDS; GROUP is full; violated; violated PROPERTY
who                 who waits for whom, who holds what
walk                the moves so far
mark NAME, go NAME  keep this state; come back to it
path PATH           the steps of a path of the design, numbered
drop PATH STEP      what if the design had not this step: it is checked anew, and the walk goes on on it
swap PATH STEP STEP what if these two steps changed places
save FILE           the walk as a schedule that cowpath replay takes
help, quit"""


class Terminal:
    """A walk and the words that are typed. ``inputs``: files that are read, which nothing may be saved to."""

    def __init__(self, walk: Walk, properties: Sequence[str] | None, states: int, inputs: Sequence[str]) -> None:
        self.walk, self.properties, self.states, self.inputs = walk, properties, states, inputs
        self.words: dict[str, tuple[int, int, Callable[..., None]]] = {  # least and most words that belong to it
            "back": (0, 1, self.back), "undo": (0, 0, self.undo), "until": (1, 99, self.until), "who": (0, 0, self.who),
            "walk": (0, 0, self.tell_walk), "mark": (1, 1, self.mark), "go": (1, 1, self.go),
            "path": (1, 1, self.path), "drop": (2, 2, self.drop), "swap": (3, 3, self.swap), "save": (1, 1, self.save),
            "help": (0, 0, self.help),
        }  # fmt: skip

    def run(self) -> None:
        """Read and obey until the end. Raises InputError for what a script does that cannot be done."""
        interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self.tell()
        number = 0
        while True:
            number += 1
            try:
                line = input(PROMPT if interactive else "")
            except EOFError:
                return
            except UnicodeDecodeError:
                raise InputError("not UTF-8 text", file="-", line=number) from None
            if not interactive and line.strip():
                typer.echo(f"> {visible(line.strip())}")
            try:
                if not self.obey(line):
                    return
            except InputError as error:
                if not interactive:
                    raise InputError(error.problem, file="-", line=number, hint=error.hint) from None
                typer.echo(visible(f"{error}"))

    def obey(self, line: str) -> bool:
        """Do what a line says; False: quit. Raises InputError."""
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise InputError(f"cannot be read: {error}", hint="a quotation mark that is not closed") from None
        if not words:
            return True
        if words[0] in ("quit", "q"):
            return False
        if words[0].isascii() and words[0].isdecimal():
            self.walk.take(int(words[0]))
            self.tell()
            return True
        if words[0] not in self.words:
            known = ", ".join(self.words)
            raise InputError(
                f"no command {words[0]!r}", hint=nearest(words[0], self.words, f"a number, or {known}, quit")
            )
        least, most, act = self.words[words[0]]
        if not least <= len(words) - 1 <= most:
            many = str(least) if least == most else f"{least} to {most}"
            raise InputError(f"{words[0]} takes {many} words, not {len(words) - 1}", hint="help shows them")
        act(*words[1:])
        return True

    # --- what is typed
    def back(self, count: str = "1") -> None:
        """Some moves back."""
        if not (count.isascii() and count.isdecimal() and int(count)):
            raise InputError(f"{count!r} is no number of moves", hint="back 2")
        self.walk.back(int(count))
        self.tell()

    def undo(self) -> None:
        """As before."""
        self.walk.undo()
        self.tell()

    def until(self, *words: str) -> None:
        """A shortest way."""
        from cowpath.checker.conditions import condition

        wanted = condition(" ".join(words), self.walk.atlas)
        with progress_bars(None) as progress:
            tell = progress.looking()
            way = self.walk.until(wanted, told=lambda seen: tell(f"{seen:,} states"))
        if way is None:
            typer.echo(
                f"From here no state can be reached in which it is so: {wanted.text}. All of them were looked at."
            )
        elif not way:
            typer.echo(f"It is so already: {wanted.text}")
        else:
            for number, move in enumerate(way, len(self.walk.made) - len(way) + 1):
                typer.echo(f"{number:>4}  {named(move)}")
            self.tell()

    def who(self) -> None:
        """Who waits for whom, who holds what."""
        picture = self.walk.state.picture
        for task in picture.tasks:
            typer.echo(
                f"  {task.name}{f' in {task.group}' if task.group else ''} holds {', '.join(task.holds) or 'nothing'}"
            )
        for page in picture.pages:
            if page.owner or page.waiters:
                waiters = f"; waits for it: {', '.join(page.waiters)}" if page.waiters else ""
                typer.echo(f"  the page lock of {page.name}: {page.owner or 'nobody'}{waiters}")
        for lock in picture.locks:
            waiters = f"; waits for it: {', '.join(lock.waiters)}" if lock.waiters else ""
            typer.echo(f"  {lock.name}: {', '.join(lock.holders) or 'nobody'}{waiters}")
        for group in picture.groups:
            limit = "no limit" if group.limit is None else f"of {group.limit}"
            typer.echo(f"  {group.name}: {group.usage} {limit}, OOM killer {'on' if group.killer else 'off'}")
        self.waits()

    def waits(self) -> None:
        """Who waits for whom."""
        for chain in self.walk.state.picture.chains:
            typer.echo(str(chain))
        if not self.walk.state.picture.chains:
            typer.echo("Nobody waits for another, or for memory.")

    def tell_walk(self) -> None:
        """The moves so far."""
        for number, move in enumerate(self.walk.made, 1):
            typer.echo(f"{number:>4}  {named(move)}")

    def mark(self, name: str) -> None:
        """Keep this state."""
        self.walk.mark(name)
        typer.echo(f"{visible(name)}: the state after {plural(len(self.walk.made), 'move')}")

    def go(self, name: str) -> None:
        """To a bookmark."""
        self.walk.go(name)
        self.tell()

    def path(self, name: str) -> None:
        """A path's steps."""
        known = {path: steps for path, steps in self.walk.atlas.design.paths.items() if steps}
        if name not in known:
            raise InputError(f"no path {name!r}", hint=nearest(name, known, ", ".join(known)))
        typer.echo(", ".join(f"{at} {step}" for at, step in enumerate(known[name], 1)))

    def drop(self, path: str, step: str) -> None:
        """What if a step were left out."""
        from cowpath.checker import what_if

        self.change(what_if.drop(self.walk.atlas.design, path, step))

    def swap(self, path: str, first: str, second: str) -> None:
        """What if two steps were swapped."""
        from cowpath.checker import what_if

        self.change(what_if.swap(self.walk.atlas.design, path, first, second))

    def change(self, design: Design) -> None:
        """Check the design anew, and go on on it."""
        from cowpath import checking
        from cowpath.checker.show import results_table
        from cowpath.observe.terminal import Terminal as Console

        with progress_bars(None) as progress:
            progress.looking()("the design is checked anew")
            atlas, results = checking.what_if(self.walk.atlas.case, design, self.properties, self.states)
        Console().print(results_table(results))
        had = len(self.walk.made)
        self.walk.move_to(atlas)
        if len(self.walk.made) < had:
            typer.echo(
                f"Of the {plural(had, 'move')} of the walk the first {len(self.walk.made)} can be made on this design."
            )
        typer.echo(f"From here on: {clean(design.name, 200)}. undo goes back to the design before.")
        self.tell()

    def save(self, file: str) -> None:
        """The walk as a schedule."""
        from cowpath.checker import schedule

        check_outputs([file], self.inputs)
        try:
            schedule.write(Path(file), self.walk.schedule())
        except (OSError, ValueError) as error:
            raise cannot_write(Path(file), error) from None
        typer.echo(f"{visible(file)}: cowpath replay {visible(shlex.quote(file))} plays it")

    def help(self) -> None:
        """What can be typed."""
        typer.echo(HELP)

    # --- what is shown
    def tell(self) -> None:
        """The state: what the last move has done, each task, who waits for whom, what can be done next."""
        walk = self.walk
        if walk.made:
            move = walk.made[-1]
            typer.echo(f"\nmove {len(walk.made)}: {named(move)}")
            for words in move.did:
                typer.echo(f"  {words}")
        else:
            typer.echo("before the first move")
        for task in walk.state.picture.tasks:
            place = task.does
            if task.places:
                inner = task.places[-1]
                step = "its error exit" if inner.at < 0 else walk.atlas.design.paths[inner.path][inner.at]
                place = f"{inner.path}: {step}"
            group = f" in {task.group}" if task.group else ""
            typer.echo(f"  {task.name}{group}: {task.state}{f', next {place}' if place else ''}")
        self.waits()
        for name, reason in walk.state.violates:
            typer.echo(f"This state violates {name}: {reason}")
        for number, move in enumerate(walk.moves, 1):
            typer.echo(f"{number:>4}  {named(move)}")
        if not walk.moves:
            typer.echo("Nobody can move any more.")


def named(move: Move) -> str:
    """``attacker: file_cow: lock_page``."""
    return clean(move.name, 80) if move.name == move.does else f"{clean(move.name, 80)}: {clean(move.does, 80)}"
