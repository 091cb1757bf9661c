"""Who waits for whom, drawn: tasks and what they wait for as boxes, from the waiters down to the memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from xml.sax.saxutils import escape, quoteattr

from markupsafe import Markup

from cowpath.observe.words import Chain, Hop

WIDTH, HEIGHT, GAP_X, GAP_Y = 236, 44, 18, 40  # of a box, and between boxes, in px
MOST_IN_A_ROW = 3  # more tasks that wait for the same thing become one box
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
    """Boxes, and arrows between them: ``(from, to, words)``."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str], str] = field(default_factory=dict)


def graph_of(chains: Sequence[Chain]) -> Graph:
    """The chains as one graph: what is the same task or the same lock in several of them is one box."""
    graph = Graph()
    for chain in _few(chains):
        before = ""
        for i, hop in enumerate(chain.hops):
            task = _task(graph, hop)
            if before:
                graph.edges[before, task] = chain.hops[i - 1].by
            thing = _thing(graph, hop, chain.hops[i + 1].who if i + 1 < len(chain.hops) else chain.deadlock)
            graph.edges[task, thing] = "waits for" if thing != task else ""
            before = thing
        if chain.deadlock and before:
            graph.edges[before, chain.deadlock] = chain.hops[-1].by
    _lay(graph)
    return graph


def _few(chains: Sequence[Chain]) -> Iterable[Chain]:
    """Chains with the same tail are drawn for a few of their first tasks, and for the rest together."""
    tails: dict[tuple[Hop | str, ...], list[Chain]] = {}
    for chain in chains:
        if chain.hops:
            tails.setdefault((chain.hops[0].waits_for, *chain.hops[1:]), []).append(chain)
    for alike in tails.values():
        yield from alike[: MOST_IN_A_ROW if len(alike) == MOST_IN_A_ROW else MOST_IN_A_ROW - 1]
        rest = alike[MOST_IN_A_ROW - 1 :]
        if len(alike) > MOST_IN_A_ROW:
            first = rest[0].hops[0]
            crowd = Hop(f"{len(rest)} more tasks", "", first.waits_for, first.by)
            yield Chain((crowd, *rest[0].hops[1:]), rest[0].deadlock)


def _task(graph: Graph, hop: Hop) -> str:
    graph.nodes.setdefault(hop.who, Node(hop.who, "task", (hop.task, f"in {hop.group}" if hop.group else "")))
    return hop.who


def _thing(graph: Graph, hop: Hop, holder: str) -> str:
    """The box of what a task waits for; of a task that waits for nothing, its own.

    Every address space has an mmap_sem: which one is known by who holds it.
    """
    if not hop.waits_for.startswith("waits "):
        node = graph.nodes[hop.who]
        node.lines = (node.lines[0], " ".join(part for part in (node.lines[1], hop.waits_for) if part))
        return hop.who
    words = hop.waits_for.removeprefix("waits ").removeprefix("for ").removeprefix("the ")
    title, _, rest = words.partition(": ")
    kind = "memory" if "'s memory" in title else "lock"
    if not rest and " of " in title:
        title, _, rest = title.partition(" of ")
    key = words if rest else f"{words} {holder}"
    graph.nodes.setdefault(key, Node(key, kind, (title, rest)))
    return key


def _lay(graph: Graph) -> None:
    """Each box one row below the lowest of those that point to it; an arrow back up (a deadlock) moves nothing."""
    for _ in graph.nodes:
        for (start, end), _words in graph.edges.items():
            if start != end and not _leads(graph, end, start):
                graph.nodes[end].depth = max(graph.nodes[end].depth, graph.nodes[start].depth + 1)


def _leads(graph: Graph, start: str, end: str) -> bool:
    """Arrows lead from one box to another one; then an arrow the other way is part of a cycle, and goes back up."""
    order = list(graph.nodes)
    seen, todo = {start}, [start]
    while todo:
        at = todo.pop()
        if at == end:
            return order.index(start) < order.index(end)
        found = [b for a, b in graph.edges if a == at and b not in seen]
        seen.update(found)
        todo += found
    return False


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
