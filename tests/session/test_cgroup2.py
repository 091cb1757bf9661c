"""cgroup v2 in a session: its files, its errors, and which kernel a script means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cowpath import api, designs
from cowpath.cli import app
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernels import memcg_files, profile
from cowpath.session import cgroup2, fit
from cowpath.session.load import plan_session
from cowpath.session.plan import MachineSettings, Plan
from cowpath.session.table import Table, load_tables

MS = 1_000_000  # ns
A = "/sys/fs/cgroup/A"
MAKE = f"mkdir {A}\n"
GONE, BUSY, DENIED = "No such file or directory", "Device or resource busy", "Permission denied"
WITH_V2 = [name for name in profile.names() if "v2" in profile.load(name).interface]
KERNEL = "linux-6.18"
MADE_OF = {"kernel", "percpu", "slab", "slab_unreclaimable"}  # keys that count what a group below is made of


def plan_of(text: str, cgroup: str | None = None) -> Plan:
    """A session without bystanders."""
    settings = MachineSettings(cgroup=cgroup)
    return plan_session(text, "s.sh", Table(bystanders=(), settings=settings).over(load_tables(None)))


class Run:
    """A session, run to its end."""

    def __init__(self, text: str, kernel: str = KERNEL, until: int = 100 * MS) -> None:
        self.plan = plan_of(text)
        design = api.load_design(kernel)
        fit.check(self.plan, design.kernel)
        self.k: Any = api.build_machine(self.plan, design, api.Options())
        clock = api.make_clock(self.k, self.plan, design, lambda events: None)
        self.ending = clock.run(until)
        self.lines = clock.output.splitlines()


def problem(text: str, kernel: str | None = None) -> InputError:
    """What is wrong with a session, on a kernel."""
    with pytest.raises(InputError) as caught:
        plan = plan_of(text)
        assert kernel is not None
        fit.check(plan, profile.load(kernel))
    return caught.value


# --- the table -------------------------------------------------------------------------------------
def test_each_kernel_with_v2_has_its_files_and_keys() -> None:
    assert set(WITH_V2) <= set(memcg_files.known())
    for kernel in memcg_files.known():
        files = memcg_files.load(kernel)
        for keys in (files.files, files.events, files.stat):
            assert len(set(keys)) == len(keys)
        told = {*cgroup2.FILES, *cgroup2.NOT_MODELLED}
        assert set(files.files) <= told, "each file is there, or it is said why not"
        assert set(files.refused) <= {*n.CG_FILES, memcg_files.SWAPPINESS}


def test_the_keys_that_came_with_6_18() -> None:
    """19 keys more than 6.1's: as both kernels print them."""
    new = set(memcg_files.load("linux-6.18").stat) - set(memcg_files.load("linux-6.1").stat)
    assert len(new) == 19 and "pswpin" in new and "numa_hint_faults" in new


def test_cgget_shows_what_the_kernel_has_in_its_order() -> None:
    shown = [line.partition(":")[0] for line in Run("cgcreate -g memory:A; cgget A").lines[1:]]
    files = [name for name in shown if name.startswith("memory.")]
    assert files == [
        name for name in memcg_files.load(KERNEL).files
        if name.startswith("memory.") and name in cgroup2.FILES and cgroup2.FILES[name].read is not None
    ]  # fmt: skip


@pytest.mark.parametrize("name", [f.name for f in cgroup2.TABLE if f.read is not None])
def test_each_file_can_be_read(name: str) -> None:
    run = Run(f"{MAKE}cat {A}/{name}; echo end")
    assert run.lines[-1] == "end" and not any(GONE in line for line in run.lines)


