"""Tables that grow a row at a time, in little memory: numbers in one array, words beside it."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

from cowpath.programs.tables import SCHEMAS, TEXT, Rows

WORD = 1 << 64


def signed(value: int) -> int:
    """An unsigned number of 64 bits as the signed one of the same bits. Raises ValueError if it is larger."""
    if not 0 <= value < WORD:
        raise ValueError("more than 64 bits")
    return value - WORD if value >= WORD >> 1 else value


class Columns:
    """The rows of one of ``tables.SCHEMAS``, or of another schema.

    ``numbers`` takes a row's numbers in the schema's order (those of 64 bits as ``signed`` gives them), ``words``
    its words.
    """

    def __init__(self, table: str | np.dtype[Any]) -> None:
        self.schema = SCHEMAS[table] if isinstance(table, str) else table
        names = self.schema.names or ()
        self.numeric = [name for name in names if self.schema[name] != TEXT]
        self.textual = [name for name in names if self.schema[name] == TEXT]
        self.numbers = array("q")
        self.words: list[tuple[str, ...]] = []

    def __len__(self) -> int:
        return len(self.numbers) // len(self.numeric)

    def add(self, numbers: tuple[int, ...], *words: str) -> None:
        """A row."""
        self.numbers.extend(numbers)
        if words:
            self.words.append(words)

    def rows(self) -> Rows:
        """All of them, in order of time; rows of one time keep theirs."""
        rows = np.empty(len(self), self.schema)
        numbers = np.frombuffer(self.numbers, np.int64).reshape(-1, len(self.numeric))
        for at, name in enumerate(self.numeric):
            rows[name] = numbers[:, at].astype(self.schema[name])
        for at, name in enumerate(self.textual):
            rows[name] = [words[at] for words in self.words]
        return rows[np.argsort(rows["time_ns"], kind="stable")]
