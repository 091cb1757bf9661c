"""``--interpreted``, ``--compiled``, and without either whichever is first: the model in plain Python, or compiled.

To compile it takes half a minute after each change of the kernel, and a small case one second in plain Python. How
large a case is, only the search tells. So where nothing compiled is at hand it begins in plain Python; what is not done
soon is compiled meanwhile by a process of its own; and if that is done first, the command begins again, compiled.
What comes out is the same.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

HEAD_START_S = 3.0  # before a second process is worth it
BETWEEN_LOOKS_S = 0.5
KERNEL = "cowpath.kernel"
_alone = False  # this process is the command and nothing else: it may begin again


class Compiled(BaseException):
    """The kernel is compiled now."""


@contextmanager
def in_a_process_of_its_own() -> Iterator[None]:
    """Within this, a command may choose, and may begin again."""
    global _alone
    _alone = hasattr(signal, "SIGALRM")
    try:
        yield
    except Compiled:
        os.environ["COWPATH_INTERPRETED"] = "0"
        sys.stdout.flush()
        os.execv(sys.executable, sys.orig_argv)


def choose(interpreted: bool | None, steps: Sequence[Any], words: Sequence[str]) -> None:
    """Say how the kernel is to run, before it is imported.

    ``steps``: files that will be part of it; ``words``: all that stands on the command line.
    """
    from cowpath import interpret

    if interpreted is not None:
        interpret(interpreted)
    elif _alone and "COWPATH_INTERPRETED" not in os.environ and KERNEL not in sys.modules:
        if any(map(_is_read_once, words)):
            return
        os.environ["COWPATH_INTERPRETED"] = "auto"
        named = [os.environ.get("COWPATH_STEPS", ""), *map(str, steps)]
        os.environ["COWPATH_STEPS"] = os.pathsep.join(dict.fromkeys(filter(None, named)))


def _is_read_once(word: str) -> bool:
    """Whether it names a pipe (``-d <(sed ...)``): a command that begins again would find nothing in it."""
    file = word.partition("=")[2] if word.startswith("--") else word
    with suppress(OSError, ValueError):
        return file == "-" or (Path(file).exists() and not Path(file).is_file() and not Path(file).is_dir())
    return False


@contextmanager
def whichever_is_first() -> Iterator[None]:
    """Within this the model is at work, and nothing has been said: if it has not come far, it may begin again."""
    from cowpath.kernel.compiled import INTERPRETED

    if not (_alone and INTERPRETED and os.environ.get("COWPATH_INTERPRETED") == "auto"):
        yield
        return
    compiler: subprocess.Popen[bytes] | None = None
    at_work = True

    def look(*_: Any) -> None:
        nonlocal compiler
        if at_work and compiler is None:
            compiler = _compile()
        elif at_work and compiler is not None and compiler.poll() is not None:
            raise Compiled

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, HEAD_START_S, BETWEEN_LOOKS_S)
    try:
        yield
    finally:
        at_work = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if compiler is not None and compiler.poll() is None:
            compiler.terminate()
            compiler.wait()


def _compile() -> subprocess.Popen[bytes]:
    """Compile what a search needs, in a process of its own, which says nothing: what is wrong is told afterwards."""
    silent = subprocess.DEVNULL
    code = f"import sys; sys.path[:] = {sys.path!r}; from cowpath.warming import meanwhile; meanwhile()"
    environment = os.environ | {"COWPATH_INTERPRETED": "0"}
    line = [sys.executable, "-c", code]
    return subprocess.Popen(line, stdin=subprocess.PIPE, stdout=silent, stderr=silent, env=environment)
