"""A long run goes on after a crash from where its last checkpoint was taken, and its log is the same, to the byte.

The machine is one array, most of which is zero: a checkpoint holds the rest of it, and the little that Python knows
beside it. It is written whole beside the old one and takes its name then, so that a power cut leaves one of them.
Events of the log that have passed wait in a file beside it (``FILE.events``), of which a checkpoint says how much is
its own; what is behind that, of a run that was cut off, is cut off too.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cowpath.atomic import cannot_write, replacing
from cowpath.errors import InputError
from cowpath.identity import version

if TYPE_CHECKING:
    from cowpath.designs import Design
    from cowpath.engine.clock import Clock
    from cowpath.observe.watch import Watch
    from cowpath.session.plan import Plan

MAGIC = b"cowpath checkpoint 1\n"
CHUNK = 1 << 16  # bytes of the machine that are written, or are zero, as a whole
DEFAULT_EVERY_S = 60.0


@dataclass
class Checkpoint:
    """Where the state of a run is kept, and how often (s of this computer's time) it is written."""

    file: Path
    every_s: float = DEFAULT_EVERY_S
    taken: Callable[[int], None] = lambda now_ns: None  # is told the machine's time of each one
    identity: str = ""
    kept: dict[str, Any] | None = field(default=None)  # of the one that is there
    due: float = 0.0

    @property
    def events(self) -> Path:
        """Where the log's events wait."""
        return self.file.with_name(f"{self.file.name}.events")

    def open(self, plan: Plan, design: Design, options: Any, logs: bool) -> None:
        """Read the one that is there, if there is one. Raises InputError for a file that is none of this run."""
        self.identity = identity_of(plan, design, options, logs)
        self.due = time.monotonic() + self.every_s
        if not self.file.exists():
            return
        head, self.kept = read(self.file)
        if head["version"] != version():
            raise InputError(f"a checkpoint of cowpath {head['version']}, and this is {version()}", file=self.file,
                             hint="the same cowpath goes on; or name another file")  # fmt: skip
        if head["run"] != self.identity:
            raise InputError("a checkpoint of another run: session, design, options or outputs differ", file=self.file,
                             hint="the same command goes on; or name another file")  # fmt: skip
        if logs and (not self.events.exists() or self.events.stat().st_size < self.kept["events"]):
            raise InputError("the events that belong to the checkpoint are not there", file=self.events,
                             hint="remove the checkpoint, to begin anew")  # fmt: skip

    @property
    def kept_events(self) -> int:
        """Bytes of the events that belong to the checkpoint."""
        return int(self.kept["events"]) if self.kept is not None else 0

    def restore(self, k: Any, clock: Clock, watch: Watch) -> None:
        """Put the machine, and what is known beside it, where they were."""
        if self.kept is None:
            return
        fill(k, self.kept.pop("machine"))
        clock.stalls, clock.printed, clock._open, clock._script_end = pickle.loads(self.kept["clock"])
        clock.host.kept = pickle.loads(self.kept["host"])  # type: ignore[attr-defined]
        watch.restore(pickle.loads(self.kept["watch"]))

    def pause(self, clock: Clock, watch: Watch) -> None:
        """Take one, if it is time."""
        if time.monotonic() < self.due:
            return
        events = watch.sync()
        state = {
            "clock": pickle.dumps((clock.stalls, clock.printed, clock._open, clock._script_end)),
            "host": pickle.dumps(clock.host.kept),  # type: ignore[attr-defined]
            "watch": pickle.dumps(watch.state()),
            "events": events,
        }
        write(self.file, {"version": version(), "run": self.identity}, state, clock.k)
        self.due = time.monotonic() + self.every_s
        self.taken(int(clock.k.books.now))

    def done(self) -> None:
        """The run has ended: nothing is left to go on from."""
        self.file.unlink(missing_ok=True)
        self.events.unlink(missing_ok=True)


def identity_of(plan: Plan, design: Design, options: Any, logs: bool) -> str:
    """A hash of what a run is made from."""
    from cowpath.engine import costs

    made = hashlib.sha256(plan.ops.tobytes())
    table = costs.load(str(options.costs) if options.costs is not None else plan.settings.costs)
    settings = {**vars(options), "table": None, "until": None}
    told = [plan.source, plan.comms, plan.groups, [vars(each) for each in plan.files], vars(plan.settings), settings,
            design.name, design.paths, design.on_error, design.policies, vars(table), logs]  # fmt: skip
    made.update(json.dumps(told, sort_keys=True, default=str).encode())
    return made.hexdigest()


# --- the machine
def bytes_of(k: Any) -> Any:
    """The machine as bytes, which can be written."""
    return np.frombuffer(k.base, np.uint8) if k.base is not None else np.frombuffer(k, np.uint8)


def chunks_of(k: Any) -> Iterator[tuple[int, bytes]]:
    """What of the machine is not zero: where, and what."""
    raw = bytes_of(k)
    whole = len(raw) // CHUNK
    words = raw[: whole * CHUNK].view(np.uint64).reshape(whole, -1)
    for at in range(0, whole, 1024):  # memory that was never used is only looked at
        for number in np.flatnonzero(np.bitwise_or.reduce(words[at : at + 1024], axis=1)):
            start = (at + int(number)) * CHUNK
            yield start, raw[start : start + CHUNK].tobytes()
    if len(raw) % CHUNK:
        yield whole * CHUNK, raw[whole * CHUNK :].tobytes()


def fill(k: Any, chunks: list[tuple[int, bytes]]) -> None:
    """The machine as it was: what is in no chunk is zero."""
    raw = bytes_of(k)
    for start, _ in list(chunks_of(k)):
        raw[start : start + CHUNK] = 0
    for start, content in chunks:
        raw[start : start + len(content)] = np.frombuffer(content, np.uint8)


# --- the file: a line of JSON with a hash of the rest, and the rest
def write(target: Path, head: dict[str, str], state: dict[str, Any], k: Any) -> None:
    """A checkpoint, whole or not at all. Raises InputError."""
    machine = [(start, zlib.compress(content, 1)) for start, content in chunks_of(k)]
    content = pickle.dumps({**state, "machine": machine}, pickle.HIGHEST_PROTOCOL)
    first = json.dumps({**head, "sha256": hashlib.sha256(content).hexdigest()})
    try:
        with replacing(target) as temporary, temporary.open("wb") as file:
            file.write(MAGIC + first.encode() + b"\n")
            file.write(content)
        _sync(target.parent)
    except (OSError, ValueError) as error:
        raise cannot_write(target, error, "the checkpoint") from None


def _sync(folder: Path) -> None:
    """A new name is on the disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(file: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """Its head, and its state. Raises InputError for a file that is no checkpoint, or not whole."""
    try:
        magic, first, content = file.read_bytes().split(b"\n", 2)
        head: dict[str, str] = json.loads(first)
        whole = magic + b"\n" == MAGIC and head["sha256"] == hashlib.sha256(content).hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise InputError("not a checkpoint, or not a whole one", file=file, hint="name another file, or remove it")
    state: dict[str, Any] = pickle.loads(content)
    state["machine"] = [(start, zlib.decompress(packed)) for start, packed in state["machine"]]
    return head, state
