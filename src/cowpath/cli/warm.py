"""``cowpath warm-up``: compile now what would be compiled at first use."""

from __future__ import annotations

import time

import typer

from cowpath.cli import options as o
from cowpath.cli.progress import progress_bars


def warm_up(steps: o.Steps = None) -> None:
    """Compile the modelled kernel now, for run and for check at the same time, in two processes.

    Any command compiles what it needs when it needs it: once after installing, after each change of the kernel's
    sources, and for each set of --steps. This one does so for all of them, in half the time on two processors, and does
    nothing where all is there. What is compiled is kept in ~/.cache/cowpath, or in the folder that COWPATH_CACHE names:
    set it where the home directory cannot be written, or to share one folder among the jobs of a build server. Ctrl-C
    leaves nothing broken.

    Example: cowpath warm-up
    """
    from cowpath.kernel.jit.cache import cache_folder, is_shipped
    from cowpath.warming import warm_up

    began = time.monotonic()
    with progress_bars(None) as progress:
        compiled = warm_up(progress.compiling)
    if compiled:
        typer.echo(f"compiled in {time.monotonic() - began:.0f} s, and kept in {cache_folder()}")
    else:
        typer.echo(f"all is compiled: {'it came with the wheel' if is_shipped() else cache_folder()}")
