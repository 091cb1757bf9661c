"""What ftrace would have recorded: the text read by the importer of real traces, trace.dat by trace-cmd."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cowpath
from cowpath import api
from cowpath.kernel import names as n
from cowpath.observe import ftrace_events as events
from cowpath.observe.ftrace import FIRST_PID, FtraceWriter, plain
from cowpath.observe.trace_dat import PAGE, ROOM, TIME_EXTEND, _Pages
from cowpath.programs.importer import recorded
from cowpath.programs.reading.ftrace import read_ftrace

EXAMPLES = Path(__file__).parents[2] / "examples"
CONTENDED = """cgcreate -g memory:A
cgset -r memory.limit_in_bytes=1M A
cgset -r memory.memsw.limit_in_bytes=1M A
cgexec -g memory:A ls &
cgexec -g memory:A grep &
ls &
wait
"""
LOCKS = [kind for kind, wait in enumerate(n.WAITS) if kind in (n.W_PAGE_LOCK, n.W_OOM) or wait.mutex or wait.rwsem]
LINE = re.compile(
    r" *(?P<comm>.+)-(?P<pid>\d+) +\[(?P<cpu>\d+)\] (?:\.{5})? +(?P<time>\d+\.\d{9}): +(?:print: +)?"
    r"(?P<name>\w+): +(?P<words>.*)"
)
TRACE_CMD = shutil.which("trace-cmd")
needs_trace_cmd = pytest.mark.skipif(TRACE_CMD is None, reason="trace-cmd is not installed")


def parsed(text: str) -> list[tuple[Any, ...]]:
    """The records of ftrace's text, or of trace-cmd's report."""
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "cpus="))]
    found = [LINE.fullmatch(line) for line in lines]
    assert None not in found
    return [match.groups() for match in found if match is not None]


class Run:
    """A session, written in both forms, with its log."""

    def __init__(self, folder: Path, session: Path, until: str) -> None:
        self.text = folder / "run.txt"
        self.again = partial(cowpath.run, session, "linux-3.0", until=until, seed=1)
        self.result = self.again(ftrace=self.text, keep_events=True)
        self.records = parsed(self.text.read_text())

    def logged(self, kind: str) -> list[dict[str, Any]]:
        return self.result.events.filter(pl.col("kind") == kind).to_dicts()

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [record for record in self.records if record[4] == name]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("ftrace"), EXAMPLES / "oom-off.sh", "3s")


def test_the_head_counts_the_records(run: Run) -> None:
    head = run.text.read_text().partition("\n\n")[0]
    assert f"# entries-in-buffer/entries-written: {len(run.records)}/{len(run.records)}   #P:2" in head
    assert len(run.records) > 1000


def test_times_do_not_go_back(run: Run) -> None:
    times = [record[3] for record in run.records]
    assert times == sorted(times)


def test_switches_are_those_of_the_log(run: Run) -> None:
    shown = [(float(time), int(cpu), int(words.rpartition("next_pid=")[2].split()[0]))
             for _, _, cpu, time, _, words in run.named("sched_switch")]  # fmt: skip
    logged = [(e["time_ns"] / 1e9, e["cpu"], FIRST_PID + e["a"] if e["a"] >= 0 else 0) for e in run.logged("sched")]
    assert shown == logged and shown


def test_a_cpu_runs_whom_it_has_switched_to(run: Run) -> None:
    running = dict.fromkeys(("000", "001"), "0")
    for _, pid, cpu, _, name, words in run.records:
        assert pid == running[cpu]
        if name == "sched_switch":
            before, after = re.findall(r"_pid=(\d+)", words)
            assert before == running[cpu]
            running[cpu] = after


def test_who_is_switched_out_asleep_is_woken_before_it_runs_again(run: Run) -> None:
    asleep: set[str] = set()
    for _, _, _, _, name, words in run.records:
        if name == "sched_waking":
            asleep.discard(re.findall(r" pid=(\d+)", words)[0])
        elif name == "sched_switch":
            before, after = re.findall(r"_pid=(\d+)", words)
            assert after not in asleep
            if re.search("prev_state=[SD]", words):
                asleep.add(before)
    assert asleep


def test_a_wait_begins_and_ends_with_a_mark(run: Run, tmp_path: Path) -> None:
    (tmp_path / "contended.sh").write_text(CONTENDED)
    contended = Run(tmp_path, tmp_path / "contended.sh", "1s")
    for each in (run, contended):
        begun: dict[str, str] = {}
        ended = 0
        for _, pid, _, _, _, words in each.named(events.MARKER):
            kind, whose, *rest = words.split("|", 2)
            assert whose == pid and kind in "BE"
            if kind == "B":
                assert pid not in begun and rest[0].startswith("waits for ")
                begun[pid] = rest[0]
            else:
                del begun[pid]
                ended += 1
        assert ended + len(begun) == sum(e["a"] in LOCKS for e in each.logged("wait")) > 0
        assert (ended > 0) == (each is contended)
        if each is run:
            assert any(re.fullmatch(r"waits for lib page \d+, held by attacker-\d+", words) for words in begun.values())


def test_page_faults_are_those_of_the_log(run: Run) -> None:
    begun: defaultdict[int, list[int]] = defaultdict(list)
    for _, pid, _, time, name, words in run.records:
        if name.startswith("page_fault_"):
            begun[int(pid) - FIRST_PID].append(int(time.replace(".", "")))
            assert int(words.split("0x")[1].split()[0], 16) % n.PAGE_SIZE == 0
    ended: defaultdict[int, list[int]] = defaultdict(list)
    for e in run.logged("fault"):
        ended[e["task"]].append(e["time_ns"] - e["value"])
    assert sum(map(len, ended.values())) > 100 and ended.keys() <= begun.keys()
    for task, times in begun.items():
        last = len(times) - len(ended[task])
        assert last in (0, 1)  # the end of the run may cut one off
        for one, other in zip(times, sorted(ended[task]), strict=False):
            assert abs(one - other) < 100_000  # the log has when a move begins, in which more is done than that


def test_the_importer_of_real_traces_reads_it(run: Run) -> None:
    with run.text.open() as lines:
        reading = read_ftrace(lines, "run", str(run.text))
    faults = len(run.named("page_fault_user")) + len(run.named("page_fault_kernel"))
    assert len(reading.tables.faults) == faults
    assert not any("not understood" in gap for gap in reading.account.all_gaps())
    recording = recorded(reading.tables, "run", str(run.text))
    assert recording.facts["faults"] == faults
    assert {"attacker"} <= {process.comm for process in recording.processes}


@needs_trace_cmd
def test_trace_cmd_reads_the_same(run: Run, tmp_path: Path) -> None:
    run.again(ftrace=tmp_path / "trace.dat")
    done = subprocess.run(
        [str(TRACE_CMD), "report", "-N", "-t", "-i", tmp_path / "trace.dat"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("cpus=2\n") and not done.stderr
    theirs = Counter((*record[:5], record[5].rstrip()) for record in parsed(done.stdout))
    assert theirs == Counter(run.records)


def test_a_log_beside_it_is_as_without_it(tmp_path: Path) -> None:
    for folder, more in (("with", {"ftrace": tmp_path / "run.txt"}), ("without", {})):
        (tmp_path / folder).mkdir()
        cowpath.run(EXAMPLES / "oom-off.sh", until="1s", log=tmp_path / folder / "log.parquet", **more)
    one, other = ((tmp_path / folder / "log.parquet").read_bytes() for folder in ("with", "without"))
    assert one == other


# --- the form of a record ---


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(1, 300)), min_size=1, max_size=60),
)
def test_what_a_ring_buffer_holds_is_what_went_in(records: list[tuple[int, int]]) -> None:
    import io

    file, time, put = io.BytesIO(), 0, []
    pages = _Pages(file)
    for delta, words in records:
        time += delta
        put.append((time, bytes(4 * words)))
        pages.add(*put[-1])
    pages.flush()
    content = file.getvalue()
    assert len(content) == pages.size and pages.size % PAGE == 0
    assert unpacked(content) == put


def unpacked(content: bytes) -> list[tuple[int, bytes]]:
    """The records of ring buffer pages, as include/linux/ring_buffer.h has them."""
    found = []
    for at in range(0, len(content), PAGE):
        time, used = (int.from_bytes(content[at + place : at + place + 8], "little") for place in (0, 8))
        assert 0 < used <= ROOM
        place, end = at + PAGE - ROOM, at + PAGE - ROOM + used
        while place < end:
            word, second = (int.from_bytes(content[place + k : place + k + 4], "little") for k in (0, 4))
            kind, delta = word & 31, word >> 5
            if kind == TIME_EXTEND:
                time += second << 27 | delta
                place += 8
                continue
            time += delta
            length, head = (kind * 4, 4) if kind else (second - 4, 8)
            found.append((time, content[place + head : place + head + length]))
            place += head + length
        assert place == end
    return found


def test_names_from_outside_are_plain_and_short() -> None:
    for name in ("<script>\n\x1b[2J\u202e\ud800", "x" * 10_000, "", "\u00e9\u4e2d"):
        assert plain(name).isascii() and plain(name).isprintable()
        comm = plain(name)[: events.COMM_LENGTH]
        record = events.SWITCH.record(7, (comm, 1, 120, 2, comm, 2, 120))
        assert len(record) == events.SWITCH.places[-1] == 64


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("name", ["run.txt", "run.dat"])
def test_nothing_is_left_behind_and_an_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], name: str
) -> None:
    (tmp_path / name).write_text("old")

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(FtraceWriter, "end", fail)
    with pytest.raises(error):
        cowpath.run(EXAMPLES / "oom-off.sh", until="1ms", ftrace=tmp_path / name)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [(name, "old")]


def test_a_file_that_cannot_be_written_is_told_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "build_machine", lambda *_: pytest.fail("the run began"))
    with pytest.raises(cowpath.InputError, match="cannot write the trace"):
        cowpath.run(EXAMPLES / "oom-off.sh", ftrace=tmp_path / "no" / "trace.dat")
