"""Variables and loops: what the shell makes of them before the run, instruction by instruction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.session.load import plan_session
from cowpath.session.plan import Plan
from cowpath.session.program.walk import MOST_COMMANDS, ROUND_NS
from cowpath.session.table import Table, load_tables

MAKE_A = "cgcreate -g memory:A\n"
SET = MAKE_A + "cgset -r memory.limit_in_bytes=64M A\n"


PROGRAMS = replace(load_tables(None), bystanders=())


def plan(text: str, table: Table | None = None) -> Plan:
    return plan_session(text, "s.sh", table or Table(bystanders=()))


def said(text: str) -> list[str]:
    """What the echo commands of a script say, in the order in which they are written out."""
    return [t.text for t in plan(text).texts if t.kind == "echo"]


def listing(text: str) -> list[str]:
    """The shell's own instructions: "jump 3 0 0 0", up to its exit."""
    rows = [
        " ".join([n.OP_NAMES[op["code"]], *(str(op[x]) for x in "abcd")])
        + (f" bits {op['bits']}" if op["bits"] else "")
        for op in plan(text).ops
    ]
    return rows[: rows.index("exit 0 0 0 0")]


def error(text: str) -> str:
    with pytest.raises(InputError) as caught:
        plan(text)
    assert caught.value.line is not None and caught.value.column is not None
    return str(caught.value)


ROUND = f"compute {ROUND_NS} 0 0 0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1; echo $A ${A}x x$A'$A' \"$A  b\" \\$A", ["1 1x x1$A 1  b $A"]),
        ("A='a  b'; echo $A; echo \"$A\"; echo x${A}y", ["a b", "a  b", "xa by"]),
        ("A=; echo $A b \"$A\" c", ["b  c"]),
        ("A=1 B=${A}2; A=3; echo $A$B", ["312"]),
        ("A=' b '; echo a${A}c; echo \"a\"$A", ["a b c", "a b"]),
        ("echo $ a$ '$x' \"$\"", ["$ a$ $x $"]),
        ("cd; echo $HOME", ["/root"]),
        ("for i in a b; do echo $i; done; echo $i", ["a", "b", "b"]),
        ("for i in\n do echo $i; done; echo none", ["none"]),
        ("L='x y'; for i in $L \"$L\"\ndo\n echo $i-\ndone\n", ["x-", "y-", "x y-"]),
        ("for i in 1 2; do for j in {3..4} {2..0..2}; do echo $i$j; done; done",
         ["13", "14", "12", "10", "23", "24", "22", "20"]),
        ("N=3; for i in $(seq $N) $( seq 5 -2 1 ); do echo $i; done", ["1", "2", "3", "5", "3", "1"]),
        ("echo a{1..3}b \"{1..3}\" {x}", ["a1b a2b a3b {1..3} {x}"]),
        ("C=echo; $C yes; E=; $E; $E echo too", ["yes", "too"]),
        ("for i in 1 2 3; do break; echo $i; done; echo $i", ["1", "2", "3", "1"]),  # written, if not reached
        ("true && A=1 || A=2; echo $A", ["1"]),
        ("false && A=1 || A=2; echo $A", ["2"]),
        ("true || A=1 && A=2; echo $A", ["2"]),
    ],
)  # fmt: skip
def test_expansion(text: str, expected: list[str]) -> None:
    assert said(text) == expected


def test_variables_are_understood_in_every_command() -> None:
    text = (
        "M=memory G=A/B LIMIT=64M CPU=1 T=20ms\ncgcreate -g $M:$G\ncgset -r memory.limit_in_bytes=$LIMIT ${G}\n"
        "echo $LIMIT > /sys/fs/cgroup/$M/$G/memory.limit_in_bytes\nD=/cgroup/memory; cd $D/$G && cat memory.stat\n"
        "taskset -c $CPU cgexec -g memory:$G sleep $T\nsleep $T\n"
    )
    found = plan(text)
    assert found.groups == ("", "A", "A/B")
    assert list(found.ops["c"][found.ops["code"] == n.OP_CG_SET]) == [16384, 16384]
    assert list(found.ops["a"][found.ops["code"] == n.OP_SLEEP]) == [20_000_000] * 2
    assert (found.ops["d"][found.ops["code"] == n.OP_FORK]).tolist() == [2]


