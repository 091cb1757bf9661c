"""``cowpath designs``, ``kernels``, ``programs`` and ``import``: what there is, and adding to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cowpath.cli import options as o
from cowpath.cli.command import Command
from cowpath.cli.complete import designs as packaged
from cowpath.cli.complete import names_of
from cowpath.cli.guard import GuardedGroup
from cowpath.cli.notes import say_notes

if TYPE_CHECKING:
    from cowpath.kernels.profile import Kernel

Name = Annotated[
    str,
    typer.Argument(
        help="A kernel, a packaged design, or a TOML file.", metavar="DESIGN", autocompletion=names_of(packaged)
    ),
]

designs_app = typer.Typer(cls=GuardedGroup, invoke_without_command=True)


@designs_app.callback()
def designs(context: typer.Context) -> None:
    """List, show and compare the designs of the fault path.

    Example: cowpath designs diff linux-3.0 preallocate
    """
    if context.invoked_subcommand is None:
        list_designs()


@designs_app.command("list", cls=Command)
def list_designs() -> None:
    """List the kernels and the packaged designs.

    Example: cowpath designs list
    """
    from cowpath import designs

    show([(name, designs.load(name).summary) for name in designs.names()])


@designs_app.command("show", cls=Command)
def show_design(name: Name) -> None:
    """Show a design: its kernel, commit, policies, the steps of its paths, and what each stands for in that release.

    "not seen": nobody has looked for that step in the source of that release.

    Example: cowpath designs show preallocate
    """
    from cowpath import designs
    from cowpath.kernels.provenance import stands_for, steps_of
    from cowpath.observe.text import visible

    design = designs.load(name)
    typer.echo(visible(f"{design.name}: {design.summary}"))
    typer.echo(visible("\n".join(designs.kernel_lines([design]))))
    say_notes(designs.notes_of([design]))
    if design.commit:
        typer.echo(visible(f"commit {design.commit}"))
    for title, rows in (
        ("policies", [(policy, str(value)) for policy, value in design.policies.items()]),
        ("paths", [(path, " ".join(steps) or "-") for path, steps in design.paths.items()]),
        ("error exits", [(path, " ".join(steps)) for path, steps in design.on_error.items()]),
        (
            f"steps, and what they stand for in {_source(design.kernel)}",
            [(step, stands_for(step, design.kernel)) for step in steps_of(design.paths)],
        ),
    ):
        if not rows:
            continue
        typer.echo(f"\n{title}:")
        show(rows, indent=2)


def _source(kernel: Kernel) -> str:
    """Whose functions the steps stand for."""
    return f"Linux {kernel.order_of}" if kernel.order_of else kernel.name


@designs_app.command("diff", cls=Command)
def diff_designs(first: Name, second: Name) -> None:
    """Show in what two designs differ.

    Example: cowpath designs diff linux-3.0 preallocate
    """
    from cowpath import designs
    from cowpath.observe.terminal import Hanging, Terminal
    from cowpath.observe.text import visible

    difference = designs.diff(designs.load(first), designs.load(second))
    Terminal().print(*(Hanging(visible(line)) for line in difference or ["They do the same."]))


def kernels(as_json: o.Json = False) -> None:
    """List the kernels: release, cgroup interface, what is missing in each, and what nobody has looked at.

    A kernel is a profile of one release: all paths and policies. run, check and the others take one with --design;
    designs extend one. Without --design a session with names of cgroup v1 runs on linux-3.0, one with names of v2 on
    the newest kernel; every result says which it was, and why. "missing" is what the release does and the profile does
    not; "not seen" is what a profile does without anybody having looked whether the release does.

    Example: cowpath kernels
    """
    from cowpath.kernels import listing
    from cowpath.observe.terminal import Hanging, Terminal
    from cowpath.observe.text import visible

    if as_json:
        typer.echo(json.dumps(listing.as_json(), indent=2))
        return
    console = Terminal()
    for line in listing.lines():
        console.print(Hanging(visible(line)))


def programs(
    session: Annotated[
        Path | None, typer.Argument(help="List the programs of this session, with those of its own table.")
    ] = None,
    table: o.Table = None,
) -> None:
    """List the programs that a session can run.

    Example: cowpath programs examples/commit.sh
    """
    from cowpath.session.load import list_programs

    show([(program.name, program.kind, program.about) for program in list_programs(session, table)])


def import_recording(
    source: Annotated[Path, typer.Argument(help="What was recorded: a file, or a folder of tables.", metavar="FILE")],
    out: Annotated[Path, typer.Argument(help="The recording to write.")],
) -> None:
    """Turn what was recorded of real processes into a program that sessions can run.

    FILE is perf.data, the text of perf script, of trace-cmd report, of ftrace's trace or of valgrind --tool=lackey
    --trace-mem=yes, a trace of libCacheSim's (oracleGeneral, also compressed by zstd), or a folder of tables: its
    content says which. What was found is said, what is missing, and what the model takes instead; and of a file that
    can't be imported, what it seems to be and which command reads it.

    Example: cowpath import build.txt build.recording
    """
    from cowpath.atomic import check_outputs, check_target
    from cowpath.cli.progress import reading_bar
    from cowpath.observe.text import visible
    from cowpath.programs import recording
    from cowpath.programs.importer import import_recording as imported
    from cowpath.programs.reading.account import told

    check_outputs([out], [source])
    check_target(out)
    read = imported(source, opened=reading_bar)
    recording.write(read, out)
    for line in told(read.origin):
        typer.echo(visible(line))
    typer.echo(visible(f"{out}: {out.stat().st_size:,} bytes"))


def show(rows: Sequence[Sequence[str]], indent: int = 0) -> None:
    """A list in columns."""
    from rich.padding import Padding

    from cowpath.observe.terminal import Fitted, Terminal
    from cowpath.observe.text import visible

    if not rows:
        return
    table = Fitted(*[""] * len(rows[0]))
    for row in rows:
        table.add_row(*map(visible, row))
    Terminal().print(Padding(table, (0, 0, 0, indent), expand=False))
