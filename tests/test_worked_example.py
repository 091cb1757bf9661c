"""docs/steps.md: what it quotes stands in the files that it names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECTION = (ROOT / "docs" / "steps.md").read_text(encoding="utf-8").partition("\n## A step")[2]
QUOTES = re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", SECTION, re.DOTALL)


@pytest.mark.parametrize(("file", "quote"), QUOTES, ids=[file for file, _ in QUOTES])
def test_every_quote_is_in_its_file(file: str, quote: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    for part in quote.split("...\n"):
        assert part in text, part


def test_there_are_quotes_and_no_others() -> None:
    assert len(QUOTES) == len(re.findall(r"```(?:python|toml)\n", SECTION)) > 8