def test_an_endless_loop_is_a_loop_of_the_program() -> None:
    for text in (
        "while true; do sleep 1; done", "while :\ndo\n  sleep 1\ndone", "until false; do sleep 1; done; sleep 2",
    ):  # fmt: skip
        rows = [row for row in listing(text) if not row.startswith("status")]
        assert rows[:3] == [ROUND, "sleep 1000000000 0 0 0", "jump 0 0 0 0"]


def test_a_round_that_does_nothing_costs_time() -> None:
    assert listing("while true; do :; done") == [ROUND, "jump 0 0 0 0"]
    assert listing("while true; do while true; do true; done; done")[:3] == [ROUND, ROUND, "jump 1 0 0 0"]


def test_loops_that_end() -> None:
    assert listing("while sleep 1; do sleep 2 && break; continue; done; echo x") == [
        ROUND,
        "sleep 1000000000 0 0 0",
        "jump 8 0 0 0 bits 2",  # the condition has failed
        "sleep 2000000000 0 0 0",
        "jump 6 0 0 0 bits 2",
        "jump 8 0 0 0",  # break
        "jump 7 0 0 0",  # continue
        "jump 0 0 0 0",
        "status 0 0 0 0",
        "host 0 0 0 0",
    ]


def test_the_first_round_is_written_apart_if_the_shell_knows_more_after_it() -> None:
    rows = listing("A=1; while true; do echo $A; A=2; done")
    assert rows == [ROUND, "host 0 0 0 0", ROUND, "host 1 0 0 0", "jump 2 0 0 0"]
    assert said("A=1; while true; do echo $A; A=2; done") == ["1", "2"]
    assert said("cd /; while true; do cd /cgroup/memory; cat memory.stat; echo x; done") == ["x"] * 3


def test_jobs_of_a_for_have_names_of_their_own() -> None:
    found = plan('P=; for i in 1 2; do sleep $i & P="$P $!" Q=$!; done; wait $P; kill $Q %1')
    assert found.slots == ("sleep", "sleep.2")
    waits = found.ops["a"][found.ops["code"] == n.OP_WAIT].tolist()
    kills = found.ops["a"][found.ops["code"] == n.OP_KILL].tolist()
    assert (waits, kills) == ([0, 1], [1, 0])


def test_a_job_of_a_while_has_the_same_name_in_every_round() -> None:
    text = "while true; do sleep 5 & P=$!; sleep 1 & Q=$!; kill $P; wait $Q; done"
    found = plan(text)
    assert found.slots == ("sleep", "sleep.2")
    forks = found.ops[found.ops["code"] == n.OP_FORK]
    assert forks["b"].tolist() == [0, 1, 0, 1] and set(forks["bits"]) == {n.FORK_ANEW | n.FORK_SHELL}
    assert set(found.ops["a"][found.ops["code"] == n.OP_KILL]) == {0}
    assert set(found.ops["a"][found.ops["code"] == n.OP_WAIT]) == {1}
    assert listing(text)[-1] == f"jump {len(listing(text)) // 2} 0 0 0"  # the second writing repeats itself


def test_a_list_in_the_background_is_a_shell_of_its_own() -> None:
    assert listing("while true; do sleep 1; done & kill $!")[:2] == ["fork 2 0 0 0 bits 4", "jump 6 0 0 0"]
    found = plan("A=1; while true; do A=2; sleep 1; done & echo $A; sleep 1 && sleep 2 & echo x & wait")
    assert [t.text for t in found.texts] == ["1", "x"]
    assert found.slots == ("sh", "sh.2", "sh.3")
    assert [found.comms[c] for c in found.ops["c"][found.ops["code"] == n.OP_FORK]] == ["sh"] * 3


def test_or_else() -> None:
    assert listing("sleep 1 || sleep 2 && sleep 3") == [
        "sleep 1000000000 0 0 0",
        "jump 3 0 0 0 bits 1",
        "sleep 2000000000 0 0 0",
        "jump 5 0 0 0 bits 2",
        "sleep 3000000000 0 0 0",
    ]
    assert listing("sleep 1 || true && sleep 3") == [
        "sleep 1000000000 0 0 0", "jump 3 0 0 0 bits 1", "status 0 0 0 0", "sleep 3000000000 0 0 0",
    ]  # fmt: skip
    assert listing("sleep 1 || false && sleep 3")[2:4] == ["status 1 0 0 0", "jump 5 0 0 0 bits 2"]


