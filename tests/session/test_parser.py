"""What the shell understands, and what it says where it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.expand import expand_command
from cowpath.session.load import plan_session
from cowpath.session.parser import action
from cowpath.session.plan import Plan
from cowpath.session.scope import Scope
from cowpath.session.syntax import read_script
from cowpath.session.table import Table
from cowpath.session.tree import Simple


def actions(text: str) -> list[c.Action]:
    """What each simple command of a script without loops and variables means."""
    scope, found = Scope(), []
    for command in (command for joined in read_script(text, "s.sh") for command in joined.commands):
        assert isinstance(command, Simple)
        expanded = expand_command(command, scope)
        assert expanded is not None
        found.append(action(expanded, scope))
    return found


def message(text: str, call: Callable[[str], object] | None = None) -> str:
    """The error that a script gives."""
    with pytest.raises(InputError) as caught:
        (call or whole)(text)
    assert caught.value.line is not None
    return str(caught.value)


def whole(text: str) -> Plan:
    return plan_session(text, "s.sh", Table(bystanders=()))


def test_the_commits_own_commands() -> None:
    create, limit, memsw, cd, make = actions(
        "cgcreate -g memory:A\n"
        "cgset -r memory.limit_in_bytes=64M A\n"
        "cgset -r memory.memsw.limit_in_bytes=64M A\n"
        "cd kernel_dir; cgexec -g memory:A make -j\n"
    )
    assert isinstance(create, c.Create) and [group.text for group in create.groups] == ["A"]
    assert isinstance(limit, c.Set) and [(s.file, s.value) for s in limit.settings] == [(n.CG_LIMIT, 16384)]
    assert isinstance(memsw, c.Set) and [(s.file, s.value) for s in memsw.settings] == [(n.CG_MEMSW_LIMIT, 16384)]
    assert isinstance(cd, c.Nothing)
    assert isinstance(make, c.Run) and make.group is not None
    assert (make.word.text, [a.text for a in make.arguments], make.group.text) == ("make", ["-j"], "A")


@pytest.mark.parametrize(
    "text",
    [
        "cgset -r memory.oom_control=1 A",
        "cgset -rmemory.oom_control=1 A",
        "echo 1 > /sys/fs/cgroup/memory/A/memory.oom_control",
        "echo 1 >/cgroup/memory/A/memory.oom_control",
        "cd /sys/fs/cgroup/memory/A; echo 1 > memory.oom_control",
        "cd /sys/fs/cgroup; cd memory/B; echo '1' > \"../A\"/memory.oom_control",
        "cd /sys/fs/cgroup/memory; cd; cd - && echo 1 > A/memory.oom_control",
        "cgset \\\n  -r memory.oom_control=1 \\\n A # a comment",
    ],
)
def test_ways_to_write_a_file(text: str) -> None:
    last = actions(text)[-1]
    assert isinstance(last, c.Set)
    assert ([g.text for g in last.groups], last.settings[0].file, last.settings[0].value) == (
        ["A"],
        n.CG_OOM_CONTROL,
        1,
    )


def test_joints() -> None:
    script = read_script("true && true || ls; make -j & wait $!\nsleep 1\n", "s.sh")
    assert [(len(joined.commands), joined.operators, joined.background) for joined in script] == [
        (3, ("&&", "||"), False),
        (1, (), True),
        (1, (), False),
        (1, (), False),
    ]


def test_wrappers_nest() -> None:
    (run,) = actions("taskset -c 1 cgexec -g memory:A/B --sticky ./bin/make -j 4")
    assert isinstance(run, c.Run) and run.group is not None
    assert (run.word.text, run.cpu, run.group.text) == ("./bin/make", 1, "A/B")


MAKE_A = "cgcreate -g memory:A\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "cgset -r memory.limit_in_bytes=Q A",
            "s.sh:1:32: 'Q' is not a limit (the kernel reads a whole number with K, M, G or T: 64M; -1: no limit)",
        ),
        (
            MAKE_A + "cgset -r memory.limit_in_byte=64M A",
            "s.sh:2:10: no such file: 'memory.limit_in_byte' (did you mean memory.limit_in_bytes?)",
        ),
        ("cgset -r memory.limit_in_bytes=64M A", "s.sh:1:36: no such group: 'A' (cgcreate -g memory:A first)"),
        (
            "cgcreate -g memory:build\ncgexec -g memory:biuld sleep 1",
            "s.sh:2:18: no such group: 'biuld' (did you mean build? cgcreate -g memory:biuld first)",
        ),
        (
            "cgcreate -g cpu:A",
            "s.sh:1:13: only the memory controller is modelled, not 'cpu' (memory:A)",
        ),
        (
            "ls | xargs rm",
            "s.sh:1:4: a pipe is not understood here: '|' (of what cat, cgget and echo print, to grep, head, tail, wc,"
            " cut, awk, sort, tr, tee; else one by one)",
        ),
        (
            "ls > /sys/fs/cgroup/memory.max",
            "s.sh:1:6: the output of a command cannot be redirected to such a file"
            " (echo VALUE > FILE, printf VALUE > FILE)",
        ),
        ("mkae -j", "s.sh:1:1: unknown command or program: 'mkae' ('cowpath programs' lists them)"),
        ("cgcraete -g memory:A", "s.sh:1:1: unknown command or program: 'cgcraete' (did you mean cgcreate?"
         " 'cowpath programs' lists them)"),
        ("kill $!", "s.sh:1:6: no such background job: $! (jobs are started with '&': none so far)"),
        ("sleep 1 &\nkill -9 %2", "s.sh:2:9: no such background job: %2 (jobs are started with '&': 1 so far)"),
        ("sleep 1 &\nb=$!\nwait $bb", "s.sh:3:6: no variable is called 'bb' here"
         " (did you mean b? bb=VALUE sets it, or --env bb=VALUE)"),
        ("sleep 1 & kill -USR1 $!", "s.sh:1:16: only SIGKILL, SIGTERM, SIGSTOP and SIGCONT are understood: '-USR1'"
         " (kill -9 $!, kill -STOP %1)"),
        ("sleep 5q", "s.sh:1:7: '5q' is not a time (a number with ns, us, ms, s, m or h: 5ms)"),
        ("echo 'x", "s.sh:1:6: a quote is not closed: ' (a second ' ends it)"),
        ("true &&", "s.sh:1:1: '&&' without a command after it (a command on either side)"),
        ("; true", "s.sh:1:1: no command before ';' (a command, then ;, &, && or ||)"),
        ("cat /etc/passwd", "s.sh:1:5: how large '/etc/passwd' is is not known"
         " ([files.\"/etc/passwd\"] with pages = N in the session's table)"),
        (MAKE_A + "cat /cgroup/memory/A/memory.max", "s.sh:2:5: no such file: 'memory.max'"
         " (cgroup v1 calls it memory.limit_in_bytes)"),
        (MAKE_A + "cgset -r memory.stat=1 A", "s.sh:2:10: memory.stat cannot be written"),
        (MAKE_A + "cgset -r memory.swappiness=101 A", "s.sh:2:28: '101' is not a value of memory.swappiness"
         " (a whole number from 0 to 100)"),
        (MAKE_A + "cgset -x A", "s.sh:2:7: unknown option of cgset: '-x' (understood: -r)"),
        ("taskset -c 99 ls", "s.sh:1:12: '99' is not one CPU's number (CPUs are numbered from 0 to 31)"),
        ("rmdir /sys/fs/cgroup/memory/A\ncgget A", "s.sh:2:7: no such group: 'A' (cgcreate -g memory:A first)"),
        ("mkdir /cgroup/memory/A/B; cgget A/B", "s.sh:1:33: no such group: 'A/B' (cgcreate -g memory:A/B first)"),
    ],
)  # fmt: skip
def test_errors(text: str, expected: str) -> None:
    assert message(text) == expected


@pytest.mark.parametrize("text", ["x=$(ls)", "`ls`", "((1))", "select i in a; do ls; done", "ls < x", "cat <<E"])
def test_what_is_not_understood_is_named(text: str) -> None:
    assert "understood" in message(text)


# fragments that scripts are made of, so that random texts get far into the parser
FRAGMENTS = st.sampled_from(
    [
        "cgcreate",
        "cgset",
        "cgget",
        "cgexec",
        "cgdelete",
        "echo",
        "cat",
        "cd",
        "mkdir",
        "sleep",
        "wait",
        "kill",
        "taskset",
        "make",
        "-g",
        "-r",
        "-c",
        "memory:A",
        "memory:A/B",
        "A",
        "B",
        "memory.limit_in_bytes=64M",
        "memory.stat=1",
        "/sys/fs/cgroup/memory/A/memory.stat",
        "$!",
        "$$",
        "$x",
        "${x}",
        "x=$!",
        "x=1",
        "while",
        "true",
        "until",
        "false",
        "for",
        "i",
        "in",
        "do",
        "done",
        "break",
        "continue",
        "$i",
        "{1..3}",
        "$(seq",
        "||",
        "cgclassify",
        "memory.force_empty=0",
        "/sys/fs/cgroup/memory/A/tasks",
        "%1",
        "-9",
        "1",
        "-1",
        "64M",
        "64Q",
        "&",
        "&&",
        ";",
        "|",
        ">",
        ">>",
        "<",
        "(",
        ")",
        "'",
        '"',
        "\\",
        "#",
        "\n",
        "`",
        "$(",
        "..",
        "/",
        "-j",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(FRAGMENTS | st.text(max_size=4), max_size=12), st.sampled_from(["", " "]))
def test_any_text_is_a_plan_or_an_input_error(words: list[str], joint: str) -> None:
    try:
        assert isinstance(whole(joint.join(words)), Plan)
    except InputError as error:
        assert error.problem


@given(st.text())
def test_any_characters_at_all(text: str) -> None:
    try:
        whole(text)
    except InputError as error:
        assert error.file == "s.sh"
