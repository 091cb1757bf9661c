"""perf script's text: the sample against its own lines and what really happened, and every shape that -F gives it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cowpath
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.importer import import_recording, recorded
from cowpath.programs.reading.account import Reading, told
from cowpath.programs.reading.perf_script import read_perf_script
from cowpath.programs.reading.tracepoints import CALLS, GROUPS
from cowpath.programs.recording import Recording, from_bytes, to_bytes, write

SAMPLE = Path(__file__).parents[2] / "data" / "samples" / "perf-script.txt"
LINES = SAMPLE.read_text().splitlines(keepends=True)
HEAD = re.compile(r"\s*(\S+)\s+(\d+)/(\d+)\s+(\[\d+\])\s+(\d+\.\d+): +(.*)\n")
TABLES = ("faults", "procs", "maps", "vmcalls", "pagecache")


def read(lines: list[str]) -> Reading:
    return read_perf_script(lines, "sample", "sample.txt")


def same(one: Reading, other: Reading, but: tuple[str, ...] = ()) -> None:
    """The same tables, column by column."""
    for table in TABLES:
        rows, others = getattr(one.tables, table), getattr(other.tables, table)
        for column in rows.dtype.names:
            if column not in but:
                assert rows[column].tolist() == others[column].tolist(), (table, column)


def rewritten(head: Callable[..., str]) -> list[str]:
    """The sample with other fields in front of the event."""
    found = [HEAD.fullmatch(line) for line in LINES]
    assert all(found)
    return [head(*match.groups()[:5]) + match[6] + "\n" for match in found if match]


def test_the_sample_holds_what_its_lines_say() -> None:
    reading = read(LINES)
    assert len(reading.tables.faults) == sum("exceptions:page_fault" in line for line in LINES) == 1943
    assert len(reading.tables.vmcalls) == sum("sys_exit" in line for line in LINES) == 112
    assert len(reading.tables.pagecache) == sum("mm_filemap" in line for line in LINES)
    assert len(reading.tables.maps) == sum("PERF_RECORD_MMAP2" in line for line in LINES)
    writes = [line for line in LINES if re.search(r"error_code=0x[0-9a-f]*[2367abef]$", line)]
    assert int((reading.tables.faults["err"] & 2 > 0).sum()) == len(writes)
    assert reading.account.all_gaps() == []


def test_the_sample_as_a_recording() -> None:
    recording = import_recording(SAMPLE)
    assert [process.comm for process in recording.processes] == ["launch.sh", "work2", "ls", "perl"]
    assert recording.children_of(1) == (2, 3)
    assert recording.facts["faults"] == 1943 and recording.facts["faults_dropped"] == 0
    assert int((recording.ops["code"] == n.OP_TOUCH).sum()) == 1943
    assert from_bytes(to_bytes(recording), "x").origin == recording.origin
    assert recording.origin["whole"] is None
    assert not any(line.startswith("not whole") for line in told(recording.origin))


def run(source: Path, tmp_path: Path, limit: str, seed: int, design: str = "linux-6.18") -> cowpath.Result:
    """The recording of a file in a group with this limit."""
    write(import_recording(source), tmp_path / "work.recording")
    table = tmp_path / "mine.toml"
    table.write_text('[programs.work]\nrecording = "work.recording"\nabout = "it"\n')
    session = tmp_path / "mine.sh"
    session.write_text(f"cgcreate -g memory:A\ncgset -r memory.limit_in_bytes={limit} A\ncgexec -g memory:A work\n")
    return cowpath.run(session, table=table, seed=seed, design=design)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_in_a_group_of_4_mib_it_is_killed_as_the_real_command_was(tmp_path: Path, seed: int) -> None:
    for limit, kills in (("4M", True), ("64M", False)):
        result = run(SAMPLE, tmp_path, limit, seed)
        assert (result.summary["groups"]["A"]["oom_kills"] > 0) is kills
        assert not any("whole" in note for note in result.summary["notes"])


def test_a_run_of_a_recording_that_is_not_whole_says_so(tmp_path: Path) -> None:
    (tmp_path / "cut.txt").write_text("".join(LINES)[:300_000])
    notes = run(tmp_path / "cut.txt", tmp_path, "64M", 1).summary["notes"]
    assert any("the recording of work is not whole: " in note for note in notes)


def test_nanoseconds_and_microseconds_give_the_same_order() -> None:
    """--ns: nine decimals. Where they are all 0 behind the sixth, lines of one time keep their order too."""
    longer = [re.sub(r"(\d+\.\d{6}):", r"\g<1>000:", line, count=1) for line in LINES]
    one, other = read(LINES), read(longer)
    same(one, other, but=("time_ns", "dur_ns"))


@pytest.mark.parametrize("head", [
    lambda comm, pid, tid, cpu, time: f"{comm} {pid}/{tid} {cpu} {time}: ",  # not padded, as with -g
    lambda comm, pid, tid, cpu, time: f"{pid:>5}/{tid:<5} {cpu} {time}: ",  # -F without comm
    lambda comm, pid, tid, cpu, time: f"{comm:>16} {tid:>5} {cpu} {time}: ",  # tid alone
    lambda comm, pid, tid, cpu, time: f"{comm:>16} {pid:>5}/{tid:<5} {cpu} {time}:          1 ",  # with the period
    lambda comm, pid, tid, cpu, time: f"{comm:>16} {pid:>5}/{tid:<5} {cpu} U  {time}: ",  # with misc
])  # fmt: skip
def test_fields_in_front_of_the_event(head: Callable[..., str]) -> None:
    reading = read(rewritten(head))
    same(read(LINES), reading)
    assert reading.account.all_gaps() == []


def test_without_cpu_the_rest_is_the_same() -> None:
    reading = read(rewritten(lambda comm, pid, tid, cpu, time: f"{comm:>16} {pid:>5}/{tid:<5} {time}: "))
    same(read(LINES), reading, but=("cpu",))
    assert set(reading.tables.faults["cpu"].tolist()) == {-1}


def test_callchains_headers_and_what_perf_says_are_no_faults() -> None:
    chain = (
        "\tffffffff81e0 asm_exc_page_fault+0x26 ([kernel.kallsyms])\n\t    7fa9f789db70 _start+0x0 (/usr/lib/ld.so)\n\n"
    )
    header = [
        "# ========\n",
        "# hostname : box\n",
        "# os release : 6.18.44\n",
        "# cmdline : /usr/bin/perf record -g -- x\n",
    ]
    said = ["[ perf record: Woken up 3 times to write data ]\n"]
    lines = [part + chain if "exceptions" in part else part for part in LINES]
    reading = read([*header, *said, *"".join(lines).splitlines(keepends=True)])
    same(read(LINES), reading)
    assert reading.account.all_gaps() == []
    assert reading.account.header == {
        "hostname": "box", "os release": "6.18.44", "cmdline": "/usr/bin/perf record -g -- x",
    }  # fmt: skip


def test_lost_events_are_told() -> None:
    lost = "perl 24792/24792 [001]  1321.660000: PERF_RECORD_LOST lost 37\n"
    told_on_stderr = "Processed 5000 events and lost 2 chunks!\n"
    gaps = read([*LINES[:-1], lost, LINES[-1], told_on_stderr]).account.all_gaps()
    assert any("lost 37 events" in gap for gap in gaps)
    assert any("lost 2 chunks" in gap for gap in gaps)


def test_what_is_missing_is_told_and_something_stands_in_for_it() -> None:
    few = [
        line for line in LINES if "syscalls:" not in line and "sched_process_exec" not in line and "filemap" not in line
    ]
    reading = read(few)
    assert {"mmap, munmap, mprotect, mremap and brk calls", "pages added to the page cache"} <= set(
        reading.account.instead
    )
    recording = recorded(reading.tables, "few", "few.txt")
    assert recording.facts["faults"] == 1943
    assert recording.facts["faults_dropped"] < 20


def test_faults_alone_are_refused_or_read_but_never_nothing() -> None:
    with pytest.raises(InputError, match="no page fault was recorded"):
        read([line for line in LINES if "page_fault" not in line])
    with pytest.raises(InputError, match="no line is one of perf script's"):
        read(["hello\n", "world\n"])


COMMS = st.text("ab :/[].1x-", min_size=1, max_size=15).filter(lambda text: text.strip() == text)


@given(
    COMMS, st.integers(1, 4_000_000), st.integers(0, 999), st.integers(0, 2**47 - 1), st.integers(0, 31), st.booleans()
)
def test_a_name_may_hold_anything(comm: str, tid: int, cpu: int, address: int, err: int, kernel: bool) -> None:
    event = f"page_fault_{'kernel' if kernel else 'user'}: address=0x{address:x} ip={'elf_load' if kernel else '0x1'}"
    line = f"{comm:>16} {tid:>7}/{tid:<7} [{cpu:03}]  1321.625091: {'exceptions:' + event:>44} error_code=0x{err:x}\n"
    row = read([line]).tables.faults[0]
    assert (row["pid"], row["tid"], row["cpu"], row["addr"], row["err"]) == (tid, tid, cpu, address, err)


def test_a_cut_off_file_says_so(tmp_path: Path) -> None:
    text = "".join(LINES)
    for at in range(200_000, len(text), 31_337):
        path = tmp_path / "cut.txt"
        path.write_text(text[:at])
        recording: Recording = import_recording(path)
        assert recording.origin["whole"] is False


def test_the_guide_records_every_event_that_is_read() -> None:
    """But for those that perf's own records stand in for."""
    guide = (Path(__file__).parents[3] / "docs" / "recordings.md").read_text()
    named = {call for calls in re.findall(r"for call in (.*?); do", guide) for call in calls.split()}
    assert named == set(CALLS)
    others = {name for name, group in GROUPS.items() if group in ("exceptions", "filemap")}
    assert others <= set(re.findall(r"(?:exceptions|filemap):(\w+)", guide))


