"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cowpath.errors import InputError

TO_OUTPUT = "'-' is no file, and it does not go to the output; name a file"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A temporary file in the target's folder that takes its name when the block ends well; else nothing is left.

    Raises OSError before the block if there can be no such file: the folder does not let us, or the target is there
    and is no regular file (a device would be replaced, not written to).
    """
    if str(target) == "-":
        raise OSError(None, TO_OUTPUT)
    if target.exists() and not target.is_file():
        raise OSError(None, "it is a folder" if target.is_dir() else "it is not a regular file")
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:80]}.", suffix=".part", dir=target.parent)
    temporary = Path(name)
    try:
        os.fchmod(handle, 0o666 & ~_current_umask())
        os.close(handle)
        yield temporary
        with temporary.open("rb") as whole:
            os.fsync(whole.fileno())
        temporary.replace(target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def cannot_write(target: Path, error: Exception, what: str = "") -> InputError:
    """What to say of a file that cannot be written; ``what`` it is to hold ("the log")."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return InputError(f"cannot write{' ' * bool(what)}{what}: {reason}", file=target)


def check_target(target: Path | None) -> None:
    """Raise InputError, before any work is done, if no file can be written there."""
    if target is None:
        return
    try:
        with contextlib.suppress(_OnlyAskedError), replacing(target):
            raise _OnlyAskedError
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise cannot_write(target, error) from None


class _OnlyAskedError(Exception):
    """Leaves ``replacing`` without a file."""


def check_outputs(
    outputs: Iterable[str | os.PathLike[str] | None], inputs: Iterable[str | os.PathLike[str] | None] = ()
) -> None:
    """Raise InputError if two files that are to be written are one, or one of them is read."""
    outputs = list(outputs)
    written = [_real(file) for file in outputs if file is not None]
    read = {_real(file) for file in inputs if file is not None}
    if any(os.fspath(file) == "-" for file in outputs if file is not None):
        raise InputError(f"cannot write: {TO_OUTPUT}", file="-")
    for file in written:
        if written.count(file) > 1:
            raise InputError("two outputs cannot go to one file", file=file, hint="give each a name of its own")
        if file in read:
            raise InputError("an output cannot go to a file that is read", file=file, hint="give it a name of its own")


def _real(file: str | os.PathLike[str]) -> str:
    """The file behind all links; its name in full where there is none."""
    try:
        return os.path.realpath(file)
    except (OSError, ValueError):  # a loop of links; a NUL in the name
        return os.path.abspath(file)  # noqa: PTH100 - which cannot fail


def _current_umask() -> int:
    """The process' umask (which can only be read by setting it)."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
