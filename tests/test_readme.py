"""The table in the README is what the command beside it prints."""

from pathlib import Path

import pytest

from cowpath import api
from cowpath.observe.text import duration

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()


THEN = ("linux-3.0", "preallocate", "linux-3.0-oom-flag", "linux-3.1")
TODAY = ("linux-5.15", "linux-6.1", "linux-6.12", "linux-6.18", "linux-7.2")


@pytest.mark.parametrize(
    ("session", "seed", "designs"), [("commit.sh", 1, THEN), ("oom-off.sh", 0, THEN), ("high-readahead.sh", 0, TODAY)]
)
def test_every_row_of_the_readme(session: str, seed: int, designs: tuple[str, ...]) -> None:
    options = api.Options(seed=seed)
    plan = api.load_plan(ROOT / "examples" / session, options)
    for design in designs:
        run = api.run_plan(plan, api.load_design(design), options).summary
        stall = run["longest_stall"]
        row = [design, run["verdict"], *(duration(stall["ns"]) if stall else "-").split(), run["group_verdicts"]["A"]]
        row += [f"{run['groups']['A']['oom_kills']:,}", *f"{duration(run['virtual_ns'])}, {run['ended']}".split()]
        assert row in [line.split() for line in README], row
