"""docs/scenarios.md has every key of a row and every command of its steps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cowpath.validate import ctl, shapes
from cowpath.validate.commands import COMMANDS

PAGE = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
WORDS = {word for code in re.findall(r"`([^`]*)`", PAGE) for word in re.findall(r"[\w.]+", code)}
KEYS = {*shapes.GROUPS["v1"], *shapes.GROUPS["v2"], *shapes.TASK, *shapes.FILE, *shapes.ENTRY, *shapes.FILES_OF_KEYS}


@pytest.mark.parametrize("key", sorted(KEYS - {"stat_total", "events.local"}))
def test_every_key(key: str) -> None:
    assert key in WORDS


@pytest.mark.parametrize("command", sorted({*COMMANDS, *ctl.USAGE}))
def test_every_command(command: str) -> None:
    assert command in WORDS
