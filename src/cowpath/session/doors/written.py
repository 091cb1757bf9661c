"""A session that is written for a file: its lines, and the place in the file that each comes from."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

from cowpath.errors import Gathered, InputError, InputErrors
from cowpath.words import Place

WIDTH = 100  # of a comment


@dataclass
class Written:
    """Grows line by line. ``notes`` are what was accepted, but has no effect, or is not quite what the file says."""

    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    places: dict[int, Place] = field(default_factory=dict)
    ignored: dict[str, None] = field(default_factory=dict)  # an ordered set
    at: Place | None = None  # where lines come from that say nothing else

    def add(self, text: str, place: Place | None = None) -> None:
        """A command, or a part of one; lines count from 1."""
        for line in text.split("\n"):
            self.lines.append(line)
            if (where := place or self.at) is not None:
                self.places[len(self.lines)] = where

    def command(self, parts: list[tuple[str, Place]]) -> None:
        """A command with a part a line, so that what is wrong with a part is wrong at its place."""
        for number, (text, place) in enumerate(parts):
            more = " \\" if number < len(parts) - 1 else ""
            self.add(f"{'    ' if number else ''}{text}{more}", place)

    def comment(self, text: str) -> None:
        """A comment of a line or more."""
        shown = "".join(letter if letter.isprintable() else "?" for letter in text)
        for line in textwrap.wrap(shown, WIDTH, break_long_words=False, break_on_hyphens=False):
            self.add(f"# {line}")

    def note(self, text: str) -> None:
        """Once for all that say the same."""
        if text not in self.notes:
            self.notes.append(text)

    def ignore(self, key: str) -> None:
        """A key of the file that says nothing of memory."""
        self.ignored.setdefault(key)

    def finish(self, told: str) -> None:
        """``told`` is the head of the file; below it stand the notes."""
        if self.ignored:
            self.note(f"without an effect here: {', '.join(self.ignored)}")
        head = Written()
        head.comment(told)
        for note in self.notes:
            head.comment(f"note: {note}")
        self.places = {line + len(head.lines): place for line, place in self.places.items()}
        self.lines[:0] = head.lines

    def text(self) -> str:
        """The session."""
        return "".join(f"{line}\n" for line in self.lines)

    def note_at_its_place(self, note: str) -> str:
        """A note of the session ("line 9: ...") as one of the file."""
        match = re.match("line ([0-9]+): ", note)
        place = self.places.get(int(match[1])) if match else None
        return note if match is None or place is None else f"line {place.line}: {note[match.end() :]}"

    def at_its_place(self, error: InputError, file: str) -> InputError:
        """An error of the session as one of the file that it was written for."""
        errors = Gathered()
        for each in error.errors if isinstance(error, InputErrors) else (error,):
            place = self.places.get(each.line or 0, Place(file)) if each.file == file and self.lines else None
            errors.add(each if place is None else place.error(each.problem, each.hint))
        try:
            errors.tell()
        except InputError as found:
            return found
        return error
