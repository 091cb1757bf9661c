"""The table of mistakes, ``mutants.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Mutant:
    """One of them."""

    module: str  # of tests/rules
    file: str
    old: str
    new: str
    says: str
    test: str

    def planted_in(self, text: str) -> str:
        """The file's text with the mistake in it. Raises ValueError if the table is out of date."""
        if (times := text.count(self.old)) != 1:
            raise ValueError(f"{self.file}: {self.old!r} is there {times} times, not once: mutants.toml is out of date")
        return text.replace(self.old, self.new)


def mutants() -> list[Mutant]:
    table = tomllib.loads((FOLDER / "mutants.toml").read_text(encoding="utf-8"))
    return [Mutant(module, **row) for module, rows in table.items() for row in rows]