def test_the_files_of_a_new_group() -> None:
    names = ("cgroup.controllers", "cgroup.subtree_control", "cgroup.procs", "cgroup.events", "memory.current",
             "memory.peak", "memory.min", "memory.low", "memory.high", "memory.max", "memory.events",
             "memory.oom.group", "memory.swap.current", "memory.swap.max", "memory.swap.events")  # fmt: skip
    run = Run(MAKE + "".join(f"echo = {name}; cat {A}/{name}\n" for name in names))
    found: dict[str, list[str]] = {}
    for line in run.lines:
        if line.startswith("= "):
            found[line[2:]] = []
        else:
            found[[*found][-1]].append(line)
    assert found == {
        "cgroup.controllers": ["memory"], "cgroup.subtree_control": [""], "cgroup.procs": [],
        "cgroup.events": ["populated 0", "frozen 0"], "memory.current": ["0"], "memory.peak": ["0"],
        "memory.min": ["0"], "memory.low": ["0"], "memory.high": ["max"], "memory.max": ["max"],
        "memory.events": [f"{key} 0" for key in memcg_files.load(KERNEL).events], "memory.oom.group": ["0"],
        "memory.swap.current": ["0"], "memory.swap.max": ["max"],
        "memory.swap.events": ["high 0", "max 0", "fail 0"],
    }  # fmt: skip


@pytest.mark.parametrize(("name", "written", "read"), [
    ("memory.max", "64M", "67108864"), ("memory.max", "4097", "4096"), ("memory.max", "max", "max"),
    ("memory.high", "1G", "1073741824"), ("memory.low", "0", "0"), ("memory.min", "8k", "8192"),
    ("memory.swap.max", "0", "0"), ("memory.swap.high", "12288", "12288"), ("memory.oom.group", "1", "1"),
])  # fmt: skip
def test_what_is_written_is_read(name: str, written: str, read: str) -> None:
    """Parts of a page are cut off (``page_counter_memparse``), where v1's res_counter rounds up."""
    assert Run(f"{MAKE}echo {written} > {A}/{name} && cat {A}/{name}").lines == [read]


def test_usage_is_of_the_subtree_and_stat_is_in_bytes() -> None:
    run = Run("cgcreate -g memory:A/B; cgexec -g memory:A/B ls; cgget -r memory.stat A; cgget -r memory.stat A/B")
    half = len(run.lines) // 2
    of_a, of_b = run.lines[1:half], run.lines[half + 1 :]
    differ = {line.split()[-2] for one, other in zip(of_a, of_b, strict=True) if one != other for line in (one, other)}
    assert differ <= MADE_OF, "all else of A's is of B"
    shown = dict(line.removeprefix("memory.stat: ").split() for line in run.lines[1 : half - 1])
    books = run.k.books.groups[2]
    assert int(shown["file"]) == 4096 * int(books.cache) > 0 and int(shown["pgfault"]) == int(books.pgfault) > 0
    of_itself = int(run.k.state.groups[1].res.usage - run.k.state.groups[2].res.usage)
    assert of_itself > 0 and run.k.state.groups[2].res.usage > 0, "what B is made of, and the rest of that batch"


@pytest.mark.parametrize("kernel", ["linux-5.15", "linux-6.18"])
def test_mkdir_is_charged_above_and_fails_where_nothing_can_be_freed(kernel: str) -> None:
    """mem_cgroup_css_alloc: ENOMEM, and no group is there. Clean pages of files make room for it."""
    run = Run(f"{MAKE}echo 0 > {A}/memory.max\nmkdir {A}/B || echo none", kernel)
    assert run.lines[-1] == "none" and "Cannot allocate memory" in run.lines[0]
    assert not run.k.state.groups[2].alive and run.k.state.groups[1].res.usage == 0
    reads = f"{MAKE}echo 256K > {A}/memory.max\ncgexec -g memory:A ls\nmkdir {A}/B {A}/C && echo made"
    group = (made := Run(reads, kernel, until=20_000 * MS)).k.state.groups[1]
    assert made.lines[-1] == "made" and group.res.usage <= group.res.limit


