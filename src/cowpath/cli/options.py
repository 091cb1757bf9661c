"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from cowpath.cli.complete import designs, examples, names_of
from cowpath.errors import InputError
from cowpath.kernels import DEFAULT


def example_or_file(session: Path | None) -> Path | None:
    """A name of an example stands for its file."""
    from cowpath.examples import found

    if session is None:
        return None
    try:
        return found(session)
    except InputError as error:
        from cowpath.api import misplaced

        raise misplaced(str(session)) or error from None


Session = Annotated[
    Path,
    typer.Argument(
        help="The session: a shell script, a pod or a compose file (.yaml), or a unit (.service); - for standard "
        "input; or an example by its name: commit (cowpath examples lists them).",
        callback=example_or_file, autocompletion=names_of(examples),
    ),
]  # fmt: skip
Arguments = Annotated[
    Optional[list[str]],  # noqa: UP045 - Typer reads it at run time
    typer.Argument(metavar="ARG", help="The session's own arguments: $1, $2, ...; behind -- if one begins with -."),
]
Env = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--env", metavar="NAME[=VALUE]",
        help="A variable that the session finds; without a value as it is here. Once for each.",
    ),
]  # fmt: skip
Program = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--program", metavar="NAME=RECORDING",
        help="What a name stands for: a recording, a written program (FILE.prog), or a known program (app=make). Once "
        "for each.",
    ),
]  # fmt: skip
Table = Annotated[
    Path | None, typer.Option("--table", help="The session's table, if it is not beside it.", metavar="FILE.toml")
]
Design = Annotated[
    str | None,
    typer.Option(
        "--design", "-d",
        help=f"A kernel or a packaged design (cowpath designs), or a TOML file. Default: {DEFAULT}; for a session with "
        "names of cgroup v2 the newest kernel.",
        autocompletion=names_of(designs),
    ),
]  # fmt: skip
Designs = Annotated[
    Optional[list[str]],  # noqa: UP045 - Typer reads it at run time
    typer.Option(
        "--design", "-d",
        help="A packaged design or a TOML file; give it once for each. Default: all packaged; to compare a session, "
        "those of kernels whose newest cgroups are of its version.",
        autocompletion=names_of(designs),
    ),
]  # fmt: skip
Cpus = Annotated[int | None, typer.Option(help="CPUs of the machine.", min=1, max=32)]
Memory = Annotated[str | None, typer.Option(help="Memory of the machine: 2G.", metavar="SIZE")]
Swap = Annotated[str | None, typer.Option(help="Swap space of the machine: 256M (default: none).", metavar="SIZE")]
Tasks = Annotated[
    int | None, typer.Option(help="So many tasks there may be (default: what Linux makes of the memory's size).", min=1)
]
Seed = Annotated[int, typer.Option(help="Decides every tie; the same seed gives the same run.", min=0)]
Until = Annotated[str | None, typer.Option(help="Stop after this much of the machine's time: 30s.", metavar="TIME")]
Costs = Annotated[
    Path | None,
    typer.Option(help="A cost table: slow-vm (default), bare, micro-vm, emulator, or a TOML file.", metavar="TOML"),
]
Reuse = Annotated[
    float | None,
    typer.Option(help="How often a recorded process comes back to its pages, per recorded touch.", min=0.0),
]
Copies = Annotated[int | None, typer.Option(help="Run every job of a recorded build this many times.", min=1)]
Cold = Annotated[
    bool | None,
    typer.Option("--cold/--warm", help="Start with nothing in the page cache (default: as the session says)."),
]
Bystanders = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--bystander", help="A program outside every group; many times for many.", metavar="PROGRAM"),
]
Trace = Annotated[Path | None, typer.Option(help="Write a trace for ui.perfetto.dev to this file.", metavar="PFTRACE")]
Ftrace = Annotated[
    Path | None,
    typer.Option(
        help="Write what ftrace would have recorded: FILE.dat for trace-cmd and KernelShark, else its text.",
        metavar="FILE",
    ),
]
Metrics = Annotated[
    Path | None,
    typer.Option(help="Write the groups' figures over time, for Prometheus and Grafana (OpenMetrics).", metavar="PROM"),
]


def load_steps(files: list[Path] | None) -> list[Path] | None:
    """Load them before a command imports what they are to be part of."""
    if files:
        from cowpath.kernel import own

        own.use(*files)
    return files


Steps = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option(
        "--steps", help="Steps and locks of your own (docs/steps.md); many times for many.", metavar="FILE.py",
        callback=load_steps, is_eager=True,
    ),
]  # fmt: skip
Interpreted = Annotated[
    bool | None,
    typer.Option(
        "--interpreted/--compiled",
        help="Run the model in plain Python: at once, and slower; or compiled: half a minute after a change of the "
        "kernel. Default: what is done first.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object (docs/json.md).")]
ClusterAddress = Annotated[
    str | None,
    typer.Option("--cluster", help="Play on this Dask cluster: the address that dask scheduler prints.",
                 metavar="tcp://HOST:PORT"),
]  # fmt: skip
FailOn = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        help="Exit with 1 if a verdict is one of these: stuck, stalled (or stuck), killed, live-locked, waits. Several "
        "with commas, or once for each.",
        metavar="VERDICT",
    ),
]