def test_a_group_that_some_command_makes_can_be_used_anywhere() -> None:
    """Whether it is there shows the run; a group that no command makes is an error before it."""
    for text in (
        "sleep 1 && cgcreate -g memory:A; cgexec -g memory:A sleep 1",
        "cgset -r memory.limit_in_bytes=64M A || cgcreate -g memory:A",
        "cgcreate -g memory:A; cgdelete memory:A; cgset -r memory.limit_in_bytes=64M A",
        "sleep 1 && mkdir /cgroup/memory/A & cgget A",
        "while true; do cgget A || cgcreate -g memory:A; cgdelete memory:A; done",
    ):
        found = plan(text)
        assert found.groups == ("", "A") and (found.ops["code"] == n.OP_CG_CREATE).sum() == 1


def test_what_is_only_removed_is_no_group_of_the_machine() -> None:
    found = plan("cgdelete memory:A || rmdir /cgroup/memory/B/C; cgcreate -g memory:D; mkdir /cgroup/memory/E/F")
    assert found.groups == ("", "D")
    assert found.ops["a"][found.ops["code"] == n.OP_STATUS].tolist()[:2] == [2, 2]  # ENOENT


def test_jobs_join_groups() -> None:
    b = "/sys/fs/cgroup/memory/B"
    found = plan(
        f"cgcreate -g memory:B\nsleep 1 & P=$!\nsleep 2 &\ncgclassify -g memory:B --sticky $P %2 $!\n"
        f"echo $P > {b}/tasks; echo $! > {b}/cgroup.procs; echo $P > /cgroup/memory/tasks; cgclassify -gmemory:/ $P"
    )
    moves = found.ops[found.ops["code"] == n.OP_CLASSIFY]
    assert list(zip(moves["a"], moves["b"], strict=True)) == [
        (1, 0),
        (1, 1),
        (1, 1),
        (1, 1),
        (1, 1),
        (1, 0),
        (1, 1),
        (0, 0),
        (0, 0),
    ]  # fmt: skip - the jobs of the first command again, for when one before them could not be moved
    assert moves["bits"].tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert {t.text for t in found.texts if "classify" in t.text or "echo" in t.text} == {
        "cgclassify: B: ", "echo: B: ", "echo: /: ", "cgclassify: /: ",
    }  # fmt: skip


@pytest.mark.parametrize("who", ["$$", "0"])
def test_the_shell_joins_a_group(who: str) -> None:
    joins = f"{MAKE_A}echo {who} > /cgroup/memory/A/tasks; ls; "
    found = plan(joins + "cgexec -g memory:/ sleep 1; cgclassify -g memory:/ $$; sleep 2", PROGRAMS)
    assert found.ops["a"][found.ops["code"] == n.OP_ATTACH].tolist() == [1, 0, 0]  # sleep 1 leaves the shell's group
    assert not any(file.warm for file in found.files)  # of ls, which runs in A
    assert any(file.warm for file in plan(joins + "cgclassify -g memory:/ $$; ls", PROGRAMS).files)


