"""``cowpath step``: one kernel step at a time."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cowpath.cli import options as o
from cowpath.cli.checks import Properties
from cowpath.cli.notes import say_kernels, say_notes
from cowpath.cli.progress import Progress
from cowpath.errors import InputError, MachineError
from cowpath.observe.text import clean
from cowpath.words import nearest

if TYPE_CHECKING:
    from cowpath.designs import Design
    from cowpath.observe.walk import Move
    from cowpath.options import Options
    from cowpath.session.plan import Plan

SHORTEST_NS = 100_000  # of the machine's time that is run at once; more while nothing of interest happens
LONGEST_NS = 10_000_000
NOT_INTERACTIVE = 20  # steps that are shown where nobody can press Enter
PROMPT = "Enter: next, a number: so many steps, q: quit > "


def step(
    context: typer.Context,
    session: Annotated[
        Path,
        typer.Argument(
            help="The session, as cowpath run takes it; with --explore a case, or a saved schedule.",
            autocompletion=o.names_of(o.examples),
        ),
    ],
    design: o.Design = None,
    start: Annotated[str, typer.Option("--from", help="Begin at this time of the machine: 5ms.", metavar="TIME")] = "0",
    count: Annotated[int | None, typer.Option(help="Show so many steps, and stop.", min=1)] = None,
    task: Annotated[
        str | None, typer.Option(help="Show only this task's steps: its number or its name.", metavar="TASK")
    ] = None,
    cpus: o.Cpus = None,
    memory: o.Memory = None,
    swap: o.Swap = None,
    tasks: o.Tasks = None,
    seed: o.Seed = 0,
    table: o.Table = None,
    program: o.Program = None,
    steps: o.Steps = None,
    explore: Annotated[
        bool, typer.Option("--explore", help="SESSION is a case, or a saved schedule: choose any move in each state.")
    ] = False,
    property_: Properties = None,
) -> None:
    """Go through a session one kernel step at a time: who moves, which step, what it held and got.

    Example: cowpath step examples/commit.sh --from 2s --task cc1

    With --explore, through a small case, in which you choose who moves: type help. It obeys a script on stdin too.

    Example: cowpath step commit --explore --design linux-3.0
    """
    check_together(context, explore)
    if explore:
        explore_case(str(session), design, property_)
        return
    session = o.example_or_file(session) or session
    from cowpath import api
    from cowpath.observe.walk import is_task
    from cowpath.units import parse_time

    chosen = api.Options.of(memory, None, None, swap, cpus=cpus, tasks=tasks, seed=seed, table=table, programs=program)
    loaded, plan = api.load_both(design, session, chosen)
    say_notes(plan.notes)
    say_kernels([loaded])
    if task is not None:
        check_task(task, plan)
    moves = walk(plan, loaded, chosen, parse_time(start))
    wanted = moves if task is None else (move for move in moves if is_task(move, task))
    interactive = count is None and sys.stdin.isatty() and sys.stdout.isatty()
    shown = show(wanted, count or (1 if interactive else NOT_INTERACTIVE), interactive)
    if not shown and task is not None and task.isdecimal():
        raise InputError(
            f"no step of a task of number {task}, from {start} on", hint="a number, a name, or NAME[NUMBER]"
        )
    if not shown:
        typer.echo(f"No step{'' if task is None else f' of {task}'} from {start} on.")


WITH_EXPLORE = {"session", "design", "steps", "explore", "property_"}


def check_together(context: typer.Context, explore: bool) -> None:
    """Raise InputError for an option that says nothing with --explore, or without it."""
    for param in context.command.params:
        given = getattr(context.get_parameter_source(param.name or ""), "name", "") == "COMMANDLINE"
        if given and explore and param.name not in WITH_EXPLORE:
            raise InputError(f"{param.opts[0]} is of a session, and with --explore it is a case that is gone through")
        if given and not explore and param.name == "property_":
            raise InputError("--property is for --explore", hint="cowpath step CASE --explore --property isolation")


def explore_case(name: str, design: str | None, properties: list[str] | None) -> None:
    """A walk through a case, as somebody chooses."""
    from cowpath import checking
    from cowpath.cli.explore_terminal import Terminal
    from cowpath.kernel.compiled import announced

    with announced(Progress().compiling):
        checking.load_properties(properties)
        walk = checking.explore(name, design)
    say_kernels([walk.atlas.design])
    Terminal(walk, properties, checking.CHECKED_AGAIN, [name, *checking.files_of(design, (), properties)]).run()


def check_task(task: str, plan: Plan) -> None:
    """Raise InputError if no task of the session will ever bear that name."""
    name = re.sub(r"\[[0-9]+\]$", "", task)
    names = [clean(comm) for comm in plan.comms]
    if name not in names and not task.isdecimal():
        raise InputError(f"no task of the session is called {task!r}", hint=slip_or_all(name, names))


def slip_or_all(name: str, names: list[str]) -> str:
    """What may have been meant: a name that is near, or what names there are."""
    return nearest(name, names) or "there are: " + ", ".join(sorted(set(names)))


def show(moves: Iterator[Move], count: int, interactive: bool) -> int:
    """Print moves, and ask after each lot how many more; returns how many there were."""
    shown = 0
    while count:
        for _ in range(count):
            move = next(moves, None)
            if move is None:
                return shown
            typer.echo(move.words())
            shown += 1
        count = ask() if interactive else 0
    return shown


def ask() -> int:
    """How many steps to go on; 0 to quit."""
    while True:
        try:
            answer = input(PROMPT).strip()
        except EOFError:
            return 0
        if answer in ("q", "quit"):
            return 0
        if answer.isdigit() and int(answer):
            return int(answer)
        if not answer:
            return 1
        typer.echo("Press Enter, or type a number or q.")


def walk(plan: Plan, design: Design, options: Options, start_ns: int) -> Iterator[Move]:
    """The machine's steps from a time on; it is run only as far as somebody looks."""
    from cowpath.api import build_machine, make_clock
    from cowpath.engine.ready import ready
    from cowpath.kernel import names as n
    from cowpath.observe.walk import Walker
    from cowpath.observe.watch import EVERYTHING, mask_of
    from cowpath.observe.who import Tracker

    plan = plan.on(design)
    k = build_machine(plan, design, options)
    ready(k, Progress().compiling)
    tracker, walker = Tracker([s.comm for s in plan.starts], plan.kthreads), Walker(plan)
    moves: list[Move] = []

    def on_events(events: Any) -> None:
        moves.extend(walker.moves(events, tracker.attribute(events)))

    clock = make_clock(k, plan, design, on_events)
    k.books.log_mask = mask_of(EVERYTHING)
    ending = clock.run(start_ns) if start_ns else None
    k.books.log_mask = mask_of({*EVERYTHING, n.EV_STEP})
    at, length = start_ns, SHORTEST_NS
    while ending is None or ending.reason == "until":
        at += length
        ending = clock.run(at)
        length = SHORTEST_NS if moves else min(2 * length, LONGEST_NS)
        yield from moves
        moves.clear()
    if ending.exhausted is not None:
        raise MachineError(f"{ending.exhausted} ({ending.exhausted.hint})")
