"""A Perfetto trace as a file of TrackEvents: slices, instants, counters and flows, written packet by packet.

Names and tracks are numbers here, which keeps the file small. What they stand for is known only when the run has ended
(a task's last name, say), and comes first in the file: the packets wait in a nameless file until then.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from cowpath.atomic import cannot_write, replacing
from cowpath.errors import InputError

Key = tuple[Any, ...]  # names a thing, for example ("task", 3)
Name = str | Key  # a text, or the thing whose name it is
Notes = Sequence[tuple[str, Name | int]]  # a slice's details, as Perfetto shows them beside it

SEQUENCE = 1  # all packets are of one


Named = TypeVar("Named", bound=Name)


class Numbers(dict[Named, int]):
    """A number, from 1 on, for each name that is asked for."""

    def __missing__(self, name: Named) -> int:
        self[name] = number = len(self) + 1
        return number


@dataclass(frozen=True)
class Track:
    """A row of the trace. ``unit`` is that of a counter: ``bytes`` or ``count``; empty: it has slices."""

    key: Key
    parent: Key | None
    name: str
    unit: str = ""


class TraceFile:
    """Where the packets go. A context manager: the file gets its name at the end, or nothing is left behind.

    Raises InputError, with the file's name, where it cannot be written: if the folder does not let us, on entering.
    Times are ns; the slices of a track must be given in order and must not overlap.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tracks: Numbers[Key] = Numbers()
        self._names, self._note_names, self._note_texts = Numbers[Name](), Numbers[Name](), Numbers[Name]()
        self._files = ExitStack()

    def __enter__(self) -> TraceFile:
        try:
            with ExitStack() as files:
                self._whole = files.enter_context(replacing(self.path))
                self._body = files.enter_context(tempfile.TemporaryFile(dir=self.path.parent))
                self.renew()  # still within: it imports, which takes long enough for a Ctrl-C
                self._files = files.pop_all()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise self.problem(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            self._files.__exit__(kind, error, tb)
        except OSError as failure:
            raise self.problem(failure) from failure

    def renew(self) -> None:
        """Make the packets anew, now and then: a protobuf message does not give back what it held before."""
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TrackEvent

        self._begin = _Packet(TrackEvent.TYPE_SLICE_BEGIN, named=True)
        self._flowing = _Packet(TrackEvent.TYPE_SLICE_BEGIN, named=True)
        self._end = _Packet(TrackEvent.TYPE_SLICE_END)
        self._instant = _Packet(TrackEvent.TYPE_INSTANT, named=True)
        self._counter = _Packet(TrackEvent.TYPE_COUNTER)

    def slice(
        self, track: Key, begin: int, end: int, name: Name, notes: Notes = (), starts: Sequence[int] = (), ends: int = 0
    ) -> None:
        """Something that lasted; flows (by number, from 1) start at it, or one ends there."""
        begins, uuid = self._flowing if starts or ends else self._begin, self.tracks[track]
        self._annotate(begins, name, notes)
        if starts or ends:
            begins.event.flow_ids[:] = starts
            begins.event.terminating_flow_ids[:] = [ends] if ends else []
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
        """All is written: put what the numbers stand for before it. Parents come before their children."""
        try:
            with self._whole.open("wb") as whole:
                whole.write(self._head(tracks, text))
                self._body.seek(0)
                shutil.copyfileobj(self._body, whole)
        except OSError as error:
            raise self.problem(error) from error

    def problem(self, error: Exception) -> InputError:
        """What to say of a file that cannot be written."""
        return cannot_write(self.path, error, "the trace")

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
        first.trusted_packet_sequence_id = SEQUENCE
        first.sequence_flags = TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
        first.first_packet_on_sequence = True
        for name, number in self._names.items():
            first.interned_data.event_names.add(iid=number, name=text(name))
        for name, number in self._note_names.items():
            first.interned_data.debug_annotation_names.add(iid=number, name=text(name))
        for name, number in self._note_texts.items():
            first.interned_data.debug_annotation_string_values.add(iid=number, str=text(name).encode())
        for rank, track in enumerate(tracks):
            self._describe(head.packet.add(), track, rank)
        return bytes(head.SerializeToString())

    def _describe(self, packet: Any, track: Track, rank: int) -> None:
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import CounterDescriptor, TrackDescriptor

        units = {"bytes": CounterDescriptor.UNIT_SIZE_BYTES, "count": CounterDescriptor.UNIT_COUNT}
        packet.trusted_packet_sequence_id = SEQUENCE
        row = packet.track_descriptor
        row.uuid, row.name = self.tracks[track.key], track.name
        if track.parent is not None:
            row.parent_uuid = self.tracks[track.parent]
        row.sibling_order_rank = rank
        row.child_ordering = TrackDescriptor.EXPLICIT
        row.sibling_merge_behavior = TrackDescriptor.SIBLING_MERGE_BEHAVIOR_NONE  # two may have the same name
        if track.unit:
            row.counter.unit = units[track.unit]


class _Packet:
    """A packet that is filled in and written many times: making one anew takes longer than all the rest."""

    def __init__(self, kind: int, named: bool = False) -> None:
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TracePacket

        self._trace: Any = Trace()  # of this packet alone; traces in a row are a trace
        self._packet: Any = self._trace.packet.add()
        self._packet.trusted_packet_sequence_id = SEQUENCE
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
