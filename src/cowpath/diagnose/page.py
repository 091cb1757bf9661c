"""A diagnosis as a page: ``cowpath diagnose --report FILE.html``."""

from __future__ import annotations

from pathlib import Path

from cowpath.diagnose import answer, show
from cowpath.diagnose.verdict import Diagnosis
from cowpath.report import html
from cowpath.report.graph import Graph, Node, lay, svg

MOST_DRAWN = 40  # arrows


def write(target: Path, told: Diagnosis) -> None:
    """Write the page, whole or not at all."""
    drawn = graph_of(told)
    label = f"who can be behind whom: {len(drawn.nodes)} boxes, {len(drawn.edges)} arrows"
    found = answer.as_json(told)
    ooms = [list(show.oom(report)) for report in found["oom"]]
    html.write(target, html.render("diagnose.html.j2", told=found, graph=svg(drawn, label), ooms=ooms))


def graph_of(told: Diagnosis) -> Graph:
    """Tasks, the locks between them, and the memory at the end; a lock that is only possible says so."""
    graph = Graph()
    for place in told.stalled[:MOST_DRAWN]:
        each = told.tasks[place]
        memory = f"memory of {each.for_memory_of}"
        task(graph, told, place)
        graph.nodes.setdefault(memory, Node(memory, "memory", (memory,)))
        graph.edges[f"task {place}", memory] = each.waits_for.removeprefix("memory: ")
    for edge in told.edges[:MOST_DRAWN]:
        task(graph, told, edge.waiter)
        task(graph, told, edge.holder)
        lock = f"lock {edge.lock} {edge.waiter if not edge.certain else edge.holder}"
        graph.nodes.setdefault(lock, Node(lock, "lock", (edge.lock,)))
        graph.edges[f"task {edge.waiter}", lock] = "waits for"
        graph.edges[lock, f"task {edge.holder}"] = "held by" if edge.certain else "may be held by"
    lay(graph)
    return graph


def task(graph: Graph, told: Diagnosis, place: int) -> None:
    """The box of a task."""
    each = told.tasks[place]
    key = f"task {place}"
    graph.nodes.setdefault(
        key, Node(key, "task", (each.task.label, f"in {each.task.group}" if each.task.group else ""))
    )
