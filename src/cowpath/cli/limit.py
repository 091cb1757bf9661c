"""``cowpath limit``: how much memory a job needs."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cowpath import __version__
from cowpath.cli import options as o
from cowpath.cli.pages import Report, say
from cowpath.cli.played import NONE, Played, plays
from cowpath.cli.progress import progress_bars
from cowpath.cli.sweeps import Processes, make_ready

if TYPE_CHECKING:
    from cowpath.sweeping import Limits
    from cowpath.sweeps.packing import Packer

Group = Annotated[str, typer.Option("--group", "-g", help="The group whose limit is looked for.", metavar="GROUP")]
Seeds = Annotated[int, typer.Option(help="A limit counts if the job completes with all of them.", min=1, max=1000)]
Slower = Annotated[
    float, typer.Option(help="How much more time is hardly more, in percent.", min=0.0, max=1000.0, metavar="PERCENT")
]
StoreFile = Annotated[
    Path | None,
    typer.Option("--store", help="Keep what is played in this file; the same command goes on there.", metavar="FILE"),
]


@plays
def limit(
    session: o.Session,
    arguments: o.Arguments = None,
    group: Group = "A",
    design: o.Design = None,
    seeds: Seeds = 20,
    slower: Slower = 5.0,
    store: StoreFile = None,
    report: Report = None,
    processes: Processes = None,
    cluster: o.ClusterAddress = None,
    played: Played = NONE,
    as_json: o.Json = False,
    steps: o.Steps = None,
) -> None:
    """Find out how much memory the job of a group needs: the smallest limit at which it completes, whatever the seed.

    Without a limit first; then by bisection over memory.max (or v1's file); then, with all seeds, around that place: up
    until nothing fails, down until nothing completes. In between it is luck, and that is said. A run is cut at three
    times the time without a limit. A first answer, with 5 seeds, comes on stderr.

    Prints the limits that were tried, what they come to, how sure that is, and lines to paste for cgset, systemd,
    docker and Kubernetes.

    Example: cowpath limit examples/build.sh --group A --seeds 5
    """
    from cowpath import sweeping
    from cowpath.atomic import check_outputs, check_target

    options = sweeping.Options.of(**played, arguments=arguments)
    check_outputs([report, store], [session])
    check_target(report)

    def begin(packer: Packer) -> None:
        plan = packer.work(packer.setting(next(packer.grid.combinations()))).plan
        check_outputs([report, store], [path for path, _ in plan.sources])
        make_ready(packer, progress)

    with progress_bars(None) as progress:
        found = sweeping.limits_of(
            session, group, design, options, sweeping.players_for(processes, cluster), seeds=seeds, slower=slower / 100,
            store=store, told=progress.looking(), first=say_first, ready=begin,
        )  # fmt: skip
    if report is not None:
        from cowpath.report.sweep import write
        from cowpath.sweeps.limit_page import page_of

        words = options.command("limit", str(session), [found.design.name])
        again = words.line(str(report)) + " " + shlex.join(["--group", group, "--seeds", str(seeds)])
        write(report, page_of(found, again))
    say(report)
    if as_json:
        typer.echo(json.dumps(told(found), indent=2))
    else:
        show(found)


def say_first(found: Limits) -> None:
    """The answer of a few seeds, on stderr: all seeds take some minutes."""
    from cowpath.sweeps.advice import shown

    typer.echo(f"cowpath: a first answer, with {found.answer.seeds} seeds: {shown(found.limit)}", err=True)


def show(found: Limits) -> None:
    """The table, the sentences, and the lines to paste."""
    from cowpath.observe.terminal import Fitted, Terminal
    from cowpath.observe.text import visible
    from cowpath.sweeps.advice import HEADINGS, rows

    console = Terminal()
    table = Fitted(*(f"{heading}:" for heading in HEADINGS))
    for row in rows(found.answer):
        table.add_row(*row)
    console.print(table)
    for line in found.sentences:
        console.print(visible(line))
    if found.lines:
        typer.echo(f"\n{found.lines}", nl=False)


def told(found: Limits) -> dict[str, Any]:
    """docs/json.md."""
    answer = found.answer
    return {
        "version": __version__,
        "session": found.session,
        "group": answer.group,
        "design": found.design.name,
        "seeds": answer.seeds,
        "limit_bytes": answer.limit,
        "luck_bytes": None if answer.luck is None else list(answer.luck),
        "comfortable_bytes": answer.comfortable,
        "slower": answer.slower,
        "majors_take_off_bytes": answer.takes_off,
        "peak_bytes": answer.peak,
        "tried": [
            {
                "limit_bytes": each.limit,
                "completed": each.completed,
                "runs": len(each.runs),
                "time_ns": None if each.time is None else round(each.time),
                "major_faults": each.majors,
                "oom_kills": [run["groups"][answer.group]["oom_kills"] for run in each.runs],
                "stalls": [run["stalls"] for run in each.runs],
            }
            for each in (answer.unlimited, *answer.tried)
        ],
        "sentences": found.sentences,
        "lines": found.lines,
    }
