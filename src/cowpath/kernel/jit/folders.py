"""The folder of the cache: a folder in it for each key, and which of them go.

What cannot be written there costs time and nothing else; that is said once.
"""

from __future__ import annotations

import os
import re
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

VARIABLE = "COWPATH_CACHE"
KEPT = 16  # folders that were used last; what is made today comes on top
DAY = 24 * 60 * 60
KEY = re.compile(r"[0-9a-f]{16}")
OURS = re.compile(r"used|.*\.nb[ic](\.tmp\.[0-9a-f]+)?|search-[0-9a-f]{16}\.jsonl")  # files in a key's folder
NOTE = re.compile(r"sources-[0-9a-f]{64}-[\w-]+(\.tmp\.[0-9a-f]+)?")
_said = False  # why nothing is kept


def root() -> Path:
    """Where the folders of all keys are."""
    return Path(os.environ.get(VARIABLE) or Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache") / "cowpath")


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user of a container that has no name: nothing can be kept there, and that is said
        return Path("/nonexistent")


def take_into_use(folder: Path) -> bool:
    """Note that a key's folder is used today. A new one: those that have not been used for long go.

    False, and said once, if it cannot be written.
    """
    used, now = folder / "used", time.time()
    try:
        if used.exists():
            with suppress(OSError):  # it may be there to be read only, with all that is needed
                if used.stat().st_mtime < now - DAY / 24:
                    os.utime(used)
            return True
        folder.mkdir(parents=True, exist_ok=True)
        used.touch()
    except OSError as error:
        say_unwritable(error)
        return False
    with suppress(OSError):
        drop_old(folder.parent, now)
    return True


def drop_old(within: Path, now: float) -> None:
    """Remove the folders that have not been used today, but for the last ones, and notes of a month ago.

    Two processes may do so at once, and one may still use what goes: it compiles anew. Whatever may not be ours stays.
    """
    folders = [
        each for each in within.iterdir() if KEY.fullmatch(each.name) and each.is_dir() and not each.is_symlink()
    ]
    for folder in sorted(folders, key=_last_used, reverse=True)[KEPT:]:
        if _last_used(folder) < now - DAY:
            _drop(folder)
    for note_file in within.iterdir():
        with suppress(OSError):
            if NOTE.fullmatch(note_file.name) and note_file.stat().st_mtime < now - 30 * DAY:
                note_file.unlink()


def _last_used(folder: Path) -> float:
    for each in (folder / "used", folder):  # that of an older cowpath has no such file
        with suppress(OSError):
            return each.stat().st_mtime
    return 0.0


def _drop(folder: Path) -> None:
    with suppress(OSError):
        files = list(folder.iterdir())
        if not all(OURS.fullmatch(file.name) for file in files):
            return
        for file in files:
            file.unlink(missing_ok=True)
        folder.rmdir()


def note(name: str) -> str | None:
    """What has been noted of the sources with this hash."""
    with suppress(OSError, UnicodeDecodeError):
        text = (root() / f"sources-{name}").read_text(encoding="ascii")
        return text if re.fullmatch(r"[0-9a-f]{64}", text) else None
    return None


def write_note(name: str, text: str) -> None:
    """Note it, whole or not at all."""
    target = root() / f"sources-{name}"
    temporary = target.with_name(f"{target.name}.tmp.{uuid.uuid4().hex[:16]}")
    with suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="ascii")
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def say_changed() -> None:
    """The sources are others now than this process has loaded: say so once, on stderr."""
    _say(
        "the sources have been edited since they were loaded: this process goes on with what it has, and what it "
        "compiles is not kept"
    )


def say_unwritable(error: OSError) -> None:
    """Compiled code cannot be kept: say so once, on stderr."""
    _say(
        f"compiled code cannot be kept in {root()} ({error.strerror or error}): each command compiles it "
        f"anew, which takes half a minute or more; {VARIABLE} names another folder"
    )


def _say(why: str) -> None:
    from multiprocessing import parent_process

    global _said
    if not _said and parent_process() is None:  # that says so, or has said so
        _said = True
        print(f"cowpath: {why}", file=sys.stderr)
