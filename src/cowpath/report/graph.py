"""Who waits for whom, drawn: tasks and what they wait for as boxes, from the waiters down to the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from textwrap import wrap
from xml.sax.saxutils import escape, quoteattr

from markupsafe import Markup

from cowpath.kernel import names as n
from cowpath.observe.words import Chain, Hop, Thing, alike

WIDTH, HEIGHT, GAP_X, GAP_Y = 236, 44, 18, 40  # of a box, and between boxes, in px
MOST_IN_A_ROW = 3  # more tasks that wait for the same thing become one box
MOST_TAILS = 6  # different chains that are drawn
ROOM_BACK = 96  # at the right, for arrows of a deadlock
LETTERS = 31  # that fit into a box
LINES = 'fill="none" stroke="currentColor" font-size="13"'
INK = 'fill="currentColor" stroke="none"'  # of texts where there is no style sheet: in a notebook
LABEL_LETTERS = 21  # ... into a line beside an arrow, which may have two


@dataclass
class Node:
    """A box: a task, a lock, or a group's memory."""

    key: str
    kind: str  # task, lock or memory
    lines: tuple[str, ...]
    depth: int = 0


@dataclass
class Graph:
    """Boxes by key, and arrows between them: from which box to which, and what is said beside it."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str], str] = field(default_factory=dict)


def graph_of(chains: Sequence[Chain]) -> Graph:
    """The chains as one graph: what is the same task or the same lock in several of them is one box."""
    graph = Graph()
    for chain in _few(chains):
        before, said = "", ""
        for hop in chain.hops:
            task = _task(graph, hop)
            if before:
                graph.edges[before, task] = said
            before, said = task, hop.by
            if hop.thing is not None:
                before = _thing(graph, hop.thing)
                graph.edges[task, before] = "waits for"
        if chain.deadlock:
            back = next((hop for hop in chain.hops if hop.who == chain.deadlock), chain.hops[0])
            graph.edges[before, _task(graph, back)] = said
    lay(graph)
    return graph


def _few(chains: Sequence[Chain]) -> Iterator[Chain]:
    """Chains with the same tail are drawn for a few of their first tasks, and for the rest together."""
    for number, same in enumerate(alike(chains)[:MOST_TAILS]):
        if len(same) <= MOST_IN_A_ROW:
            yield from same
            continue
        yield from same[: MOST_IN_A_ROW - 1]
        rest = same[MOST_IN_A_ROW - 1 :]
        crowd = replace(rest[0].hops[0], number=-1 - number, task=f"{len(rest)} more tasks", group="")
        yield Chain((crowd, *rest[0].hops[1:]), rest[0].deadlock)


def _task(graph: Graph, hop: Hop) -> str:
    """The box of a task: what it does stands in it, if it waits for no thing."""
    key = f"task {hop.number}"
    does = "" if hop.thing is not None else hop.waits_for
    group = f"in {hop.group}" if hop.group else ""
    graph.nodes.setdefault(key, Node(key, "task", (hop.task, ", ".join(part for part in (group, does) if part))))
    return key


def _thing(graph: Graph, thing: Thing) -> str:
    key = f"thing {thing.kind} {thing.what}"
    kind = "memory" if thing.kind == n.W_MEMORY else "lock"
    graph.nodes.setdefault(key, Node(key, kind, (thing.title, thing.rest)))
    return key


def lay(graph: Graph) -> None:
    """Each box one row below the lowest of those that point to it; an arrow back up (a deadlock) moves nothing."""
    after: dict[str, list[str]] = {key: [] for key in graph.nodes}
    for start, end in graph.edges:
        after[start].append(end)
    order: list[str] = []  # each box after those that it leads to
    state: dict[str, int] = {}  # 1: on the way to it, 2: done

    def visit(key: str) -> None:
        state[key] = 1
        after[key] = [end for end in after[key] if state.get(end) != 1]  # what leads back up
        for end in after[key]:
            if end not in state:
                visit(end)
        state[key] = 2
        order.append(key)

    for key in graph.nodes:
        if key not in state:
            visit(key)
    for key in reversed(order):
        for end in after[key]:
            graph.nodes[end].depth = max(graph.nodes[end].depth, graph.nodes[key].depth + 1)


def svg(graph: Graph, label: str) -> Markup:
    """The graph as inline SVG, in the page's colours; ``label`` says for a screen reader what it shows."""
    if not graph.nodes:
        return Markup("")
    rows: dict[int, list[Node]] = {}
    for node in graph.nodes.values():
        rows.setdefault(node.depth, []).append(node)
    wide = max(len(row) for row in rows.values())
    width = wide * (WIDTH + GAP_X)
    if any(graph.nodes[a].depth > graph.nodes[b].depth for a, b in graph.edges):
        width += ROOM_BACK
    height = (max(rows) + 1) * (HEIGHT + GAP_Y)
    places = {}
    for depth, row in rows.items():
        for i, node in enumerate(row):  # from the left, which is what a phone shows
            places[node.key] = (4.0 + i * (WIDTH + GAP_X), 4.0 + depth * (HEIGHT + GAP_Y))
    straightest: dict[tuple[str, str], float] = {}  # of the arrows that say the same and lead to the same box
    for (a, b), words in graph.edges.items():
        aside = abs(places[a][0] - places[b][0])
        straightest[b, words] = min(aside, straightest.get((b, words), aside))
    parts = []
    for (a, b), words in graph.edges.items():
        said = words if abs(places[a][0] - places[b][0]) == straightest[b, words] else ""
        parts += [_arrow(places[a], places[b], said)] if a != b else []
    parts += [_box(node, *places[node.key]) for node in graph.nodes.values()]
    head = (f'<svg class="graph" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" aria-label={quoteattr(label)} {LINES}><defs><marker id="tip" '
            'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse">'
            '<path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>')  # fmt: skip
    return Markup(head + "".join(parts) + "</svg>")  # every text in it is escaped


