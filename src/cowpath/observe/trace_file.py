"""A Perfetto trace as a file of TrackEvents: slices, instants, counters and flows, written packet by packet.

Names and tracks are numbers here, which keeps the file small. What they stand for is known only when the run has ended
(a task's last name, say), and comes before its packets in the file: these wait in a nameless file until then. Each run
is a sequence of packets of its own, so that several stand in a file one behind the other.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeVar

from cowpath.errors import InputError
from cowpath.observe.named_last import NamedLast

Key = tuple[Any, ...]  # names a thing, for example ("task", 3)
Name = str | Key  # a text, or the thing whose name it is
Notes = Sequence[tuple[str, Name | int]]  # a slice's details, as Perfetto shows them beside it

PROCESS: Key = ("process",)
RUN_BITS = 32  # tracks and flows are a file's: in each run they are numbered from here on, the run's number above

Named = TypeVar("Named", bound=Name)


class Numbers(dict[Named, int]):
    """A number, from ``before`` + 1 on, for each name that is asked for."""

    def __init__(self, before: int = 0) -> None:
        super().__init__()
        self._before = before

    def __missing__(self, name: Named) -> int:
        self[name] = number = self._before + len(self) + 1
        return number


@dataclass(frozen=True)
class Track:
    """A row of the trace. ``unit`` is that of a counter: ``bytes`` or ``count``; empty: it has slices."""

    key: Key
    parent: Key | None
    name: str
    unit: str = ""


class TraceFile(NamedLast):
    """A trace of one run or of several."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._runs = 0

    def _open(self, files: ExitStack) -> None:
        self._whole = files.enter_context(self._temporary.open("wb"))
        from perfetto.protos.perfetto.trace import perfetto_trace_pb2  # noqa: F401 - long enough for a Ctrl-C

    def run(self, process: str | None = None) -> TraceRun:
        """A place for the next run. With ``process`` its tracks stand below a process of this name."""
        self._runs += 1
        return TraceRun(self, self._runs, process)

    def append(self, head: bytes, body: IO[bytes]) -> None:
        """A run has ended: what its numbers stand for, and its packets."""
        self._whole.write(head)
        body.seek(0)
        shutil.copyfileobj(body, self._whole)


