"""The command line: one thin function per command.

Nothing here imports Numba or NumPy before a command needs them, so that ``--version`` and ``--help`` are fast.
"""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from cowpath import __version__
from cowpath.cli import (
    book,
    catalog,
    checks,
    costs,
    diagnose,
    examples,
    explore,
    groups,
    guide,
    lesson,
    limit,
    record,
    runs,
    schedules,
    search,
    step,
    sweeps,
    validate,
    warm,
    watch,
    ways,
)
from cowpath.cli.command import Command
from cowpath.cli.guard import GuardedGroup, guarded

OBJECTS_BETWEEN_COLLECTIONS = 500_000  # what is imported at the start makes many objects, and no garbage
EPILOG = """Exit status: 0 it ran, whatever the verdict; 1 the verdict that --fail-on names; 2 wrong input or usage;
3 not finished; 130 Ctrl-C."""

app = typer.Typer(
    cls=GuardedGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(f"cowpath {__version__}")
        raise typer.Exit


@app.callback()
def cowpath(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Show the version and exit.", callback=show_version, is_eager=True)
    ] = False,
) -> None:
    """A wind tunnel for Linux's page-fault path.

    Runs a shell session that sets up memory cgroups and starts real, recorded work on a simulated machine, on one
    design of the fault path or on several, and tells who stalls whom, for how long, and why.

    Try: cowpath compare examples/commit.sh --design linux-3.0 --design preallocate
    """


PLAY, PROVE, MACHINES, HERE = "Play", "Prove", "From real machines", "What there is"  # how --help groups them

app.command("run", cls=Command, rich_help_panel=PLAY)(runs.run)
app.command("compare", cls=Command, rich_help_panel=PLAY)(runs.compare)
app.command("costs", cls=Command, rich_help_panel=PLAY)(costs.costs)
app.command("step", cls=Command, rich_help_panel=PLAY)(step.step)
app.command("explore", cls=Command, rich_help_panel=PROVE)(explore.explore)
app.command("limit", cls=Command, rich_help_panel=PLAY)(limit.limit)
app.add_typer(sweeps.sweep_app, name="sweep", rich_help_panel=PLAY)
app.command("check", cls=Command, rich_help_panel=PROVE)(checks.check)
app.command("audit", cls=Command, rich_help_panel=PROVE)(checks.audit)
app.command("search", cls=Command, rich_help_panel=PROVE)(search.search)
app.command("replay", cls=Command, rich_help_panel=PROVE)(schedules.replay)
app.command("bisect", cls=Command, rich_help_panel=PROVE)(schedules.bisect)
app.add_typer(book.cases_app, name="cases", rich_help_panel=PROVE)
app.command("lesson", cls=Command, rich_help_panel=PROVE)(lesson.lesson)
app.command("record", cls=record.RecordCommand, rich_help_panel=MACHINES)(record.record)
app.command("import", cls=Command, rich_help_panel=MACHINES)(catalog.import_recording)
app.command("from-cgroup", cls=Command, rich_help_panel=MACHINES)(groups.from_cgroup)
app.command("explain-limits", cls=Command, rich_help_panel=MACHINES)(groups.explain_limits)
app.command("diagnose", cls=Command, rich_help_panel=MACHINES)(diagnose.diagnose)
app.command("watch", cls=Command, rich_help_panel=MACHINES)(watch.watch)
app.command("validate", cls=Command, rich_help_panel=MACHINES)(validate.validate)
app.add_typer(catalog.designs_app, name="designs", rich_help_panel=HERE)
app.command("kernels", cls=Command, rich_help_panel=HERE)(catalog.kernels)
app.command("examples", cls=Command, rich_help_panel=HERE)(examples.examples)
app.command("guide", cls=Command, rich_help_panel=HERE)(guide.guide)
app.command("programs", cls=Command, rich_help_panel=HERE)(catalog.programs)
app.command("warm-up", cls=Command, rich_help_panel=HERE)(warm.warm_up)


def main() -> None:
    """The console script."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Unicode must not end a run
    try:
        with ways.in_a_process_of_its_own(), guarded():
            app(prog_name="cowpath")
    finally:
        # CPython remembers a Ctrl-C that has passed through exec() of a text (as a data class is made), even if it was
        # caught, and "python -m" then ends as if nobody had; eval() of one makes it forget (findings/)
        eval("None")
        gc.freeze()  # to look for garbage in all that Numba has set up would be a third of a small run
