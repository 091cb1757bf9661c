"""What ``make test`` takes from a clone, with nothing compiled: on this tree, after that on other commits.

    python benchmarks/suite.py [COMMIT ...]

What is installed for it is not counted. Some ten minutes each; ends with 1 if a suite fails.
"""

from __future__ import annotations

import re
import sys

from sides import Side, installed
from tables import show

COUNTED = re.compile(r"^=+ (.* (?:passed|failed).*) in .*=+$", re.MULTILINE)


def suite(side: Side) -> tuple[str, ...]:
    """Its row of the table."""
    make = ("make", f"PYTHON={sys.executable}")
    side.command(*make, ".venv/dev.stamp")
    spent = side.command(*make, "test")
    counted = COUNTED.search(spent.output)
    return (side.name, counted[1] if counted else "", f"{spent.cpu_s:.0f} s", f"{spent.wall_s:.0f} s")


def main() -> None:
    """Print the table."""
    rows = []
    for commit in (None, *sys.argv[1:]):
        with installed(commit) as side:
            rows.append(suite(side))
    show("make test, from a clone", ("commit", "tests", "processor", "wall"), rows)


if __name__ == "__main__":
    main()