def _box(node: Node, x: float, y: float) -> str:
    texts = [line for line in node.lines if line]
    lines = []
    for i, line in enumerate(texts):
        down = y + HEIGHT / 2 + 5 + (i - (len(texts) - 1) / 2) * 16
        small = ' class="small"' if i else ""
        lines.append(
            f'<text{small} x="{x + WIDTH / 2:g}" y="{down:g}" text-anchor="middle" {INK}>{escape(_short(line))}</text>'
        )
    corner = HEIGHT / 2 if node.kind == "task" else 4
    return (f'<g class="{node.kind}"><title>{escape(" ".join(texts))}</title><rect x="{x:g}" y="{y:g}" '
            f'width="{WIDTH}" height="{HEIGHT}" rx="{corner:g}"/>{"".join(lines)}</g>')  # fmt: skip


def _arrow(start: tuple[float, float], end: tuple[float, float], words: str) -> str:
    x1, y1, x2, y2 = start[0] + WIDTH / 2, start[1] + HEIGHT, end[0] + WIDTH / 2, end[1]
    middle = (y1 + y2) / 2
    curve = f"M{x1:g} {y1:g}C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}"
    if y2 < y1:  # back up, past the boxes' right sides
        x1, x2, y1, y2 = start[0] + WIDTH, end[0] + WIDTH, start[1] + HEIGHT / 2, end[1] + HEIGHT / 2
        side, middle = max(x1, x2) + ROOM_BACK / 2, (y1 + y2) / 2
        curve = f"M{x1:g} {y1:g}C{side:g} {y1:g} {side:g} {y2:g} {x2:g} {y2:g}"
        x1 = x2 = side - 24
    path = f'<path d="{curve}" marker-end="url(#tip)"/>'
    if not words:
        return path
    lines = wrap(words, LABEL_LETTERS)[:2]
    left, top = (x1 + x2) / 2 + 8, middle + 4 - (len(lines) - 1) * 6.5
    return path + "".join(_label(line, left, top + i * 13) for i, line in enumerate(lines))


def _label(text: str, x: float, y: float) -> str:
    return f'<text class="small" x="{x:g}" y="{y:g}" {INK}>{escape(text)}</text>'


def _short(text: str) -> str:
    """What fits into a box: the rest stands in the box's title."""
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
