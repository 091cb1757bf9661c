"""What folding and partial-order reduction save: states and transitions of each packaged case, without and with them.

    python benchmarks/reduction.py [DESIGN]

Prints a Markdown table (docs/check.md has one). Only numbers that do not depend on the machine it runs on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from cowpath import cases, designs
from cowpath.cases.plan import compile_case
from cowpath.checker import boot
from cowpath.checker.space import Space
from cowpath.engine import costs
from cowpath.engine import properties as p

EVERY = (1 << p.OF_EVERY_DESIGN) - 1
HOW = (("none", False, False), ("folded", True, False), ("folded and partial order", True, True))


def rows(design: designs.Design) -> Iterator[str]:
    """A row for each case."""
    table = costs.load()
    for name in cases.names():
        plan = compile_case(cases.load(name))
        cells = []
        for _, fold, reduce in HOW:
            space = Space()
            boot.start(plan, design, table, space)
            space.explore(EVERY, alike=boot.alike_tasks(plan), fold=fold, reduce=reduce)
            cells.append(f"{space.states:,} / {space.transitions:,}")
        yield f"| `{name}` | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    design = designs.load(sys.argv[1] if len(sys.argv) > 1 else "preallocate")
    print(f"| states / transitions on `{design.name}` | " + " | ".join(how for how, *_ in HOW) + " |")
    print("|---|" + "---|" * len(HOW))
    for row in rows(design):
        print(row, flush=True)


if __name__ == "__main__":
    main()
