"""Compiling what ``run`` and ``check`` need before they need it: side by side, in two processes."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from cowpath.errors import CowpathError, InputError, WorkerError
from cowpath.kernel.compiled import Told, announced, cache_folder, can_be_kept
from cowpath.kernels import DEFAULT

SESSION = "sleep 1\n"


def warm_up(told: Told) -> int:
    """Compile what is not there yet, or is of other sources. Returns how many functions that took: 0, all was there.

    ``told`` hears how many are done and how many there are, of both processes. Raises InputError where the result
    could not be kept, or a source was edited meanwhile; what one of the processes raises; a KeyboardInterrupt ends
    both, and leaves whole files.
    """
    from cowpath.kernel.jit import loaded
    from cowpath.kernel.jit.cache import is_shipped

    if not is_shipped() and not can_be_kept():
        raise InputError("nothing can be kept there", file=cache_folder().parent, hint="COWPATH_CACHE=FOLDER")
    context = get_context("spawn")
    ends: list[tuple[Connection[Any, Any], Any]] = []
    try:
        for work in (for_runs, for_checks):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(work, theirs), daemon=True)
            process.start()
            theirs.close()  # so that we see the end of it
            ends.append((ours, process))
        compiled = _listen([ours for ours, _ in ends], told)
    finally:
        for ours, process in ends:
            process.terminate()
            process.join()
            ours.close()
    if not loaded.unchanged():
        raise InputError("a source was edited meanwhile: what was compiled since is not kept", hint="the same command")
    return compiled


def _listen(ends: list[Connection[Any, Any]], told: Told) -> int:
    far: dict[Connection[Any, Any], tuple[int, int]] = {}
    open_ends = list(ends)
    while open_ends:
        for end in wait(open_ends):
            assert isinstance(end, Connection)
            try:
                said = end.recv()
            except EOFError:
                raise WorkerError("a process that compiled was ended from outside: the same command goes on") from None
            if isinstance(said, CowpathError):
                raise said
            if said is None:
                open_ends.remove(end)
                continue
            far[end] = said
            told(sum(done for done, _ in far.values()), sum(total for _, total in far.values()))
    return sum(done for done, _ in far.values())


def _work(work: Callable[[Told], None], end: Connection[Any, Any]) -> None:
    """What one of the processes does: Ctrl-C is for the one that started it, which ends it."""
    from cowpath.kernel import own

    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def told(done: int, total: int) -> None:
        end.send((done, total))

    try:
        own.load_named()
        with announced(told):
            work(told)
        end.send(None)
    except CowpathError as error:
        end.send(error)
    except BrokenPipeError:
        pass  # whoever started it is gone
    except Exception as error:
        if (fault := own.fault_in(error)) is None:
            raise
        end.send(fault)


def for_runs(told: Told) -> None:
    """All that ``run`` calls, with the lanes of ``--report`` and ``--trace``: by a run of a moment."""
    import numpy as np

    from cowpath import api
    from cowpath.observe import lanes
    from cowpath.observe.watch import Wanted

    with tempfile.TemporaryDirectory() as folder:
        session = Path(folder) / "warm-up.sh"
        session.write_text(SESSION, encoding="ascii")
        options = api.Options()
        plan = api.load_plan(session, options)
    api.run_plan(plan, api.load_design(DEFAULT), options, Wanted(timeline=True))
    lanes.join(np.zeros(2, lanes.PIECE), 1)  # which a long run needs


def for_checks(told: Told) -> None:
    """All that ``check`` calls: by a check of a few states."""
    import numpy as np

    from cowpath import checking
    from cowpath.engine import explore

    checking.check(DEFAULT, "commit", states=1)
    explore.grow_table(np.zeros(2, np.uint64), np.zeros(1, np.int32), np.zeros(4, np.uint64), np.zeros(1, np.int32))


def meanwhile() -> None:
    """What ``check`` needs, without a word, in a process of its own: it ends with the one that has the other end of
    its standard input, however that one ends.
    """
    threading.Thread(target=_end_with_the_other, daemon=True).start()
    if can_be_kept():
        for_checks(lambda *_: None)


def _end_with_the_other() -> None:
    os.read(0, 1)
    os._exit(1)