# --- errors while it runs ----------------------------------------------------------------------------
@pytest.mark.parametrize(("text", "lines"), [
    (f"{MAKE}mkdir {A}/B; cat {A}/B/memory.max", [f"cat: A/B: {GONE}"]),  # A passes nothing on
    (f"{MAKE}mkdir {A}/B; echo 1M > {A}/B/memory.max || echo no", [f"echo: A/B: memory.max: {DENIED}", "no"]),
    (f"{MAKE}mkdir {A}/B; echo +memory > {A}/B/cgroup.subtree_control", [f"echo: A/B: cgroup.subtree_control: {GONE}"]),
    (f"{MAKE}echo +memory > {A}/cgroup.subtree_control; mkdir {A}/B; cat {A}/B/memory.max", ["max"]),
    (f"{MAKE}echo +memory > {A}/cgroup.subtree_control; cgexec -g memory:A ls", [f"cgexec: A: {BUSY}"]),
    (f"{MAKE}echo +memory > {A}/cgroup.subtree_control; sleep 1 & echo $! > {A}/cgroup.procs", [f"echo: A: {BUSY}"]),
    (f"{MAKE}echo $$ > {A}/cgroup.procs; echo +memory > {A}/cgroup.subtree_control",
     [f"echo: A: cgroup.subtree_control: {BUSY}"]),
    (f"{MAKE}mkdir {A}/B; echo +memory > {A}/cgroup.subtree_control; echo +memory > {A}/B/cgroup.subtree_control;"
     f" echo -memory > {A}/cgroup.subtree_control", [f"echo: A: cgroup.subtree_control: {BUSY}"]),
    (f"cat /sys/fs/cgroup/cgroup.subtree_control; {MAKE}echo -memory > /sys/fs/cgroup/cgroup.subtree_control;"
     f" cat {A}/memory.max", ["memory", f"cat: A: {GONE}"]),
    (f"{MAKE}rmdir {A}; cat {A}/memory.max; echo 1M > {A}/memory.max",
     [f"cat: A: {GONE}", f"echo: A: memory.max: {GONE}"]),
    (f"{MAKE}mkdir {A}", ["mkdir: A: File exists"]),
    (f"{MAKE}echo 1M > {A}/memory.reclaim", ["echo: A: memory.reclaim: Resource temporarily unavailable"]),
    ("cgcreate -g memory:A/B; cgset -r memory.max=1M A/B; cgget -r memory.max A/B",
     ["A/B:", "memory.max: 1048576", ""]),
])  # fmt: skip
def test_what_the_kernel_answers(text: str, lines: list[str]) -> None:
    assert Run(text).lines == lines


@pytest.mark.parametrize(("kernel", "answer"), [("linux-6.1", ": Invalid argument"), ("linux-6.18", None)])
def test_what_6_1_does_not_take_yet(kernel: str, answer: str | None) -> None:
    """memory.peak cannot be written before 6.12, and memory.reclaim takes no swappiness before 6.9."""
    lines = Run(f"{MAKE}echo reset > {A}/memory.peak && echo yes", kernel).lines
    assert lines == (["yes"] if answer is None else [f"echo: A: memory.peak{answer}"])
    lines = Run(f"{MAKE}echo '0 swappiness=10' > {A}/memory.reclaim && echo yes", kernel).lines
    assert lines == (["yes"] if answer is None else [f"echo: A: memory.reclaim{answer}"])


def test_cgroup_kill_kills_the_subtree_and_nobody_else() -> None:
    run = Run(
        "cgcreate -g memory:A/B -g memory:C; cgexec -g memory:A/B sleep 9 & cgexec -g memory:C sleep 9 & sleep 1ms\n"
        f"echo 1 > {A}/cgroup.kill; wait %1; echo gone; cat {A}/B/cgroup.procs /sys/fs/cgroup/C/cgroup.procs".replace(
            f"cat {A}/B/cgroup.procs /sys", f"cat {A}/B/cgroup.procs; cat /sys"
        )
    )
    assert run.lines[0] == "gone" and len(run.lines) == 2, "one task is left: C's"