def test_what_follows_the_events_own_fields_is_left_alone() -> None:
    """-F with addr, ip, sym: they are printed behind trace."""
    one = read(LINES)
    more = "       0 ffffffff821f2900 exc_page_fault\n"
    other = read([line if "PERF_RECORD" in line else line.rstrip("\n") + more for line in LINES])
    for table in ("faults", "vmcalls", "pagecache"):
        assert getattr(one.tables, table).tolist() == getattr(other.tables, table).tolist()


def test_fields_that_cannot_be_done_without(tmp_path: Path) -> None:
    without_time = rewritten(lambda comm, pid, tid, cpu, time: f"{comm:>16} {pid:>5}/{tid:<5} {cpu} ")
    without_event = [re.sub(r": +\w+:\w+: ", ": ", line) for line in LINES if "page_fault" in line]
    for lines in (without_time, without_event):
        (tmp_path / "it.txt").write_text("".join(lines))
        with pytest.raises(InputError, match=r"without time or event.*time,event,trace"):
            import_recording(tmp_path / "it.txt")
    deltas = [re.sub(r"\d+\.\d{6}:", f"0.{number % 7:06}:", line, count=1) for number, line in enumerate(LINES)]
    with pytest.raises(InputError, match=r"time goes back .*--deltatime"):
        read(deltas)
    late = [*LINES[:2000], LINES[100], *LINES[2000:], LINES[-1].replace("1321.", "9321."), LINES[-1]]
    assert "time goes back 2 times" in read(late).account.all_gaps()