class TraceRun:
    """Where the packets of a run go. A context manager; what is not finished is in no file.

    Times are ns; the slices of a track must be given in order and must not overlap.
    """

    def __init__(self, file: TraceFile, number: int, process: str | None) -> None:
        self._file = file
        self._number = number
        self._process = process
        before = (number - 1) << RUN_BITS
        self.tracks: Numbers[Key] = Numbers(before)
        self._flows = before
        self._names, self._note_names, self._note_texts = Numbers[Name](), Numbers[Name](), Numbers[Name]()
        self.renew()

    def __enter__(self) -> TraceRun:
        try:
            self._body = tempfile.TemporaryFile(dir=self._file.path.parent)
        except OSError as error:
            raise self.problem(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with suppress(OSError):  # what was wrong has been said, or all is in the file
            self._body.close()

    def renew(self) -> None:
        """Make the packets anew, now and then: a protobuf message does not give back what it held before."""
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TrackEvent

        self._begin = _Packet(self._number, TrackEvent.TYPE_SLICE_BEGIN, named=True)
        self._flowing = _Packet(self._number, TrackEvent.TYPE_SLICE_BEGIN, named=True)
        self._end = _Packet(self._number, TrackEvent.TYPE_SLICE_END)
        self._instant = _Packet(self._number, TrackEvent.TYPE_INSTANT, named=True)
        self._counter = _Packet(self._number, TrackEvent.TYPE_COUNTER)

    def slice(
        self, track: Key, begin: int, end: int, name: Name, notes: Notes = (), starts: Sequence[int] = (), ends: int = 0
    ) -> None:
        """Something that lasted; flows (by number, from 1) start at it, or one ends there."""
        begins, uuid = self._flowing if starts or ends else self._begin, self.tracks[track]
        self._annotate(begins, name, notes)
        if starts or ends:
            begins.event.flow_ids[:] = [self._flows + flow for flow in starts]
            begins.event.terminating_flow_ids[:] = [self._flows + ends] if ends else []
        self._body.write(begins.bytes(begin, uuid))
        self._body.write(self._end.bytes(end, uuid))

    def instant(self, track: Key, time: int, name: Name, notes: Notes = ()) -> None:
        """Something that happened at once."""
        self._annotate(self._instant, name, notes)
        self._body.write(self._instant.bytes(time, self.tracks[track]))

    def counter(self, track: Key, time: int, value: int) -> None:
        """A counter's value from now on."""
        self._counter.event.counter_value = value
        self._body.write(self._counter.bytes(time, self.tracks[track]))

    def finish(self, tracks: Iterable[Track], text: Callable[[Name], str]) -> None:
        """All is written: it goes into the file, behind what its numbers stand for. Parents precede their children."""
        try:
            self._file.append(self._head(tracks, text), self._body)
        except OSError as error:
            raise self.problem(error) from error

    def problem(self, error: Exception) -> InputError:
        """What to say of a file that cannot be written."""
        return self._file.problem(error)

    def _annotate(self, packet: _Packet, name: Name, notes: Notes) -> None:
        packet.event.name_iid = self._names[name]
        if packet.notes:
            packet.event.ClearField("debug_annotations")
        packet.notes = len(notes)
        for key, value in notes:
            note = packet.event.debug_annotations.add()
            note.name_iid = self._note_names[key]
            if isinstance(value, int):
                note.int_value = value
            else:
                note.string_value_iid = self._note_texts[value]

    def _head(self, tracks: Iterable[Track], text: Callable[[Name], str]) -> bytes:
        """The names, and the tracks."""
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TracePacket

        head = Trace()
        first = head.packet.add()
        first.trusted_packet_sequence_id = self._number
        first.sequence_flags = TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
        first.first_packet_on_sequence = True
        for name, number in self._names.items():
            first.interned_data.event_names.add(iid=number, name=text(name))
        for name, number in self._note_names.items():
            first.interned_data.debug_annotation_names.add(iid=number, name=text(name))
        for name, number in self._note_texts.items():
            first.interned_data.debug_annotation_string_values.add(iid=number, str=text(name).encode())
        if self._process is not None:
            self._describe_process(head.packet.add(), self._process)
        for rank, track in enumerate(tracks):
            self._describe(head.packet.add(), track, rank)
        return bytes(head.SerializeToString())

    def _describe_process(self, packet: Any, name: str) -> None:
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TrackDescriptor

        packet.trusted_packet_sequence_id = self._number
        row = packet.track_descriptor
        row.uuid, row.process.pid, row.process.process_name = self.tracks[PROCESS], self._number, name
        row.sibling_order_rank = self._number
        row.child_ordering = TrackDescriptor.EXPLICIT

    def _describe(self, packet: Any, track: Track, rank: int) -> None:
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import CounterDescriptor, TrackDescriptor

        units = {"bytes": CounterDescriptor.UNIT_SIZE_BYTES, "count": CounterDescriptor.UNIT_COUNT}
        packet.trusted_packet_sequence_id = self._number
        row = packet.track_descriptor
        row.uuid, row.name = self.tracks[track.key], track.name
        parent = track.parent or (None if self._process is None else PROCESS)
        if parent is not None:
            row.parent_uuid = self.tracks[parent]
        row.sibling_order_rank = rank
        row.child_ordering = TrackDescriptor.EXPLICIT
        row.sibling_merge_behavior = TrackDescriptor.SIBLING_MERGE_BEHAVIOR_NONE  # two may have the same name
        if track.unit:
            row.counter.unit = units[track.unit]


class _Packet:
    """A packet that is filled in and written many times: making one anew takes longer than all the rest."""

    def __init__(self, sequence: int, kind: int, named: bool = False) -> None:
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TracePacket

        self._trace: Any = Trace()  # of this packet alone; traces in a row are a trace
        self._packet: Any = self._trace.packet.add()
        self._packet.trusted_packet_sequence_id = sequence
        if named:
            self._packet.sequence_flags = TracePacket.SEQ_NEEDS_INCREMENTAL_STATE
        self.event: Any = self._packet.track_event
        self.event.type = kind
        self.notes = 0  # how many it has

    def bytes(self, time: int, track: int) -> bytes:
        """The packet for this time and track."""
        self._packet.timestamp = time
        self.event.track_uuid = track
        return self._trace.SerializeToString()  # type: ignore[no-any-return]
