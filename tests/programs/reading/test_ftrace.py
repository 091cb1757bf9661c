"""ftrace's text: the trace file and trace-cmd's report, with and without processes, threads and system calls."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.importer import recorded
from cowpath.programs.reading.account import Reading
from cowpath.programs.reading.ftrace import read_ftrace
from cowpath.programs.reading.mappings import NEAR
from cowpath.programs.recording import Recording

SAMPLE = Path(__file__).parents[2] / "data" / "samples" / "ftrace.txt"
LINES = SAMPLE.read_text().splitlines(keepends=True)
FAULTS = [line for line in LINES if "page_fault" in line]


def read(lines: list[str]) -> Reading:
    return read_ftrace(lines, "sample", "sample.txt")


def recording_of(reading: Reading) -> Recording:
    return recorded(reading.tables, "sample", "sample.txt")


def test_the_sample() -> None:
    reading = read(LINES)
    assert len(reading.tables.faults) == len(FAULTS) == 388
    assert reading.account.all_gaps() == ["it begins with the word that it has 12,535 events, and has 388"]
    assert {"mappings", "CPU time", "pages added to the page cache"} <= set(reading.account.instead)
    recording = recording_of(reading)
    assert recording.facts["faults"] == 388 and recording.facts["faults_dropped"] == 0
    assert [process.comm for process in recording.processes[1:]] == ["work.sh", "ls", "python3"]


def test_pages_are_anonymous_where_they_are_written_to_and_a_files_where_not() -> None:
    recording = recording_of(read(LINES))
    for number, task in enumerate((22691, 22692, 22693), 1):
        mine = [line for line in FAULTS if f"-{task} " in line]
        written = {int(line.split("address=0x")[1].split()[0], 16) >> 12 for line in mine if re.search("[2367]$", line)}
        ops = recording.ops_of(number)
        maps = ops[ops["code"] == n.OP_MMAP]
        for touch in ops[ops["code"] == n.OP_TOUCH]:
            *_, area = [row for row in maps if row["a"] <= touch["a"] < row["a"] + row["b"]]
            assert bool(area["c"] == n.NONE) is (int(touch["a"]) in written)


def test_the_file_of_pages_that_are_only_read_is_no_larger_than_need_be() -> None:
    for file in recording_of(read(LINES)).files:
        assert 0 < file.pages <= 388 * NEAR


def test_lost_and_dropped_events_are_told() -> None:
    lost = [
        "# tracer: nop\n",
        "# entries-in-buffer/entries-written: 388/400   #P:2\n",
        "CPU:1 [LOST 7 EVENTS]\n",
        *FAULTS,
    ]
    assert read(lost).account.all_gaps() == ["19 events were lost"]
    assert read(["CPU:0 [EVENTS DROPPED]\n", *FAULTS]).account.all_gaps() == ["1 events were lost"]
    assert "cut off" in read([*FAULTS[:-1], FAULTS[-1].rstrip("\n")]).account.all_gaps()[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"\[001\] d\.\.\.\. ", "[001] "),  # trace-cmd report
        (r" +\[001\]", "   (  22691) [001]"),  # record-tgid
        (r"(\.\d{6}):", r"\g<1>000:"),  # nanoseconds
        (r"error_code", "error_code"),
    ],
)
def test_other_shapes_of_a_line(old: str, new: str) -> None:
    changed = [re.sub(old, new, line, count=1) for line in FAULTS]
    one, other = read(FAULTS).tables, read(changed).tables
    assert one.faults["addr"].tolist() == other.faults["addr"].tolist()
    assert one.faults["cpu"].tolist() == other.faults["cpu"].tolist()
    assert read(changed).account.all_gaps() == []


JOB = """\
   my sh: 1-100   [000] d....  5.000001: page_fault_user: address=0x1000 ip=0x1000 error_code=0x14
   my sh: 1-100   [000] d....  5.000002: task_newtask: pid=101 comm=my sh: 1 clone_flags=1200000 oom_score_adj=0
   my sh: 1-100   [000] d....  5.000003: sched_process_fork: comm=my sh: 1 pid=100 child_comm=my sh: 1 child_pid=101
   my sh: 1-101   [001] d....  5.000004: sched_process_exec: filename=/usr/bin/prog pid=101 old_pid=101
     prog-101   [001] d....  5.000005: page_fault_user: address=0x401000 ip=0x401000 error_code=0x14
     prog-101   [001] d....  5.000006: sys_mmap(addr: 0, len: 2000, prot: 3, flags: 22, fd: ffffffff, off: 0)
     prog-101   [001] d....  5.000007: sys_mmap -> 0x7f0000000000
     prog-101   [001] d....  5.000008: page_fault_user: address=0x7f0000001000 ip=0x401000 error_code=0x6
     prog-101   [001] d....  5.000009: task_newtask: pid=102 comm=prog clone_flags=3d0f00 oom_score_adj=0
     prog-101   [001] d....  5.000010: sched_process_fork: comm=prog pid=101 child_comm=prog child_pid=102
     prog-102   [000] d....  5.000011: page_fault_kernel: address=0x7f0000000000 ip=_copy_to_user error_code=0x2
     prog-102   [000] d....  5.000012: sched_process_exit: comm=prog pid=102 prio=120
     prog-101   [001] d....  5.000013: sched_switch: prev_comm=prog prev_pid=101 ==> next_comm=a next_pid=1
     prog-101   [001] d....  5.000014: sched_process_exit: comm=prog pid=101 prio=120
   my sh: 1-100   [000] d....  5.000015: sched_process_exit: comm=my sh: 1 pid=100 prio=120
"""


def test_processes_threads_and_calls() -> None:
    reading = read(JOB.splitlines(keepends=True))
    assert reading.account.all_gaps() == []
    assert reading.account.ignored == {"sched_switch": 1}
    recording = recording_of(reading)
    shell, prog, thread = recording.processes
    assert (shell.comm, prog.comm, thread.comm) == ("my sh: 1", "prog", "prog")
    assert (prog.parent, prog.leader, thread.parent, thread.leader) == (0, n.NONE, 1, 1)
    ops = recording.ops_of(1)
    maps = ops[(ops["code"] == n.OP_MMAP) & (ops["a"] == 0x7F0000000)]
    assert maps["b"].tolist() == [2]
    assert recording.facts["faults"] == 4 and recording.facts["faults_dropped"] == 0


def test_what_is_no_trace() -> None:
    with pytest.raises(InputError, match="no line is one of ftrace's"):
        read(["hello\n"])
    with pytest.raises(InputError, match="no page fault was recorded"):
        read([JOB.splitlines(keepends=True)[3]])
