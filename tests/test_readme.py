"""The tables in the README and in docs/today.md are what the command beside each prints."""

from pathlib import Path

import pytest

from cowpath import api
from cowpath.observe.text import duration

ROOT = Path(__file__).parents[1]
THEN = ("linux-3.0", "preallocate", "linux-3.0-oom-flag", "linux-3.1")
TODAY = ("linux-5.15", "linux-6.1", "linux-6.12", "linux-6.18", "linux-7.2")


@pytest.mark.parametrize(
    ("page", "session", "seed", "designs"),
    [
        ("README.md", "commit.sh", 1, THEN),
        ("README.md", "oom-off.sh", 0, THEN),
        ("README.md", "high-readahead.sh", 0, TODAY),
        ("docs/today.md", "high-readahead.sh", 0, TODAY),
        ("docs/today.md", "high-willneed.sh", 0, ("linux-6.1", "linux-6.18")),
        ("docs/today.md", "high-cat.sh", 0, ("linux-6.1", "linux-6.18", "linux-7.2")),
    ],
)
def test_every_row(page: str, session: str, seed: int, designs: tuple[str, ...]) -> None:
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    options = api.Options(seed=seed)
    plan = api.load_plan(ROOT / "examples" / session, options)
    for design in designs:
        run = api.run_plan(plan, api.load_design(design), options).summary
        stall = run["longest_stall"]
        row = [run["verdict"], duration(stall["ns"]) if stall else "-", run["group_verdicts"]["A"]]
        row += [f"{run['groups']['A']['oom_kills']:,}", f"{duration(run['virtual_ns'])}, {run['ended']}"]
        assert design in names_beside(" ".join(row), lines), row


def names_beside(row: str, lines: list[str]) -> set[str]:
    """The designs that share this row in some table; more of them stand below it if it has no room for all."""
    found: set[str] = set()
    for at, line in enumerate(lines):
        words = " ".join(line.split())
        if words.endswith(f" {row}"):
            names = words.removesuffix(row).strip()
            while names.endswith(","):
                at += 1
                names += f" {lines[at].strip()}"
            found.update(names.split(", "))
    return found
