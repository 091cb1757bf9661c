"""Every hint is right: who follows it gets what was wanted; else it says what a thing is, and that it is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cowpath import cases, designs
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.session import cgroup1, cgroup2
from cowpath.session.load import plan_session
from cowpath.session.table import load_tables
from cowpath.words import nearest, slip_of

MAKE_A = "cgcreate -g memory:A\n"


def hint_of(text: str) -> str:
    """The hint of a session's only error."""
    with pytest.raises(InputError) as caught:
        plan_session(text, "s.sh", load_tables(None))
    return caught.value.hint or ""


# --- did you mean --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("memory.limit_in_byte", cgroup1.FILES, "memory.limit_in_bytes"),  # a letter is missing
        ("biuld", ["build"], "build"),  # two are swapped
        ("lss", ["ls", "ps"], "ls"),
        ("raze", ["raise", "kill"], "raise"),
        ("Commit", ["commit"], "commit"),
        ("linux-3.O", ["linux-3.0", "linux-3.1"], "linux-3.0"),  # a letter that looks like the digit
        ("linux-3.l", ["linux-3.0", "linux-3.1"], "linux-3.1"),
        ("linux-6.1", ["linux-3.1"], None),  # another number is another thing
        ("cc2", ["cc1"], None),
        ("A2", ["A1", "A3"], None),
        ("bat", ["cat", "bar"], None),  # as near to one as to another
        ("x", ["y"], None),
        ("ps", ["ls", "cd"], "ls"),
        ("memory.high", cgroup1.FILES, None),
        ("memory.oom.group", cgroup1.FILES, None),
        ("memory.kmem.limit_in_bytes", cgroup1.FILES, None),
        ("server", ["service", "reader"], None),
        ("shell", ["attacker"], None),
    ],
)
def test_a_slip_of_the_fingers_is_told_from_another_thing(word: str, known: list[str], meant: str | None) -> None:
    assert slip_of(word, known) == meant
    assert nearest(word, known, "known: all") == (f"did you mean {meant}? known: all" if meant else "known: all")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("linux-3.O", "linux-3.0"), ("linux-3.00", "linux-3.0"), ("3.0", "linux-3.0"), ("v3.1", "linux-3.1"),
     ("Linux 3.1", "linux-3.1"), ("preallocte", "preallocate"), ("linux-3.0-oom-flg", "linux-3.0-oom-flag")],
)  # fmt: skip
def test_the_design_that_was_meant_can_be_loaded(name: str, meant: str) -> None:
    with pytest.raises(InputError) as caught:
        designs.load(name)
    assert re.search(r"did you mean '(.*?)'", str(caught.value))[1] == meant  # type: ignore[index]
    assert designs.load(meant).name == meant


@pytest.mark.parametrize("name", ["linux-6.2", "linux-4.18", "linux-3.2", "linux-2.6.38", "6.2", "linux-3"])
def test_a_release_that_is_not_modelled_has_no_neighbour(name: str) -> None:
    with pytest.raises(InputError) as caught:
        designs.load(name)
    message = str(caught.value)
    assert "did you mean" not in message
    assert "of Linux these releases are modelled: linux-2.6.39, linux-3.0, linux-3.1" in message


def test_several_designs_in_one_word() -> None:
    with pytest.raises(InputError, match=r"one --design for each: -d linux-3.0 -d preallocate"):
        designs.load("linux-3.0,preallocate")


@pytest.mark.parametrize(("name", "meant"), [("comit", "commit"), ("swap_in", "swap-in"), ("oom-lok", "oom-lock")])
def test_the_case_that_was_meant_can_be_loaded(name: str, meant: str) -> None:
    with pytest.raises(InputError, match=rf"did you mean {meant}\?"):
        cases.load(name)
    assert cases.load(meant).name == meant


