"""A recording that says nothing of whose it is: no arguments, and no file names but those of installed software."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from cowpath.programs.recording import RecordedFile, Recording

INSTALLED = ("/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/", "/opt/")  # whose names other recordings share
PRIVATE = ("/usr/local/", "/usr/home/", "/opt/")  # below INSTALLED, and yet one's own


def anonymous(recording: Recording) -> Recording:
    """The same with files numbered in order of use. Names of tasks (of programs, 15 letters at most) stay: the model
    goes by them.
    """
    files = tuple(_renamed(file, number, recording.name) for number, file in enumerate(recording.files))
    header = dict(recording.origin.get("header", {}))
    program = PurePosixPath(recording.command[0]).name if recording.command else ""
    if "command" in header:
        header["command"] = program
    origin = {**recording.origin, "header": header}
    return replace(recording, command=(program,) if program else (), files=files, origin=origin)


def _renamed(file: RecordedFile, number: int, name: str) -> RecordedFile:
    kept = file.name.startswith(INSTALLED) and not file.name.startswith(PRIVATE)
    return file if kept or file.name.startswith(f"{name}:ino:") else replace(file, name=f"{name}:file:{number}")
