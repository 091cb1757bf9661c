"""The table of ``make mutants`` fits the sources; the mistakes themselves are planted in ``make nightly``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

import cowpath

TABLE = Path(__file__).parent / "mutants" / "table.py"


def loaded() -> Any:
    spec = importlib.util.spec_from_file_location("mutants_table", TABLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass asks for it
    spec.loader.exec_module(module)
    return module


MUTANTS = loaded().mutants()


def test_there_are_at_least_30() -> None:
    assert len(set(MUTANTS)) == len(MUTANTS) >= 30


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.says)
def test_the_line_that_it_changes_is_there_once_and_so_is_its_test(mutant: Any) -> None:
    source = Path(cowpath.__file__).parent / "kernel" / mutant.file
    assert mutant.planted_in(source.read_text(encoding="utf-8"))
    assert f"def {mutant.test}(" in (TABLE.parent.parent / "rules" / f"{mutant.module}.py").read_text(encoding="utf-8")
