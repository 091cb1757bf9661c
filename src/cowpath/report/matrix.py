"""The table of an audit's page: cases by designs, in the signs of the terminal's, and why what is not proved is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cowpath.checker.matrix import Matrix
from cowpath.checker.result import PROVED, Result
from cowpath.checker.show import MARKS, merged_reasons
from cowpath.observe.text import clean


def matrix_of(results: Sequence[Result], numbers: Mapping[int, int]) -> dict[str, Any]:
    """What the template shows; ``numbers``: which counterexample of the page is which result's."""
    matrix = Matrix(results)
    number_of = {id(result): numbers.get(at) for at, result in enumerate(results)}
    bad = {result.property for result in results if result.verdict != PROVED}
    rows = [
        {"path": path, "case": clean(case),
         "cells": [_cell(matrix, cells[design], number_of) if design in cells else None for design in matrix.designs]}
        for (path, case), cells in matrix.rows.items()
    ]  # fmt: skip
    reasons = [
        {"case": clean(case), "properties": ", ".join(map(clean, names)), "reason": reason,
         "designs": ", ".join(map(clean, designs))}
        for (case, reason, designs), names in merged_reasons(results).items()
    ]  # fmt: skip
    return {
        "designs": [clean(design) for design in matrix.designs],
        "rows": rows,
        "codes": [(code, clean(name)) for name, code in matrix.codes.items() if name in bad],
        "reasons": reasons,
    }


def _cell(matrix: Matrix, results: Sequence[Result], number_of: Mapping[int, int | None]) -> list[dict[str, Any]]:
    """What is not proved there; nothing if all is."""
    return [
        {"sign": matrix.sign(each), "verdict": each.verdict, "number": number_of[id(each)],
         "words": f"{clean(each.property)}: {MARKS[each.verdict]}, {each.depth} moves"}
        for each in results if each.verdict != PROVED
    ]  # fmt: skip
