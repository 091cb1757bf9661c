"""The Perfetto trace, read back with Perfetto's own definitions."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TracePacket, TrackEvent

import cowpath
from cowpath import api
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernel.steps import STEP_NAMES
from cowpath.observe.trace import TraceWriter
from cowpath.observe.trace_file import TraceFile
from cowpath.observe.watch import Wanted
from cowpath.session.plan import Plan

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = """cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgexec -g memory:A ls
"""
CONTENDED = """cgcreate -g memory:A
cgset -r memory.limit_in_bytes=1M A
cgset -r memory.memsw.limit_in_bytes=1M A
cgexec -g memory:A ls &
cgexec -g memory:A grep &
cgexec -g memory:A ls &
ls &
grep &
sleep 1
cgset -r memory.failcnt=0 A
wait
"""


@dataclass
class Slice:
    track: int
    begin: int
    end: int
    name: str
    notes: dict[str, Any]
    starts: list[int]
    ends: list[int]

    @property
    def whole(self) -> bool:
        return "cut off" not in self.notes


@dataclass
class Read:
    """A trace as an importer sees it: sorted by time, packets of the same time in the file's order."""

    tracks: dict[int, Any] = field(default_factory=dict)
    slices: list[Slice] = field(default_factory=list)
    instants: list[tuple[int, int, str, dict[str, Any]]] = field(default_factory=list)
    counters: list[tuple[int, int, int]] = field(default_factory=list)

    def path(self, track: int) -> tuple[str, ...]:
        """The names of a track and of those above it, from the top."""
        row = self.tracks[track]
        above = self.path(row.parent_uuid) if row.HasField("parent_uuid") else ()
        return (*above, row.process.process_name if row.HasField("process") else row.name)

    def under(self, *names: str) -> Iterator[tuple[Slice, tuple[str, ...]]]:
        for each in self.slices:
            path = self.path(each.track)
            if path[: len(names)] == names:
                yield each, path


@dataclass
class Interned:
    """What the numbers of a sequence of packets stand for."""

    names: dict[int, str]
    keys: dict[int, str]
    texts: dict[int, str]


def interned(packets: list[Any]) -> Interned:
    first = packets[0]
    assert first.sequence_flags == TracePacket.SEQ_INCREMENTAL_STATE_CLEARED and first.first_packet_on_sequence
    data = first.interned_data
    return Interned(
        {each.iid: each.name for each in data.event_names},
        {each.iid: each.name for each in data.debug_annotation_names},
        {each.iid: each.str.decode() for each in data.debug_annotation_string_values},
    )


def read(path: Path) -> Read:
    whole = Trace()
    whole.ParseFromString(path.read_bytes())
    sequences: defaultdict[int, list[Any]] = defaultdict(list)
    for packet in whole.packet:
        sequences[packet.trusted_packet_sequence_id].append(packet)
    known = {number: interned(packets) for number, packets in sequences.items()}
    seen = Read()
    for packet in whole.packet:
        if packet.HasField("track_descriptor"):
            row = packet.track_descriptor
            assert row.uuid and row.uuid not in seen.tracks and (row.name or row.process.process_name)
            assert not row.HasField("parent_uuid") or row.parent_uuid in seen.tracks
            seen.tracks[row.uuid] = row
    open_slices: dict[int, list[Slice]] = defaultdict(list)
    for packet in sorted((p for p in whole.packet if p.HasField("track_event")), key=lambda p: p.timestamp):
        event, now, told = packet.track_event, packet.timestamp, known[packet.trusted_packet_sequence_id]
        assert event.track_uuid in seen.tracks
        notes = {
            told.keys[note.name_iid]: told.texts[note.string_value_iid]
            if note.HasField("string_value_iid") else note.int_value
            for note in event.debug_annotations
        }  # fmt: skip
        if event.type == TrackEvent.TYPE_SLICE_BEGIN:
            assert not open_slices[event.track_uuid], "no track has slices in slices"
            begun = Slice(event.track_uuid, now, -1, told.names[event.name_iid], notes, [], [])
            begun.starts, begun.ends = list(event.flow_ids), list(event.terminating_flow_ids)
            open_slices[event.track_uuid].append(begun)
            seen.slices.append(begun)
        elif event.type == TrackEvent.TYPE_SLICE_END:
            open_slices[event.track_uuid].pop().end = now
        elif event.type == TrackEvent.TYPE_INSTANT:
            seen.instants.append((event.track_uuid, now, told.names[event.name_iid], notes))
        else:
            assert seen.tracks[event.track_uuid].HasField("counter")
            seen.counters.append((event.track_uuid, now, event.counter_value))
    assert not any(open_slices.values())
    return seen