def test_force_empty() -> None:
    found = plan(MAKE_A + "cgset -r memory.force_empty=0 A; echo 0 > /cgroup/memory/A/memory.force_empty")
    sets = found.ops[found.ops["code"] == n.OP_CG_SET]
    assert list(zip(sets["a"], sets["b"], sets["c"], strict=True)) == [(1, n.CG_FORCE_EMPTY, 0)] * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("while true; do sleep 1", "s.sh:1:1: 'done' is missing: 'while' has no end (while true; do ...; done)"),
        ("while true\nsleep 1; done", "s.sh:2:10: 'do' is missing after 'while' (while true; do ...; done)"),
        ("while true; do done", "s.sh:1:13: no command between 'do' and 'done' (while true; do sleep 1; done)"),
        ("while; do ls; done", "s.sh:1:6: no command before ';' (a command, then ;, &, && or ||)"),
        ("while do ls; done", "s.sh:1:1: a condition is missing after 'while' (while true; do ...; done)"),
        ("ls=; done", "s.sh:1:6: 'done' without a loop before it (while true; do ...; done)"),
        ("do true", "s.sh:1:1: 'do' without a loop before it (while true; do ...; done)"),
        ("while true; do ls; done ls", "s.sh:1:25: ';' or a new line is missing after 'done': 'ls'"
         " (while true; do ...; done)"),
        ("while true; do ls; done > /cgroup/memory/A/tasks", "s.sh:1:27: the output of several commands cannot go"
         " to such a file (echo VALUE > FILE)"),
        ("for 1 in a; do ls; done", "s.sh:1:5: a variable's name is missing after 'for'"
         " (for i in 1 2 3; do ...; done)"),
        ("if ls; ls; fi", "s.sh:1:12: 'then' is missing after 'if' (if COMMAND; then ...; fi)"),
        ("if ls; then ls", "s.sh:1:1: 'fi' is missing: 'if' has no end (if COMMAND; then ...; fi)"),
        ("(ls", "s.sh:1:1: ')' is missing: '(' has no end (a ) ends it)"),
        ("f() { ls;", "s.sh:1:5: '}' is missing: '{' has no end (a } ends it)"),
        ("f() { f; }; f", "s.sh:1:7: 'f' calls itself, or more than 16 functions call each other (a loop)"),
        ("case x in a) ls", "s.sh:1:1: 'esac' is missing: 'case' has no end (case $X in a) ...;; esac)"),
        ("for i in a do ls; done", "s.sh:1:19: 'do' is missing after 'for' (while true; do ...; done)"),
        ("for ((i=0;i<3;i++)); do ls; done", "s.sh:1:5: arithmetic is not understood here: '(('"
         " ($((1 + 2)) is a value; for i in 1 2 3)"),
        ("echo $((1+))", "s.sh:1:6: a number is missing in the arithmetic ($((1 + 2)))"),
        ("echo $((1/0))", "s.sh:1:6: a division by zero (another number)"),
        ("for i in $(ls); do sleep 1; done", "s.sh:1:10: a command substitution is not understood here: '$('"
         " (write the value itself; of a group's files $(cat FILE) is known, and $(nproc), $(seq 1 5), $(pwd))"),
        ("for i in $(seq x); do sleep 1; done", "s.sh:1:16: 'x' is not a whole number"
         " ($(seq 5), $(seq 1 5), $(seq 1 2 9))"),
        ("echo $(seq 1 0 2)", "s.sh:1:8: a step of 0 never arrives (1 or more)"),
        ("echo {1..99999}", "s.sh:1:6: more than 10000 numbers (while true; do ...; done has no end)"),
        ("echo {1..200}{1..200}", "s.sh:1:6: more than 10000 words (while true; do ...; done has no end)"),
        ("echo {a,b", "s.sh:1:6: a list in braces is not understood here: '{a,b'"
         " ({1..5}, {a,b}, $(seq 1 $N), or the words)"),
        ("N=5; echo {1..$N}", "s.sh:1:11: a list in braces is not understood here: '{1..'"
         " ({1..5}, {a,b}, $(seq 1 $N), or the words)"),
        ("echo $1", "s.sh:1:6: there is no argument $1 (none given: cowpath run FILE ARGUMENT ...)"),
        ("echo x \"a ${X^^}\"", "s.sh:1:11: a variable is not understood here: '${X^^}'"
         " (variables are $NAME, ${NAME}, ${NAME:-WORD}, $1, $#, $@, $?, $! and $$)"),
        ("echo ${X:?say it}", "s.sh:1:6: X: say it (X=VALUE sets it)"),
        ("LIMIT=64M; echo $LIMT", "s.sh:1:17: no variable is called 'LIMT' here"
         " (did you mean LIMIT? LIMT=VALUE sets it, or --env LIMT=VALUE)"),
        (SET + "L=Q; cgset -r memory.limit_in_bytes=$L A", "s.sh:3:15: 'Q' is not a limit"
         " (the kernel reads a whole number with K, M, G or T: 64M; -1: no limit)"),
        ("sleep 1 && A=1; echo $A", "s.sh:1:22: $A depends on how a command before it ends, which is not known"
         " before the run (the same value on both ways)"),
        (MAKE_A + "sleep 1 && cd /cgroup/memory; cat A/memory.stat", "s.sh:2:35: 'A/memory.stat': the directory"
         " depends on how a command before it ends (the whole path, from / on)"),
        ("A=1; while true; do A=$A$A; done", "s.sh:1:6: $A changes in every round of this loop, and what it is must be"
         " known before the run (for i in $(seq 1 10); do ...; done has as many rounds as are written)"),
        ("sleep 1 & A=$!; while true; do sleep 1 & B=$!; kill $A; A=$B; done",
         "s.sh:1:53: the job of $A is of an earlier round: the loop has started it anew since"
         " (wait for it, or kill it, before the loop starts it again)"),
        ("for i in {1..200}; do for j in {1..200}; do sleep 1; done; done",
         f"s.sh:1:45: the script's loops stand for more than {MOST_COMMANDS} commands"
         " (fewer rounds of 'for'; while true; do ...; done has no end)"),
        ("break", "s.sh:1:1: break out of 1 loops: there is no loop around it (in do ... done)"),
        ("while true; do continue 2; done", "s.sh:1:16: continue out of 2 loops: there are 1 loops around it"
         " (in do ... done)"),
        ("while true; do break; done & while true; do sleep 1 && break & done",
         "s.sh:1:56: break out of 1 loops: there is no loop around it (in do ... done)"),
        ("while true; do break all; done", "s.sh:1:22: break takes a number of loops (break, break 2)"),
        ("while true; do " * 9 + "ls" + "; done" * 9,
         "s.sh:1:121: more than 8 loops within each other (at most 8)"),
        ("sleep 1 & ls $!", "s.sh:1:14: a task's number is not known before the run: '%1'"
         " (a job can be given to wait, kill, cgclassify and echo JOB > tasks)"),
        ("ls pid $$", "s.sh:1:8: a task's number is not known before the run: '$$'"
         " (a job can be given to wait, kill, cgclassify and echo JOB > tasks)"),
        ("wait $$", "s.sh:1:6: not a background job: '$$' (jobs are $!, %1, or $NAME after NAME=$!)"),
        ("P=5; wait $P", "s.sh:1:11: not a background job: '5' (jobs are $!, %1, or $NAME after NAME=$!)"),
        ("kill %%", "s.sh:1:6: no such background job: %% (jobs are started with '&': none so far)"),
        (MAKE_A + "cgclassify -g memory:A", "s.sh:2:1: cgclassify needs a job (cgclassify -g memory:A $!)"),
        (MAKE_A + "cgclassify $!", "s.sh:2:12: no such background job: $! (jobs are started with '&': none so far)"),
        (MAKE_A + "sleep 1 & cgclassify $!", "s.sh:2:11: cgclassify needs -g memory:GROUP, once"
         " (cgclassify -g memory:A $!)"),
        (MAKE_A + "echo 77 > /cgroup/memory/A/tasks", "s.sh:2:6: not a background job: '77'"
         " (jobs are $!, %1, or $NAME after NAME=$!)"),
        (MAKE_A + "sleep 1 & cgclassify -g memory:B $!", "s.sh:2:32: no such group: 'B'"
         " (cgcreate -g memory:B first)"),
        (MAKE_A + "cgset -r tasks=1 A", "s.sh:2:10: tasks cannot be written (echo $! > tasks, or cgclassify)"),
        (MAKE_A + "cgget -r memory.force_empty A", "s.sh:2:10: memory.force_empty cannot be read"
         " (what is written to it empties the group, and it shows nothing)"),
        ("make > /sys/x &", "s.sh:1:8: '/sys/x' is not modelled (/sys/fs/cgroup/A/memory.max, /dev/null,"
         " /proc/sys/vm/...)"),
    ],
)  # fmt: skip
def test_errors(text: str, expected: str) -> None:
    assert error(text) == expected


def test_no_value_grows_without_bound() -> None:
    assert "has more than 100000 characters" in error("X=xxxxxxxx; for i in {1..40}; do X=$X$X; done")