def test_the_heap_of_a_process_begins_anew_with_each_exec() -> None:
    """Else all between the old heap and the new one would be taken for mapped."""
    lines = [
        "a 1/1 [000] 1.000001: syscalls:sys_enter_brk: brk: 0x00000000\n",
        "a 1/1 [000] 1.000002: syscalls:sys_exit_brk: 0x1000000\n",
        "a 1/1 [000] 1.000003: syscalls:sys_enter_brk: brk: 0x01004000\n",
        "a 1/1 [000] 1.000004: syscalls:sys_exit_brk: 0x1004000\n",
        "a 1/1 [000] 1.000005: exceptions:page_fault_user: address=0x1003000 ip=0x1 error_code=0x6\n",
        "a 1/1 [000] 1.000006: sched:sched_process_exec: filename=/b pid=1 old_pid=1\n",
        "b 1/1 [000] 1.000007: syscalls:sys_enter_brk: brk: 0x00000000\n",
        "b 1/1 [000] 1.000008: syscalls:sys_exit_brk: 0x9000000\n",
        "b 1/1 [000] 1.000009: exceptions:page_fault_user: address=0x5000000 ip=0x1 error_code=0x4\n",
    ]
    reading = read(lines)
    assert recorded(reading.tables, "x", "x").facts["faults_dropped"] == 0
    assert reading.account.instead["the mappings of 1 of 2 faults"]


MAPS = [
    "a 1/1 [000] 1.000001: PERF_RECORD_COMM exec: a:1/1\n",
    "a 1/1 [000] 1.000002: PERF_RECORD_MMAP2 1/1: [0x400000(0x4000) @ 0 fe:00 7 0]: r-xp /bin/a\n",
    "a 1/1 [000] 1.000003: exceptions:page_fault_user: address=0x400000 ip=0x400000 error_code=0x14\n",
    "a 1/1 [000] 1.000004: PERF_RECORD_MMAP2 1/1: [0x1000000(0x2000) @ 0x1000000 00:00 0 0]: rw-p [heap]\n",
    "a 1/1 [000] 1.000005: exceptions:page_fault_user: address=0x1000000 ip=0x400000 error_code=0x6\n",
    "a 1/1 [000] 1.000006: PERF_RECORD_MMAP2 1/1: [0x1000000(0x5000) @ 0x1000000 00:00 0 0]: rw-p [heap]\n",
    "a 1/1 [000] 1.000007: exceptions:page_fault_user: address=0x1004000 ip=0x400000 error_code=0x6\n",
    "a 1/1 [000] 1.000008: PERF_RECORD_MMAP2 1/1: [0x402000(0x1000) @ 0x2000 fe:00 7 0]: rw-p /bin/a\n",
    "a 1/1 [000] 1.000009: exceptions:page_fault_user: address=0x402000 ip=0x400000 error_code=0x7\n",
    "a 1/1 [000] 1.000010: PERF_RECORD_MMAP2 1/1: [0x1001000(0x1000) @ 0 fe:00 8 0]: r--p /lib/b\n",
    "a 1/1 [000] 1.000011: PERF_RECORD_EXIT(1:1):(0:0)\n",
]


def test_records_of_mappings_stand_for_calls_where_there_are_none() -> None:
    """A heap that grows, and an mprotect, are sent as a whole: what was mapped before is not mapped anew."""
    reading = read(MAPS)
    calls = [(hex(call["a0"]), int(call["a1"])) for call in reading.tables.vmcalls]
    assert calls == [("0x400000", 0x4000), ("0x1000000", 0x2000), ("0x1002000", 0x3000), ("0x1001000", 0x1000)]
    recording = recorded(reading.tables, "x", "x")
    assert recording.facts["faults"] == 4 and recording.facts["faults_dropped"] == 0
    assert reading.account.all_gaps() == []
