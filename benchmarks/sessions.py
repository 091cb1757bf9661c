"""Sessions that fault in other ways than the core does (fork bomb, swap), and the search of the crowd: their rates."""

from __future__ import annotations

import json
import os
import sys

from pairs import ONE_TURN, POINTS
from sides import HERE, finished
from tables import Target, rate, show

SHOWN = [point for point in POINTS if point != "core"]  # which has a point of its own


def measure() -> list[Target]:
    """The best of some in a process each; no bounds: ``pairs.py`` compares them with another commit's."""
    settings = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent / "src"), str(HERE)])}
    rows = []
    for point in SHOWN:
        printed = finished([sys.executable, "-P", ONE_TURN, point], HERE.parent, settings)
        rows.append((POINTS[point][0], rate(json.loads(printed.splitlines()[-1]))))
    show("6. Sessions, and the checker", ("what", "a second"), rows)
    return []