# --- values ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("file", "value", "words"), [
    ("memory.max", "-1", "max: no limit"), ("memory.high", "", "whole number"),
    ("memory.oom.group", "2", "0 or 1"), ("cgroup.kill", "0", "1 kills all"), ("memory.reclaim", "max", "64M"),
    ("memory.reclaim", "1M swappiness=300", "0 to 200"), ("memory.reclaim", "1M foo=1", "swappiness=60"),
    ("cgroup.subtree_control", "memory", "+memory"), ("cgroup.subtree_control", "+memry", "+memory"),
    ("memory.current", "1", ""), ("memory.events", "0", ""), ("cgroup.freeze", "1", "no task of the model"),
    ("memory.numa_stat", "1", "nodes"), ("memory.limit_in_bytes", "1M", "cgroup v2 calls it memory.max"),
    ("tasks", "1", "cgroup v2 calls it cgroup.procs"), ("memory.swappiness", "1", "v2 has no such file"),
    ("cpu.max", "1", "only the memory controller"), ("memory.mx", "1M", "did you mean memory.max?"),
])  # fmt: skip
def test_what_cannot_be_written_is_told_before_the_run(file: str, value: str, words: str) -> None:
    error = problem(f"{MAKE}echo '{value}' > {A}/{file}")
    assert words.replace("nodes", "node") in f"{error.problem} {error.hint}"
    assert (error.file, error.line) == ("s.sh", 2)


@pytest.mark.parametrize("text", ["cat /sys/fs/cgroup/memory.max", "cgget -r memory.current /",
                                  "echo 1M > /sys/fs/cgroup/memory.max", "mkdir /sys/fs/cgroup/cpu/A"])  # fmt: skip
def test_what_the_root_has_not(text: str) -> None:
    assert "root" in problem(text).problem or "another controller" in problem(text).problem


def test_another_controller_is_taken_with_a_note() -> None:
    plan = plan_of(f"{MAKE}echo '+cpu +memory' > /sys/fs/cgroup/cgroup.subtree_control")
    assert plan.notes == ("line 2: cgroup.subtree_control: +cpu: only the memory controller is modelled",)


# --- which version, which kernel -----------------------------------------------------------------------
@pytest.mark.parametrize(("text", "interfaces"), [
    ("cgcreate -g memory:A; cgget -r memory.stat A", set()), ("cgcreate -g memory:A; cgset -r memory.max=1M A", {"v2"}),
    ("cgcreate -g memory:A; cgset -r memory.limit_in_bytes=1M A", {"v1"}), (f"mkdir {A}", {"v2"}),
    ("mkdir /sys/fs/cgroup/memory/A", {"v1"}), ("mkdir /dev/cgroup/memory/A", {"v1"}),
    ("cd /sys/fs/cgroup; mkdir A", {"v2"}), ("cd /sys/fs/cgroup/memory; mkdir A", {"v1"}), ("cd /sys/fs/cgroup", set()),
    ("cgcreate -g memory:A; cgget -r memory.events A", {"v2"}), ("ls", set()),
])  # fmt: skip
def test_which_version_a_script_means(text: str, interfaces: set[str]) -> None:
    assert plan_of(text).interfaces == interfaces


@pytest.mark.parametrize(("text", "column"), [
    (f"{MAKE}cgset -r memory.limit_in_bytes=1M A", 10), ("mkdir /cgroup/memory/A\ncgset -r memory.max=1M A", 10),
    (f"{MAKE}mkdir /sys/fs/cgroup/memory/B", 7),
])  # fmt: skip
def test_a_mix_is_an_error_at_the_word(text: str, column: int) -> None:
    error = problem(text)
    assert "in line 1 of" in error.problem and (error.line, error.column) == (2, column)
    assert error.hint == "a machine has one of them: all names of one kind"


def test_the_other_version_than_the_kernel_has() -> None:
    error = problem("cgcreate -g memory:A\ncgset -r memory.max=1M A", "linux-3.0")
    assert error.problem == "'memory.max' is of cgroup v2, and linux-3.0 has v1" and error.line == 2
    assert error.hint == f"cgroup v1 calls it memory.limit_in_bytes; --design {WITH_V2[-1]} has it"
    error = problem(f"mkdir {A}", "linux-3.1")
    assert (
        error.problem == f"'{A}' is of cgroup v2, and linux-3.1 has v1"
        and error.hint == f"--design {WITH_V2[-1]} has it"
    )