@dataclass
class Run:
    result: api.Result
    seen: Read
    file: Path

    def events(self, kind: str) -> list[dict[str, Any]]:
        return self.result.events.filter(pl.col("kind") == kind).to_dicts()


@pytest.fixture(scope="module", params=["oom-off", "contended"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("trace")
    session = EXAMPLES / "oom-off.sh"
    if request.param == "contended":
        session = folder / "contended.sh"
        session.write_text(CONTENDED)
    file = folder / "run.pftrace"
    result = cowpath.run(session, until="20s", seed=1, trace=file, keep_events=True)
    return Run(result, read(file), file)


def number(label: str) -> int:
    """The task of ``cc1[208]``."""
    found = re.search(r"\[(\d+)\]$", label)
    assert found is not None
    return int(found[1])


def test_page_faults_are_those_of_the_log(run: Run) -> None:
    shown = [
        (number(path[-2]), each.end, each.notes.get("ns", each.end - each.begin), each.notes.get("status", "next"))
        for each, path in run.seen.under()
        if path[-1] == "page faults" and each.whole
    ]
    logged = [(e["task"], e["time_ns"], e["value"], n.STATUS_NAMES[e["b"]]) for e in run.events("fault")]
    assert Counter(shown) == Counter(logged) and shown


def test_a_fault_is_cut_only_where_the_one_before_it_ends(run: Run) -> None:
    ends: dict[int, int] = {}
    for each in run.seen.slices:
        if run.seen.path(each.track)[-1] == "page faults":
            if "ns" in each.notes:
                assert each.begin == ends[each.track] > each.end - each.notes["ns"]
            ends[each.track] = each.end


def holds(run: Run) -> list[Slice]:
    return [each for each, path in run.seen.under() if path[0].startswith("page locks") and len(path) == 2]


def test_holds_of_page_locks_are_those_of_the_log(run: Run) -> None:
    shown = Counter((each.end, each.end - each.begin, each.notes.get("step")) for each in holds(run) if each.whole)
    steps = {**dict(enumerate(STEP_NAMES)), n.NONE: None}
    logged = Counter(
        (e["time_ns"], e["value"], steps[e["b"]]) for e in run.events("page_lock") + run.events("page_lock_sent")
    )
    assert shown == logged and shown


def test_waits_are_those_of_the_log(run: Run) -> None:
    waits = [
        (each, path)
        for each, path in run.seen.under()
        if len(path) == 3 and (path[1] == "waits for memory" or path[0] in ("page locks", "other locks"))
    ]
    shown = Counter((number(path[-1]), each.begin, each.end - each.begin) for each, path in waits if each.whole)
    locks = (n.W_PAGE_LOCK, n.W_MMAP_READ, n.W_MMAP_WRITE, n.W_I_MUTEX, n.W_OOM)
    woken = [e for e in run.events("wake") if e["a"] in locks]
    assert shown == Counter((e["task"], e["time_ns"] - e["value"], e["value"]) for e in woken)
    begun = Counter((number(path[-1]), each.begin) for each, path in waits)
    assert begun == Counter((e["task"], e["time_ns"]) for e in run.events("wait") if e["a"] in locks) and begun


def test_cpus_run_what_the_log_says(run: Run) -> None:
    shown = {(path[1], each.begin, number(each.name)) for each, path in run.seen.under("CPUs")}
    logged = {(f"CPU {e['cpu']}", e["time_ns"], e["a"]) for e in run.events("sched") if e["a"] >= 0}
    assert shown == logged and shown


def test_a_task_is_in_one_state_after_the_other(run: Run) -> None:
    ends: dict[int, int] = {}
    lanes = 0
    for each, path in run.seen.under():
        if len(path) == 2 and path[0] in ("A", "outside every group", "kernel threads") and each.name != "reclaim":
            assert ends.get(each.track, each.begin) == each.begin
            lanes += each.track not in ends
            ends[each.track] = each.end
    assert lanes == len(run.events("fork")) + len(run.result.plan.starts)


def test_flows_join_a_hold_and_those_who_wait_for_its_end(run: Run) -> None:
    starts = {flow: each for each in holds(run) for flow in each.starts}
    waits = [each for each in run.seen.slices if each.ends]
    assert sorted(starts) == sorted(flow for each in run.seen.slices for flow in each.starts)
    assert sorted(starts) == sorted(flow for each in waits for flow in each.ends)
    assert len(starts) == len(run.events("page_lock_wait")) > 0
    for wait in waits:
        hold = starts[wait.ends[0]]
        assert run.seen.tracks[wait.track].parent_uuid == hold.track
        assert hold.begin <= wait.begin <= hold.end
        assert wait.notes["held by"] == hold.name


def test_counters_are_those_of_the_log(run: Run) -> None:
    shown = defaultdict(list)
    for track, time, value in run.seen.counters:
        shown[run.seen.path(track)].append((time, value))
    usage = run.result.usage.filter(pl.col("group") == "A")
    assert shown["A", "memory.usage_in_bytes"] == list(zip(usage["time_ns"], usage["usage_in_bytes"], strict=True))
    memory = run.result.summary["groups"]["A"]
    for name in ("memory.failcnt", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"):
        assert shown["A", name][-1][1] == memory[name]
    fails = sum(value > 0 for name in ("memory.failcnt", "memory.memsw.failcnt") for _, value in shown["A", name])
    assert fails == len(run.events("charge_fail"))


def test_instants_are_those_of_the_log(run: Run) -> None:
    shown = Counter((name, time) for track, time, name, _ in run.seen.instants if len(run.seen.path(track)) == 2)
    for kind in ("mark", "exec", "oom_kill", "stall", "reclaim"):
        logged = Counter((kind, e["time_ns"]) for e in run.events(kind))
        assert Counter({key: count for key, count in shown.items() if key[0] == kind}) == logged


def test_what_the_end_cuts_off_says_so(run: Run) -> None:
    cut = [each for each in run.seen.slices if not each.whole]
    ends = {each.end for each in cut}
    assert len(ends) == 1 and ends.pop() >= max(each.end for each in run.seen.slices)
    if run.result.verdict == "stuck":
        names = {run.seen.path(each.track)[0] for each in cut}
        assert {"A", "page locks", "outside every group"} <= names
        assert any(run.seen.path(each.track)[-1] == "page faults" for each in cut)


def test_the_bytes_are_the_same_each_time(run: Run, tmp_path: Path) -> None:
    plan, design = run.result.plan, run.result.loaded
    options = api.Options(seed=1, until=20 * 10**9)
    traced(plan, options, tmp_path / "again.pftrace", design)
    assert (tmp_path / "again.pftrace").read_bytes() == run.file.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["again.pftrace"]


# --- of several designs ---


def test_a_trace_of_several_designs_has_a_process_for_each(tmp_path: Path) -> None:
    session = tmp_path / "small.sh"
    session.write_text(CONTENDED)
    designs = ["linux-3.0", "preallocate"]
    cowpath.compare(session, designs, seed=1, until="300ms", trace=tmp_path / "both.pftrace")
    both = read(tmp_path / "both.pftrace")
    assert {row.process.process_name: row.process.pid for row in both.tracks.values() if row.HasField("process")} == {
        "linux-3.0": 1, "preallocate": 2,
    }  # fmt: skip
    flows = Counter(flow for each in both.slices for flow in each.starts)
    assert flows == Counter(flow for each in both.slices for flow in each.ends) and set(flows.values()) == {1}
    for design in designs:
        cowpath.run(session, design, seed=1, until="300ms", trace=tmp_path / "one.pftrace")
        one = read(tmp_path / "one.pftrace")
        alone = Counter((one.path(each.track), each.begin, each.end, each.name) for each in one.slices)
        mine = [(each, path[1:]) for each, path in both.under(design)]
        assert Counter((path, each.begin, each.end, each.name) for each, path in mine) == alone
        assert len(alone) > 100


# --- names from outside ---

ODD = "<script>alert('x')</script>\"\\\n\r\t\x1b[2J\x07\u202e\ud800" + "x" * 10_000
NAMES = st.text(st.characters(codec=None), max_size=60) | st.just(ODD) | st.just("")


def plan_of(path: Path, text: str) -> Plan:
    path.write_text(text)
    return api.load_plan(path, api.Options())


def traced(plan: Plan, options: api.Options, target: Path, design: Any = None) -> None:
    with TraceFile(target) as file:
        api.run_plan(plan, design or api.load_design("linux-3.0"), options, Wanted(trace=file.run()))


def renamed(plan: Plan, comm: str, file: str, group: str) -> Plan:
    return replace(
        plan,
        comms=tuple(comm + name for name in plan.comms),
        files=tuple(replace(each, name=file + each.name) for each in plan.files),
        groups=("", *(group + name for name in plan.groups[1:])),
    )


def all_names(file: Path) -> list[str]:
    whole = Trace()
    whole.ParseFromString(file.read_bytes())
    first = whole.packet[0].interned_data
    names = [packet.track_descriptor.name for packet in whole.packet if packet.HasField("track_descriptor")]
    names += [each.name for each in (*first.event_names, *first.debug_annotation_names)]
    return names + [each.str.decode() for each in first.debug_annotation_string_values]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(comm=NAMES, file=NAMES, group=NAMES)
def test_no_name_can_break_a_trace(tmp_path: Path, comm: str, file: str, group: str) -> None:
    plan = renamed(plan_of(tmp_path / "small.sh", SMALL), comm, file, group)
    target = tmp_path / "odd.pftrace"
    traced(plan, api.Options(until=10**9), target)
    assert read(target).slices
    for name in all_names(target):
        assert name.isprintable() and len(name) < 80


def test_a_group_with_an_odd_name(tmp_path: Path) -> None:
    session = tmp_path / "odd.sh"
    session.write_text(SMALL.replace("memory:A", "'memory:<script>\"&'").replace("64M A", "64M '<script>\"&'"))
    cowpath.run(session, trace=tmp_path / "odd.pftrace")
    assert '<script>"&' in {row.name for row in read(tmp_path / "odd.pftrace").tracks.values()}


# --- files ---


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_behind_and_an_old_trace_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    plan = plan_of(tmp_path / "small.sh", SMALL)
    (tmp_path / "run.pftrace").write_text("old")

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(TraceWriter, "end", fail)
    with pytest.raises(error):
        traced(plan, api.Options(until=10**9), tmp_path / "run.pftrace")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.pftrace", "small.sh"]
    assert (tmp_path / "run.pftrace").read_text() == "old"


@pytest.mark.parametrize("name", ["no/such/folder/x.pftrace", "", "zero\0.pftrace", "x" * 300 + "/log"])
def test_a_path_that_cannot_be_written_is_an_input_error_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    plan = plan_of(tmp_path / "small.sh", SMALL)
    monkeypatch.setattr(api, "build_machine", lambda *_: pytest.fail("the run began"))
    with pytest.raises(InputError, match="cannot write the trace"):
        traced(plan, api.Options(), tmp_path / name)
    with pytest.raises(InputError, match="cannot write the trace"):
        cowpath.run(tmp_path / "small.sh", log=tmp_path / "log.parquet", trace=tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["small.sh"]


def test_a_full_disk_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(tmp_path / "small.sh", SMALL)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TraceWriter, "_sched", full)
    with pytest.raises(InputError, match=r"x\.pftrace: cannot write the trace: No space left"):
        traced(plan, api.Options(), tmp_path / "x.pftrace")
    assert [p.name for p in tmp_path.iterdir()] == ["small.sh"]