# --- files of a group ----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "v1"), cgroup1.SAME_IN_V1.items())
def test_a_file_of_v2_that_v1_has_by_another_name(name: str, v1: str) -> None:
    """Followed, it is accepted, and does in v1 what the other does in v2: the limit, the usage, the highest usage."""
    assert hint_of(f"{MAKE_A}cat /cgroup/memory/A/{name}") == f"cgroup v1 calls it {v1}"
    assert plan_session(f"{MAKE_A}cat /cgroup/memory/A/{v1}", "s.sh", load_tables(None)).texts[-1].files == (v1,)
    if name == "memory.max":
        plan = plan_session(f"{MAKE_A}cgset -r {v1}=64M A", "s.sh", load_tables(None))
        assert plan.ops["b"][plan.ops["code"] == n.OP_CG_SET].tolist() == [n.CG_LIMIT]


ELSEWHERE = [(f"/cgroup/memory/A/{name}", cgroup1.FILES) for name in (*cgroup1.ONLY_IN_V2, *cgroup1.NOT_MODELLED)]
ELSEWHERE += [(f"/sys/fs/cgroup/A/{name}", cgroup2.FILES) for name in (*cgroup2.ONLY_IN_V1, *cgroup2.NOT_MODELLED)]
ELSEWHERE += [(f"{mount}/A/{name}", cgroup1.FILES) for mount in ("/cgroup/memory", "/sys/fs/cgroup")
              for name in ("cpu.max", "pids.max", "io.stat", "memory.kmem.limit_in_bytes")]  # fmt: skip


@pytest.mark.parametrize(("path", "files"), ELSEWHERE)
def test_a_file_without_a_counterpart_is_named_for_what_it_is(path: str, files: dict[str, object]) -> None:
    """No other file is named in its place: each of them would do something else."""
    for command in (f"echo 1 > {path}", f"cat {path}"):
        hint = hint_of(MAKE_A + command)
        assert hint and not any(file in hint for file in files if file not in ("tasks",))
        assert "did you mean" not in hint


@pytest.mark.parametrize(("name", "v2"), cgroup2.SAME_IN_V2.items())
def test_a_file_of_v1_that_v2_has_by_another_name(name: str, v2: str) -> None:
    assert hint_of(f"{MAKE_A}cat /sys/fs/cgroup/A/{name}") == f"cgroup v2 calls it {v2}"
    assert plan_session(f"{MAKE_A}cat /sys/fs/cgroup/A/{v2}", "s.sh", load_tables(None)).texts[-1].files == (v2,)


def test_what_the_issue_named() -> None:
    for name in ("memory.high", "memory.swap.max", "memory.pressure", "memory.oom.group", "memory.reclaim"):
        assert hint_of(f"{MAKE_A}echo 1 > /cgroup/memory/A/{name}").endswith("v1 has no such file")
    assert hint_of(f"{MAKE_A}cgset -r memory.kmem.limit_in_bytes=1M A").startswith("a limit of kernel memory alone")


def test_a_file_that_is_not_written_or_not_read() -> None:
    assert hint_of(f"{MAKE_A}cgset -r tasks=1 A") == "echo $! > tasks, or cgclassify"
    for follow in ("sleep 1 & echo $! > /cgroup/memory/A/tasks", "sleep 1 & cgclassify -g memory:A $!"):
        assert n.OP_CLASSIFY in plan_session(MAKE_A + follow, "s.sh", load_tables(None)).ops["code"]
    assert "it shows nothing" in hint_of(f"{MAKE_A}cat /cgroup/memory/A/memory.force_empty")
    assert hint_of(f"{MAKE_A}cat /cgroup/memory/A/nosuch") == "cgget A shows all that there are"
    assert plan_session(f"{MAKE_A}cgget A", "s.sh", load_tables(None)).texts[-1].files == ("*",)


