"""The page of a case that is explored by hand, and what it asks for while it is looked at: moves, and what if."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cowpath.checker import what_if
from cowpath.checker.many import Job
from cowpath.checker.properties import Property
from cowpath.checker.result import VIOLATED, Result
from cowpath.checker.walk import Walk
from cowpath.designs import Design
from cowpath.errors import InputError

from .explored import Book, Seen, Shelf
from .html import render
from .steps import MOST_CHARACTERS, Counterexample, books_of, found_of, results_rows, violation

MOVES = "moves"  # where the page asks for the moves of a state
EDITS = ("drop", "swap")


@dataclass(frozen=True)
class Served:
    """A page: a walk, and the results of a design that was tried out, if it was."""

    begun: Counterexample
    checked: tuple[tuple[Result, Job], ...]
    properties: tuple[Property, ...]
    command: str
    shelf: Shelf

    @classmethod
    def of(
        cls, walk: Walk, checked: Sequence[tuple[Result, Job]], properties: Sequence[Property], command: str
    ) -> Served:
        """A page that begins with a walk."""
        case, design = walk.atlas.case, walk.atlas.design
        begun = Counterexample("", "", "", design, case, [move.name for move in walk.made], [], None, case.source)
        return cls(begun, tuple(checked), tuple(properties), command, Shelf(MOST_CHARACTERS))

    def page(self) -> str:
        """The page as it stands."""
        meanings = {each.name: each.meaning for each in self.properties}
        found = [found_of(self.begun, 1, self.shelf)]
        numbers = {}
        for at, (result, job) in enumerate(self.checked):
            if result.verdict == VIOLATED:
                numbers[at] = len(found) + 1
                found.append(found_of(violation(result, job, meanings), len(found) + 1, self.shelf))
        results = results_rows([result for result, _ in self.checked], numbers)
        books = books_of([(self.begun.design, self.begun.case)], found)
        return render("steps.html.j2", title=self.begun.title, results=results, bound="", found=found, left_out=0,
                      never=[], shelf=self.shelf, command=self.command, server=MOVES, **books)  # fmt: skip

    def book(self, number: str) -> Book:
        """The book of a machine of the page. Raises InputError."""
        books = list(self.shelf.books.values())
        return books[number_of(number, len(books), "machine")]

    def moves(self, asked: dict[str, str]) -> dict[str, Any]:
        """The moves of a state, and what the page does not have yet. Raises InputError for what is no such question."""
        book = self.book(asked.get("machine", ""))
        state = number_of(asked.get("state", ""), len(book.states), "state")
        book.atlas.moves(state)
        book.catch_up()
        most = {"states": book.states, "parts": book.parts, "texts": book.texts, "graphs": self.shelf.graphs}
        has = {name: number_of(asked.get(name, ""), len(there) + 1, name) for name, there in most.items()}
        new = book.since(Seen(**has))
        new["moves"][str(state)] = book.moves[state]
        return new | {"graphs": list(self.shelf.graphs)[has["graphs"] :]}

    def edited(self, asked: dict[str, Any]) -> Design:
        """The design with a step left out or two swapped. Raises InputError where it is none that can be."""
        wanted = {key: asked.get(key) for key in ("machine", "edit", "path", "step", "other")}
        texts = {key: value for key, value in wanted.items() if isinstance(value, str)}
        if set(texts) != set(wanted) or texts["edit"] not in EDITS:
            raise InputError("not a question", hint="machine, edit (drop or swap), path, step and other, all texts")
        self.movers(asked)
        design = self.book(texts["machine"]).atlas.design
        if texts["edit"] == "drop":
            return what_if.drop(design, texts["path"], texts["step"])
        return what_if.swap(design, texts["path"], texts["step"], texts["other"])

    @staticmethod
    def movers(asked: dict[str, Any]) -> list[int]:
        """The walk that the page is on. Raises InputError."""
        walk = asked.get("walk", [])
        if not isinstance(walk, list) or not all(type(mover) is int for mover in walk):
            raise InputError("not a walk", hint="a list of movers' numbers")
        return walk


def number_of(text: str, count: int, what: str) -> int:
    """A number below ``count``. Raises InputError."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) < count):
        raise InputError(f"no {what} {text!r}", hint=f"a number below {count}")
    return int(text)
