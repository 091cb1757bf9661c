"""``cowpath from-cgroup`` and ``explain-limits``: limits from elsewhere as a session."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cowpath.atomic import check_outputs, check_target, replacing
from cowpath.cli import options as o

Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write the session to this file.", metavar="FILE.sh")
]


def from_cgroup(
    directory: Annotated[
        Path, typer.Argument(help="A group's directory, live or copied: /sys/fs/cgroup/system.slice.", metavar="DIR")
    ],
    output: Output = None,
) -> None:
    """Write the session that makes the same groups with the same limits; what they had counted stands as comments.

    Example: cowpath from-cgroup /sys/fs/cgroup/system.slice -o limits.sh
    """
    from cowpath.session.snapshot import session_of

    put(session_of(directory), output)


def explain_limits(
    file: Annotated[
        Path, typer.Argument(help="A pod or a compose file (.yaml), or a unit (.service); - for standard input.")
    ],
    design: o.Design = None,
    memory: o.Memory = None,
    table: o.Table = None,
    env: o.Env = None,
    program: o.Program = None,
    memory_qos: Annotated[
        bool,
        typer.Option(
            "--memory-qos/--no-memory-qos", help="Pods: with the kubelet's feature gate MemoryQoS (cgroup v2), or not."
        ),
    ] = True,
    output: Output = None,
) -> None:
    """Print the session that a pod, a compose file or a unit stands for: groups, limits, and what runs in them.

    Saved, it runs as the file itself does. Example: cowpath explain-limits pod.yaml --design linux-3.0 -o pod.sh
    """
    from cowpath import api
    from cowpath.session.explain import explain_limits as explained
    from cowpath.session.plan import MachineSettings
    from cowpath.session.uses import VERSIONS

    check_outputs([output], [file, table])
    chosen = api.Options.of(memory, None, None, table=table, env=env, programs=program)
    text = explained(
        file, table=table, settings=MachineSettings(memory=chosen.memory), environment=chosen.environment,
        programs=chosen.programs, interfaces=VERSIONS if design is None else api.load_design(design).kernel.interface,
        memory_qos=memory_qos,
    )  # fmt: skip
    put(text, output)


def put(text: str, output: Path | None) -> None:
    """Print a session, or write it to a file as a whole."""
    if output is None:
        typer.echo(text, nl=False)
        return
    check_target(output)
    with replacing(output) as part:
        part.write_text(text, encoding="utf-8")
