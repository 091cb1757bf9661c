"""What the shell's program does, instruction by instruction."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.session.load import plan_session
from cowpath.session.plan import Plan
from cowpath.session.table import Table


def plan(text: str) -> Plan:
    return plan_session(text, "s.sh", Table(bystanders=()))


def listing(text: str) -> list[str]:
    """The image as text: "fork 5 0 0 0", with bits where there are any."""
    return [
        " ".join([n.OP_NAMES[op["code"]], *(str(op[x]) for x in "abcd")])
        + (f" bits {op['bits']}" if op["bits"] else "")
        for op in plan(text).ops
        if op["code"] != n.OP_KTHREAD
    ]


def test_a_refused_value_prints_an_error_and_goes_on() -> None:
    text = "cgcreate -g memory:A; cgset -r memory.limit_in_bytes=64M -r memory.memsw.limit_in_bytes=32M A"
    assert listing(text)[3:] == [
        "cg_set 1 0 16384 0",
        "jump 7 0 0 0 bits 1",
        "host 1 0 0 0 bits 1",
        "jump 10 0 0 0",  # the first refused file ends cgset
        "cg_set 1 1 8192 0",
        "jump 10 0 0 0 bits 1",
        "host 2 0 0 0 bits 1",
        "exit 0 0 0 0",
    ]
    last = plan(text).texts[-1]
    assert (last.kind, last.group, last.text, last.line) == ("error", 1, "cgset: A: memory.memsw.limit_in_bytes: ", 1)


def test_foreground_background_and_jobs() -> None:
    assert listing("sleep 2 & sleep 1\nwait $!\nkill %1; wait") == [
        "fork 6 0 0 0 bits 4",
        "sleep 1000000000 0 0 0",
        "wait 0 0 0 0",
        "kill 0 0 0 0 bits 1",
        "wait -2 0 0 0",
        "exit 0 0 0 0",
        "jump 7 0 0 0",
        "exec 8 0 0 0",
        "sleep 2000000000 0 0 0",
        "exit 0 0 0 0",
    ]


def test_a_command_in_a_group_on_a_cpu() -> None:
    ops = listing("cgcreate -g memory:A; taskset -c 1 cgexec -g memory:A sleep 1")[3:]
    assert ops == [
        "fork 6 0 0 2 bits 4",
        "wait 0 0 0 0",
        "exit 0 0 0 0",
        "attach 1 2 0 0",
        "host 1 0 0 0 bits 1",  # the group is not there
        "exit 1 0 0 0",
        "affinity 1 0 0 0",
        "jump 11 0 0 0",
        "exec 12 0 0 0",
        "sleep 1000000000 0 0 0",
        "exit 0 0 0 0",
    ]


def test_and_skips_what_follows_a_failure() -> None:
    assert listing("sleep 1 && sleep 2 && sleep 3; sleep 4") == [
        "sleep 1000000000 0 0 0",
        "jump 3 0 0 0 bits 2",
        "sleep 2000000000 0 0 0",
        "jump 5 0 0 0 bits 2",
        "sleep 3000000000 0 0 0",
        "sleep 4000000000 0 0 0",
        "exit 0 0 0 0",
    ]


def test_groups_and_their_parents() -> None:
    groups = plan(
        "cgcreate -g memory:A/B -g memory:C; mkdir /cgroup/memory/C/D; cgdelete -r memory:A; mkdir /cgroup/memory/A"
    )
    assert groups.groups == ("", "A", "A/B", "C", "C/D")
    assert groups.parents == (n.NONE, 0, 1, 0, 3)
    ops = groups.ops
    assert list(ops["a"][ops["code"] == n.OP_CG_CREATE]) == [1, 2, 3, 4, 1]
    assert list(ops["b"][ops["code"] == n.OP_CG_CREATE]) == [0, 1, 0, 3, 0]
    assert list(ops["a"][ops["code"] == n.OP_CG_DELETE]) == [1]
    assert list(ops["bits"][ops["code"] == n.OP_CG_DELETE]) == [n.DELETE_TREE]


def test_what_is_shown() -> None:
    texts = plan("cgcreate -g memory:A; cgget -r memory.stat A; cat /cgroup/memory/memory.stat; echo a  'b  c'").texts
    assert [(t.kind, t.group, t.files, t.text) for t in texts[1:]] == [
        ("cgget", 1, ("memory.stat",), "A"),
        ("cat", 0, ("memory.stat",), "/"),
        ("echo", 0, (), "a b  c"),
    ]