@pytest.mark.parametrize("command", [["run"], ["compare"], ["step", "--task", "sh"], ["costs"]])
def test_every_command_says_so(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text(MAKE)
    words = [command[0], str(tmp_path / "s.sh"), *command[1:], "--design", "linux-3.0"]
    result = CliRunner().invoke(app, words)
    said = result.output + str(result.exception)
    assert "is of cgroup v2, and linux-3.0 has v1" in said and result.exit_code != 0
    assert isinstance(result.exception, InputError | SystemExit)


@pytest.mark.parametrize("kernel", WITH_V2)
def test_each_kernel_runs_a_session_of_v2(kernel: str) -> None:
    there = [name for name in memcg_files.load(kernel).files if name in cgroup2.FILES and cgroup2.FILES[name].read]
    text = f"{MAKE}echo 8M > {A}/memory.max; cgexec -g memory:A ls\n" + "".join(f"cat {A}/{name}\n" for name in there)
    run = Run(text, kernel)
    assert not any(word in line for line in run.lines for word in (GONE, DENIED))
    assert [line.partition(" ")[0] for line in run.lines].count("oom_kill") == 1 + ("memory.events.local" in there)
    assert run.k.state.groups[1].res.usage > 0


def test_a_file_that_came_later() -> None:
    error = problem(f"{MAKE}cat {A}/memory.peak", "linux-5.15")
    assert (error.problem, error.hint) == ("linux-5.15 has no memory.peak", "it came with Linux 5.19")


def test_the_tables_machine_says_which(tmp_path: Path) -> None:
    assert plan_of("cgcreate -g memory:A", "v2").interfaces == {"v2"}
    with pytest.raises(InputError, match=r"'memory\.max' is of cgroup v2, and the machine has v1"):
        plan_of("cgcreate -g memory:A; cgset -r memory.max=1M A", "v1")
    with pytest.raises(InputError, match=r"linux-3.0 has cgroup v1, and \[machine\] says v2"):
        fit.check(plan_of("cgcreate -g memory:A", "v2"), profile.load("linux-3.0"))
    (tmp_path / "s.sh").write_text("ls\n")
    (tmp_path / "s.toml").write_text('[machine]\ncgroup = "v3"\n')
    with pytest.raises(InputError, match="no version of cgroups: 'v3'"):
        load_tables(tmp_path / "s.sh")


@pytest.mark.parametrize(("text", "v2"), [("ls", 1), ("cgcreate -g memory:A; cgset -r memory.swappiness=1 A", 0),
                                          (f"mkdir {A}", 1)])  # fmt: skip
def test_which_cgroups_the_machine_has(text: str, v2: int) -> None:
    """A release that has both is as a distribution of today has it, unless the script's names say otherwise."""
    plan = plan_of(text)
    assert api.build_machine(plan, designs.load(KERNEL), api.Options()).state.cgroup2 == v2


def test_v2_names_without_a_design(tmp_path: Path) -> None:
    """The newest kernel that has v2; and all of that time to compare."""
    (tmp_path / "s.sh").write_text(f"mkdir {A}\n")
    options = api.Options(bystanders=())
    design, _ = api.load_both(None, tmp_path / "s.sh", options)
    assert (design.name, design.chosen) == (WITH_V2[-1], "default: the session uses v2 names; the newest kernel")
    loaded, _ = api.load_all(None, tmp_path / "s.sh", options)
    assert set(WITH_V2) <= {each.name for each in loaded} and "linux-3.0" not in {each.name for each in loaded}
    (tmp_path / "s.sh").write_text(f"mkdir {A}; cat {A}/memory.pressure\n")  # since 4.20
    loaded, _ = api.load_all(None, tmp_path / "s.sh", options)
    assert {"linux-4.19"} == set(WITH_V2) - {each.name for each in loaded}
    assert {each.how_chosen for each in loaded if not each.extends_it} == {
        "default: all that have the files of the session's groups"
    }