def test_the_guides_table_of_files_is_the_codes() -> None:
    page = (Path(__file__).parents[1] / "docs" / "sessions.md").read_text(encoding="utf-8")
    for file in cgroup1.TABLE:
        reads = "yes" if file.read is not None else "no"
        writes = "tasks" if file.name in cgroup1.TASK_FILES else "yes" if file.write is not None else "no"
        assert f"| `{file.name}` | {reads} | {writes} | {'; '.join(file.errors)} | {file.since} |" in page
    for file in cgroup2.TABLE:
        reads = "yes" if file.read is not None else "no"
        writes = "tasks" if file.name == "cgroup.procs" else "yes" if file.write is not None else "no"
        assert f"| `{file.name}` | {reads} | {writes} | {'; '.join(file.errors)} | {file.since} |" in page


# --- commands of a session -----------------------------------------------------------------------

FOLLOWED = [  # what is wrong, its hint, and the same with the hint followed
    ("cgset -r memory.limit_in_bytes=64M B", "cgcreate -g memory:B first",
     "cgcreate -g memory:B; cgset -r memory.limit_in_bytes=64M B"),
    ("cgcreate -g cpu:A", "memory:A", "cgcreate -g memory:A"),
    ("cgcreate A", "cgcreate -g memory:A", "cgcreate -g memory:A"),
    ("cgcreate -g A", "memory:A", "cgcreate -g memory:A"),
    ("cgcreate -g memory:A//B", "A or A/B", "cgcreate -g memory:A/B"),
    (MAKE_A + "cgset -r memory.limit_in_bytes A", "cgset -r memory.limit_in_bytes=64M A",
     MAKE_A + "cgset -r memory.limit_in_bytes=64M A"),
    (MAKE_A + "cgset A", "cgset -r memory.limit_in_bytes=64M A", MAKE_A + "cgset -r memory.limit_in_bytes=64M A"),
    ("cgset -r memory.limit_in_bytes=64M", "cgset -r memory.limit_in_bytes=64M A",
     MAKE_A + "cgset -r memory.limit_in_bytes=64M A"),
    ("cgset -r memory.limit_in_bytes=64M /", "name a group: A", MAKE_A + "cgset -r memory.limit_in_bytes=64M A"),
    (MAKE_A + "cgset -r memory.limit_in_bytes=G A",
     "the kernel reads a whole number with K, M, G or T: 64M; -1: no limit",
     MAKE_A + "cgset -r memory.limit_in_bytes=64M A; cgset -r memory.limit_in_bytes=-1 A"),
    (MAKE_A + "cgset -r memory.swappiness=101 A", "a whole number from 0 to 100",
     MAKE_A + "cgset -r memory.swappiness=0 A; cgset -r memory.swappiness=100 A"),
    (MAKE_A + "cgset -x A", "understood: -r", MAKE_A + "cgset -r memory.swappiness=1 A"),
    ("cgget", "cgget -r memory.stat A", MAKE_A + "cgget -r memory.stat A"),
    ("cgdelete", "cgdelete memory:A", "cgdelete memory:A"),
    ("cgexec ls", "cgexec -g memory:A make -j", MAKE_A + "cgexec -g memory:A make -j"),
    ("cgexec -g memory:A", "cgexec -g memory:A make -j", MAKE_A + "cgexec -g memory:A make -j"),
    (MAKE_A + "cgclassify -g memory:A", "cgclassify -g memory:A $!", MAKE_A + "sleep 1 & cgclassify -g memory:A $!"),
    ("taskset 3 ls", "taskset -c 1 make", "taskset -c 1 make"),
    ("taskset -c 99 ls", "CPUs are numbered from 0 to 31", "taskset -c 0 ls; taskset -c 31 ls"),
    ("sleep", "sleep 1.5, sleep 50ms", "sleep 1.5; sleep 50ms"),
    ("sleep 5q", "a number with ns, us, ms, s, m or h: 5ms", "sleep 5ms; sleep 1ns; sleep 1us; sleep 1s; sleep 1h"),
    ("sleep 9999999999999", "at most 1000000000s", "sleep 1000000000s"),
    ("kill", "kill -9 $!, kill %1", "sleep 1 & kill -9 $!; kill %1"),
    ("sleep 1 & kill -HUP $!", "kill -9 $!, kill -STOP %1", "sleep 1 & kill -9 $!; kill -STOP %1"),
    ("ulimit -v 1000", "a group's memory.max limits what is used", "cgcreate -g memory:A; cgset -r memory.max=1M A"),
    ("timeout make", "timeout 5 make; s, m, h and d are units", "timeout 5 make; timeout 5m make"),
    ("nice -n 5", "nice make -j4", "nice make -j4"),
    ("systemd-run --scope -p MemoryMax=64Mi ls",
     "a number with K, M, G or T (64M, 1.5G), a part (20%), or infinity",
     "systemd-run --scope -p MemoryMax=64M -p MemoryHigh=1.5G -p MemoryLow=20% -p MemoryMin=infinity ls"),
    ("docker run -m 64Mx image ls", "a number with b, k, m or g: 64m", "docker run -m 64m image ls"),
    ("stress-ng --vm 1 --vm-bytes 64Q", "a number with b, k, m or g: 64M; or 80%",
     "stress-ng --vm 1 --vm-bytes 64M; stress-ng --vm 1 --vm-bytes 80%"),
    ("dd if=/dev/zero of=/tmp/x bs=1M", "count=64", "dd if=/dev/zero of=/tmp/x bs=1M count=64"),
    ("sysctl vm.swappiness=500", "0 to 200", "sysctl vm.swappiness=0; sysctl vm.swappiness=200"),
    ("wait 5", "jobs are $!, %1, or $NAME after NAME=$!", "sleep 1 & N=$!; wait $!; wait %1; wait $N"),
    ("cat", "cat /sys/fs/cgroup/A/memory.stat", MAKE_A + "cat /sys/fs/cgroup/memory/A/memory.stat"),
    ("mkdir", "/sys/fs/cgroup/A", "mkdir /sys/fs/cgroup/A"),
    ("mkdir /sys/x", "/sys/fs/cgroup/A, /sys/fs/cgroup/memory/A", "mkdir /sys/fs/cgroup/memory/A"),
    (MAKE_A + "echo 1 2 > /cgroup/memory/A/tasks", "echo $! > tasks",
     MAKE_A + "cd /cgroup/memory/A; sleep 1 & echo $! > tasks"),
    ("cd a b", "cd DIR", "cd a"),
    ("echo $X", "X=VALUE sets it, or --env X=VALUE", "X=VALUE; echo $X"),
    ("true && N=1 || N=1; false || ls && M=1; echo $M", "the same value on both ways",
     "M=1; false || ls && M=1; echo $M"),
    ("for i in $(seq x); do true; done", "$(seq 5), $(seq 1 5), $(seq 1 2 9)",
     "for i in $(seq 5) $(seq 1 5) $(seq 1 2 9); do true; done"),
    ("for i in $(seq 1 0 5); do true; done", "1 or more", "for i in $(seq 1 1 5); do true; done"),
    ("for i in {1..99999}; do true; done", "while true; do ...; done has no end", "while true; do sleep 1; done"),
    ("for i in {a,b; do echo $i; done", "{1..5}, {a,b}, $(seq 1 $N), or the words",
     "N=2; for i in {1..5} {a,b} $(seq 1 $N) a b; do echo $i; done"),
    ("echo $(ls)", "write the value itself; of a group's files $(cat FILE) is known, and $(nproc), $(seq 1 5), $(pwd)",
     "echo today $(seq 1 5) $(nproc) $(pwd)"),
    ("echo $((1+))", "$((1 + 2))", "echo $((1 + 2))"),
    ("echo ${X^}", "variables are $NAME, ${NAME}, ${NAME:-WORD}, $1, $#, $@, $?, $! and $$",
     "NAME=VALUE; echo $NAME ${NAME} ${NAME:-WORD} $# $@ $?"),
    ("[ -Q x ]", '[ "$X" = yes ], [ $N -gt 5 ], [ -z "$X" ], [ -d /sys/fs/cgroup/A ]',
     'X= N=1; [ "$X" = yes ]; [ $N -gt 5 ]; [ -z "$X" ]; [ -d /sys/fs/cgroup/A ]'),
    ("echo 'x", "a second ' ends it", "echo 'x'"),
    ('echo "x', 'a second " ends it', 'echo "x"'),
    ("echo a | xargs ls",
     "of what cat, cgget and echo print, to grep, head, tail, wc, cut, awk, sort, tr, tee; else one by one",
     "echo a | grep a | head -1 | tail -1 | wc -l | cut -f 1 | awk '{print $1}' | sort | tr a b | tee x"),
    ("ls < x", "< /dev/null", "ls < /dev/null"),
    ("ls > /sys/fs/cgroup/A/memory.max", "echo VALUE > FILE, printf VALUE > FILE",
     MAKE_A + "echo 1 > /cgroup/memory/A/memory.failcnt; printf 1 > /cgroup/memory/A/memory.failcnt"),
    ("(ls", "a ) ends it", "(ls)"),
    ("if true; do ls; fi", "if COMMAND; then ...; fi", "if true; then ls; fi"),
    ("case a in b ls;; esac", "case $X in a) ...;; esac", "X=a; case $X in a) ls;; esac"),
    ("f() ls", "f() { ...; }", "f() { ls; }; f"),
    ("{ ls", "a } ends it", "{ ls; }"),
    ("true &&", "a command on either side", "true && true"),
    ("; ls", "a command, then ;, &, && or ||", "ls; ls & ls && ls || ls"),
    ("while true; do ls", "while true; do ...; done", "while true; do ls; done"),
    ("while true; do done", "while true; do sleep 1; done", "while true; do sleep 1; done"),
    ("for 1 in a; do ls; done", "for i in 1 2 3; do ...; done", "for i in 1 2 3; do ls; done"),
    ("while true; do break all; done", "break, break 2", "while true; do while true; do break 2; break; done; done"),
    ("break", "in do ... done", "while true; do break; done"),
    ("X=1; while true; do X=${X}1; done",
     "for i in $(seq 1 10); do ...; done has as many rounds as are written",
     "X=1; for i in $(seq 1 10); do X=${X}1; done"),
    ("sleep 1 & ls $!", "a job can be given to wait, kill, cgclassify and echo JOB > tasks",
     MAKE_A + "sleep 1 & cgclassify -g memory:A $!; echo $! > /cgroup/memory/A/tasks; kill $!; wait $!"),
    ("make -j0", "make -j4; -j alone starts all jobs at once", "make -j4; make -j"),
    ("make -x", "understood: -j [N], -s, -k, -i, -B, -w, -C DIR, -f FILE, -l N, VAR=VALUE and targets",
     "make -j 2 -s -k -i -B -w -C DIR -f FILE -l 3 VAR=VALUE target"),
    ("shell -x", "the program alone; or $1 in its lines, which is the first argument", "shell"),
    ("cgcraete -g memory:A", "did you mean cgcreate? 'cowpath programs' lists them", "cgcreate -g memory:A"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "hint", "followed"), FOLLOWED, ids=[wrong for wrong, _, _ in FOLLOWED])
def test_a_hint_that_is_followed_is_accepted(wrong: str, hint: str, followed: str) -> None:
    assert hint_of(wrong) == hint
    plan_session(followed, "s.sh", load_tables(None))


def test_a_command_that_is_near_to_another_one_is_not_taken_for_it() -> None:
    """``kill`` takes no names, and ``top`` does not read what ``htop`` reads."""
    assert hint_of("pkill ls\n") == hint_of("killall ls\n") == "not there: kill takes a job, kill $! or kill %1"
    assert hint_of("htop\n").endswith("what top -c reads")
