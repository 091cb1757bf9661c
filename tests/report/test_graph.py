"""The graph of who waits for whom."""

from __future__ import annotations

import re

from cowpath.kernel import names as n
from cowpath.observe.words import Chain, Hop, Thing
from cowpath.report.graph import MOST_IN_A_ROW, MOST_TAILS, graph_of, svg

PAGE = Thing(n.W_PAGE_LOCK, 7, "page lock", "libc.so.6 page 31")
MEMORY = Thing(n.W_MEMORY, 1, "A's memory", "limit 64M, OOM killer off")
HOLDER = Hop(2, MEMORY, "gcc[2]", "A", "waits for A's memory: limit 64M, OOM killer off", "")


def waiter(number: int, thing: Thing = PAGE) -> Hop:
    return Hop(number, thing, f"wc[{number}]", "", "waits for the page lock of libc.so.6 page 31", "held by")


def test_a_chain_is_a_column() -> None:
    graph = graph_of([Chain((waiter(1), HOLDER))])
    assert [(node.kind, node.lines[0], node.depth) for node in graph.nodes.values()] == [
        ("task", "wc[1]", 0), ("lock", "page lock", 1), ("task", "gcc[2]", 2), ("memory", "A's memory", 3),
    ]  # fmt: skip
    assert list(graph.edges.values()) == ["waits for", "held by", "waits for"]


def test_a_crowd_is_one_box() -> None:
    graph = graph_of([Chain((waiter(number), HOLDER)) for number in range(10, 50)])
    tasks = [node.lines[0] for node in graph.nodes.values() if node.kind == "task"]
    assert tasks == ["wc[10]", "gcc[2]", "wc[11]", f"{40 - MOST_IN_A_ROW + 1} more tasks"]


def test_a_deadlock_leads_back_up() -> None:
    one, other = Thing(n.W_MMAP_READ, 1, "mmap_sem", "(to read)"), Thing(n.W_MMAP_READ, 2, "mmap_sem", "(to write)")
    hops = (waiter(1, one), Hop(2, other, "b[2]", "", "waits for mmap_sem (to write)", "held by"))
    graph = graph_of([Chain(hops, "wc[1]")])
    assert [node.depth for node in graph.nodes.values()] == [0, 1, 2, 3]
    assert ("thing 2 2", "task 1") in graph.edges
    assert svg(graph, "a deadlock").count("<path d=") == 5  # four arrows, and the tip


def test_two_locks_of_one_name_are_two_boxes() -> None:
    again = Thing(n.W_PAGE_LOCK, 8, PAGE.title, PAGE.rest)
    graph = graph_of([Chain((waiter(1),)), Chain((waiter(3, again),))])
    assert sum(node.kind == "lock" for node in graph.nodes.values()) == 2


def test_as_many_as_can_be_seen() -> None:
    things = [Thing(n.W_PAGE_LOCK, number, "page lock", f"lib page {number}") for number in range(300)]
    graph = graph_of([Chain((waiter(number, thing), HOLDER)) for number, thing in enumerate(things)])
    assert sum(node.kind == "lock" for node in graph.nodes.values()) == MOST_TAILS


def test_a_task_that_runs_says_so_in_its_own_box() -> None:
    graph = graph_of([Chain((waiter(1), Hop(2, None, "cc1[2]", "A", "is in copy_page", "")))])
    assert graph.nodes["task 2"].lines == ("cc1[2]", "in A, is in copy_page")


def test_names_stay_text() -> None:
    nasty = "<script>alert(1)</script>\"'&"
    hop = Hop(1, Thing(n.W_PAGE_LOCK, 1, "page lock", nasty), nasty, nasty, "waits", "held by")
    drawn = str(svg(graph_of([Chain((hop,), nasty)]), nasty))
    assert "<script" not in drawn
    assert re.findall(r"<(\w+)", drawn)[0] == "svg"
