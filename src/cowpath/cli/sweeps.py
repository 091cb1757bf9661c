"""``cowpath sweep``: a session over a grid of values, and what its store holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from cowpath.cli import options as o
from cowpath.cli.command import Command
from cowpath.cli.guard import GuardedGroup
from cowpath.cli.notes import say_kernels
from cowpath.cli.pages import say
from cowpath.cli.played import NONE, Played, plays
from cowpath.cli.progress import Progress, progress_bars
from cowpath.observe.text import visible

if TYPE_CHECKING:
    from cowpath.sweeping import Points
    from cowpath.sweeps.packing import Packer
    from cowpath.sweeps.run import Tally

LISTS = ("-L", "--parameter-list")
PLAY = "run"  # what "cowpath sweep SESSION" is short for
MOST_SEEDS = 1_000_000


class SweepGroup(GuardedGroup):
    """``cowpath sweep SESSION`` is ``cowpath sweep run SESSION``."""

    short_for = PLAY

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What is no command of the group is a session, or an option before it."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [PLAY, *args]
        return super().parse_args(ctx, joined(args))


def joined(args: list[str]) -> list[str]:
    """``-L NAME VALUES`` as ``-L NAME=VALUES``: Typer has no option of two words that may be given many times."""
    made: list[str] = []
    words = iter(args)
    for word in words:
        made.append(word)
        if word == "--":
            return [*made, *words]
        if word in LISTS and (name := next(words, None)) is not None:
            values = None if "=" in name else next(words, None)
            made.append(name if values is None else f"{name}={values}")
    return made


sweep_app = typer.Typer(cls=SweepGroup, no_args_is_help=True)

Vary = Annotated[
    Optional[list[str]],  # noqa: UP045 - Typer reads it at run time
    typer.Option(
        "--vary",
        help="What takes which values; once for each. NAME: a group's file (A:memory.max), a variable of the session, "
        "$1, an argument of a program (make[1]), jobs (of recorded builds), an option (cpus, memory, swap, copies, "
        "...); NAME+NAME: both the same. VALUES: 1,2,4 or 32M..512M/16 (16 values) or 32M..512M/5log (by multiples).",
        metavar="NAME=VALUES",
    ),
]
List = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(*reversed(LISTS), help="The same, as in hyperfine: -L NAME 1,2,3.", metavar="NAME VALUES"),
]
Seeds = Annotated[
    int, typer.Option(help="Play everything with the seeds 0 ... N-1.", min=1, max=MOST_SEEDS, metavar="N")
]
StoreFile = Annotated[
    Path,
    typer.Option(
        "--store", help="The file that keeps every point (SQLite). The same command again plays what is missing.",
        metavar="FILE",
    ),
]  # fmt: skip
StoreArgument = Annotated[Path, typer.Argument(help="A sweep's store.", metavar="STORE")]
Processes = Annotated[
    int | None, typer.Option(help="So many processes play (default: one for each CPU).", min=1, max=1024)
]
Retry = Annotated[bool, typer.Option("--retry", help="Play again what has failed, too.")]
Yes = Annotated[bool, typer.Option("--yes", help="A million points are meant.")]
Which = Annotated[
    str | None, typer.Option("--sweep", help="Which, if the store holds several (default: used last).", metavar="ID")
]
Measures = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--measure", "-m", help="A figure: time, finished, held-up, longest-stall, kills, majors, ...; once for each.",
        metavar="NAME",
    ),
]  # fmt: skip


@sweep_app.callback()
def sweep() -> None:
    """Play a session over a grid of values and seeds: cowpath sweep SESSION --vary ... --store FILE.

    Every point is kept in the store as it ends, whole or not at all: after a crash, Ctrl-C or kill -9 the same command
    plays what is missing. A point that fails is kept with its error, and the others go on.

    Example: cowpath sweep examples/oom-off.sh --vary A:memory.limit_in_bytes=16M..64M/4 --seeds 3 --store points.sqlite
    """


@sweep_app.command(PLAY, cls=Command)
@plays
def play(
    session: o.Session,
    arguments: o.Arguments = None,
    vary: Vary = None,
    listed: List = None,
    store: StoreFile = Path("sweep.sqlite"),
    design: o.Designs = None,
    seeds: Seeds = 1,
    processes: Processes = None,
    cluster: o.ClusterAddress = None,
    retry: Retry = False,
    yes: Yes = False,
    played: Played = NONE,
    as_json: o.Json = False,
    steps: o.Steps = None,
) -> None:
    """Play what is missing of a grid (cowpath sweep SESSION is short for it).

    Without --design: on the kernel that fits the session.

    Example: cowpath sweep run examples/oom-off.sh --vary A:memory.limit_in_bytes=16M,32M,64M --seeds 3
    """
    from cowpath import sweeping
    from cowpath.sweeps.grid import grid_of

    options = sweeping.Options.of(**played, arguments=arguments)
    grid = grid_of([*(vary or []), *(listed or [])], (), seeds)
    players = sweeping.players_for(processes, cluster)
    with progress_bars(None) as progress:
        points = sweeping.sweep_grid(
            session, grid, design, options, store, players, retry=retry, yes=yes, told=teller(progress),
            ready=lambda packer: make_ready(packer, progress),
        )  # fmt: skip
    tally = points.tally
    assert tally is not None
    say_tally(store, tally)
    print_report(points, None, as_json)


def say_tally(store: Path, tally: Tally) -> None:
    """What was done, on stderr."""
    done = f"{tally.played:,} points played, {tally.failed:,} failed, {tally.before:,} were there"
    typer.echo(f"cowpath: {visible(str(store))}: {done}", err=True)


def make_ready(packer: Packer, progress: Progress) -> None:
    """What has to be compiled is, before several want it at once; and which kernels are played is said."""
    from cowpath import api
    from cowpath.engine.ready import ready

    say_kernels(list(packer.designs.values()))
    work = packer.work(packer.setting(next(packer.grid.combinations())))
    design = next(iter(packer.designs.values()))
    ready(api.build_machine(work.plan.on(design), design, work.options, work.costs), progress.compiling)


def teller(progress: Progress) -> Any:
    """How far a sweep is."""
    bar: Any = None

    def told(there: int, failed: int, total: int) -> None:
        nonlocal bar
        bar = bar or progress.many(total)
        bar(there, f"{failed:,} failed" if failed else "points")

    return told


@sweep_app.command("show", cls=Command)
def show(store: StoreArgument, sweep: Which = None, measure: Measures = None, as_json: o.Json = False) -> None:
    """Show a sweep: a line for each combination of values, with what became of its seeds.

    Example: cowpath sweep show points.sqlite --measure time --measure kills
    """
    from cowpath import sweeping

    print_report(sweeping.points(store, sweep), measure, as_json)


def print_report(points: Points, measure: list[str] | None, as_json: bool) -> None:
    """The table, or the object."""
    from cowpath.sweeps import measures
    from cowpath.sweeps.show import as_json as told
    from cowpath.sweeps.show import report

    wanted = [measures.find(name) for name in dict.fromkeys(measure or ())]
    if as_json:
        typer.echo(json.dumps(told(points.sweep, points), indent=2))
        return
    from cowpath.observe.terminal import Terminal

    console = Terminal()
    for part in report(points.sweep, points, wanted):
        console.print(part)


@sweep_app.command("plot", cls=Command)
def plot(
    store: StoreArgument,
    page: Annotated[Path, typer.Argument(help="The page to write: one HTML file.", metavar="FILE.html")],
    sweep: Which = None,
    measure: Measures = None,
    x: Annotated[str | None, typer.Option("--x", help="What is on the axis (default: what takes the most numbers).",
                                          metavar="NAME")] = None,
) -> None:  # fmt: skip
    """Draw a sweep on one page: curves with their spread, a heat map where two names are varied, and the table.

    Example: cowpath sweep plot points.sqlite points.html --measure longest-stall
    """
    import shlex

    from cowpath import sweeping
    from cowpath.atomic import check_outputs, check_target
    from cowpath.report.sweep import write
    from cowpath.sweeps import measures
    from cowpath.sweeps.plot import page_of

    check_outputs([page], [store])
    check_target(page)
    names = list(dict.fromkeys(measure or (measures.DEFAULT, "longest-stall")))
    points = sweeping.points(store, sweep)
    words = ["cowpath", "sweep", "plot", str(store), str(page), *(["--x", x] if x else [])]
    words += [word for name in names for word in ("--measure", name)]
    write(page, page_of(points.sweep, points, [measures.find(name) for name in names], x, shlex.join(words)))
    say(page)


@sweep_app.command("export", cls=Command)
def export(
    store: StoreArgument,
    file: Annotated[Path, typer.Argument(help="FILE.parquet, FILE.csv or FILE.jsonl.", metavar="FILE")],
    sweep: Which = None,
) -> None:
    """Write a sweep's points to a file, a row each; .jsonl has the whole run of each (docs/json.md).

    Example: cowpath sweep export points.sqlite points.parquet
    """
    from cowpath import sweeping
    from cowpath.atomic import check_outputs
    from cowpath.sweeps.export import write

    check_outputs([file], [store])
    points = sweeping.points(store, sweep)
    write(file, points.sweep, points)
