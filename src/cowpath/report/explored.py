"""An atlas as a page's script reads it: states, moves and words as numbers of what is in the page once.

A picture of a machine differs little from the one before: what is the same in several states is in the page once
(``parts``), so that the page is small and its script sees what a move has changed. Numbers are only added: a page that
asks for more while it is looked at (``checker.atlas`` grows) is told what is new.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cowpath.cases import Case
from cowpath.checker import schedule
from cowpath.checker.atlas import START, Atlas, Move, State, does
from cowpath.designs import Design
from cowpath.observe.text import clean

from .graph import graph_of, svg

BETWEEN_WORDS = 100  # states between two words of how far it is
Told = Callable[[str], None]  # what is done now
PARTS = ("tasks", "pages", "locks", "groups", "requests")


@dataclass(frozen=True)
class Seen:
    """How much of a book a page has: of the states, the parts, the words and the drawings the first so many."""

    states: int = 0
    parts: int = 0
    texts: int = 0
    graphs: int = 0


def nobody(doing: str) -> None:
    """Hears nothing."""


class Book:
    """What has been seen of an atlas. ``graphs``: the drawings of a page, which all its books share."""

    def __init__(self, atlas: Atlas, graphs: dict[str, int]) -> None:
        self.atlas, self.graphs = atlas, graphs
        self.parts: dict[str, int] = {}
        self.texts: dict[str, int] = {}
        self.states: list[dict[str, Any]] = []
        self.moves: dict[int, list[list[Any]]] = {}

    def catch_up(self) -> None:
        """Enter the states and moves that have been seen since."""
        self.states += [self._state(state) for state in self.atlas.states[len(self.states) :]]
        for number in range(len(self.states)):
            known = self.atlas.known(number)
            if known is not None and number not in self.moves:
                self.moves[number] = [self._move(move) for move in known]

    def _state(self, state: State) -> dict[str, Any]:
        picture = state.picture
        numbers: dict[str, Any] = {
            kind: [_number(self.parts, json.dumps(part, default=vars)) for part in getattr(picture, kind)]
            for kind in PARTS
        }
        waiting = [str(chain) for chain in picture.chains]
        drawn = str(svg(graph_of(picture.chains), "; ".join(waiting)))
        return numbers | {
            "waiting": [self._text(words) for words in waiting],
            "graph": _number(self.graphs, drawn) if drawn else None,
            "violates": [[self._text(name), self._text(reason)] for name, reason in state.violates],
        }

    def _move(self, move: Move) -> list[Any]:
        words = does(move.path, clean(move.step))
        did = [self._text(each) for each in move.did]
        return [move.mover, move.to, self._text(move.name), self._text(clean(move.name)), self._text(words), did,
                move.cost_ns]  # fmt: skip

    def _text(self, words: str) -> int:
        return _number(self.texts, words)

    def since(self, seen: Seen) -> dict[str, Any]:
        """What a page does not have yet. ``moves``: by the state, of all states whose moves are known."""
        new = range(seen.states, len(self.states))
        return {
            "parts": [json.loads(part) for part in list(self.parts)[seen.parts :]],
            "texts": list(self.texts)[seen.texts :],
            "states": self.states[seen.states :],
            "moves": {str(at): self.moves[at] for at in new if at in self.moves},
        }

    def whole(self) -> dict[str, Any]:
        """All that there is; with the paths of the design, and a schedule of no moves, for walks to be saved."""
        design, case = self.atlas.design, self.atlas.case
        paths = {name: steps for name, steps in design.paths.items() if steps}
        return self.since(Seen()) | {"paths": paths, "schedule": schedule.content(design, case), "about": case.path,
                                    "all": self.has_all}  # fmt: skip

    @property
    def has_all(self) -> bool:
        """Nothing is left that anybody could come to."""
        return len(self.moves) == len(self.states)


class Shelf:
    """The books of a page, which share its drawings. ``room``: how many more characters it may have."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.graphs: dict[str, int] = {}
        self.books: dict[tuple[str, ...], Book] = {}
        self._sizes: dict[tuple[str, ...], int] = {}

    def book(self, case: Case, design: Design) -> Book:
        """The book of a case on a design, which is begun if there is none."""
        key = _key(case, design)
        if key not in self.books:
            self.books[key] = Book(Atlas(case, design), self.graphs)
        return self.books[key]

    def walk(self, case: Case, design: Design, moves: Sequence[str], source: str) -> dict[str, Any]:
        """Go a walk: which book it is in, and the movers. Raises InputError at a move that cannot be made."""
        book = self.book(case, design)
        walked = book.atlas.walk(moves, source)
        book.atlas.moves(walked[-1].to if walked else START)
        book.catch_up()
        self._weigh(book)
        return {"machine": list(self.books.values()).index(book), "walk": [move.mover for move in walked]}

    def _weigh(self, book: Book) -> None:
        """Take what has been written into it since out of the room."""
        key, size = _key(book.atlas.case, book.atlas.design), len(json.dumps(book.whole()))
        self.room -= size - self._sizes.get(key, 0)
        self._sizes[key] = size

    def data(self, found: Sequence[dict[str, Any]], server: str | None = None) -> dict[str, Any]:
        """What the script reads: the machines, and the walks through them; where more is to be had, if anywhere."""
        return {"machines": [book.whole() for book in self.books.values()], "found": list(found), "server": server}

    def look_everywhere(self, told: Told) -> None:
        """Enter all states of each machine that has few, as long as there is room."""
        for key, book in list(self.books.items()):
            if self.room <= 0 or not book.atlas.is_small():
                continue
            name = f"{clean(book.atlas.case.name)} on {clean(book.atlas.design.name)}"
            for at in book.atlas.look_everywhere():
                if at % BETWEEN_WORDS == 0:
                    told(f"the states of {name}: {at:,}")
            graphs = dict(self.graphs)
            whole = Book(book.atlas, graphs)
            whole.catch_up()
            size = len(json.dumps(whole.whole())) + sum(map(len, list(graphs)[len(self.graphs) :]))
            if size - self._sizes[key] <= self.room:
                self.room -= size - self._sizes[key]
                self.graphs, self.books[key] = graphs, whole


def _key(case: Case, design: Design) -> tuple[str, ...]:
    return case.name, case.text, design.name, design.source


def _number(known: dict[str, int], text: str) -> int:
    return known.setdefault(text, len(known))
