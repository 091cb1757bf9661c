"""How the states of a task are drawn: each has a colour, a height and a hatching, so that none is needed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from cowpath.kernel import waits
from cowpath.observe import lanes as ln
from cowpath.report.chosen import Chosen


@dataclass(frozen=True)
class Look:
    """How a state is drawn: told apart by height and hatching as well as by colour."""

    name: str  # for the legend
    did: str  # in a sentence: "wc[52] DID the page lock of ..."
    colour: str
    height: float  # of a lane's
    hatch: str = ""  # Bokeh's name
    alpha: float = 1.0


OTHER_LOCKS = " or ".join([*(sem.name for sem in waits.RWSEMS), *(lock.name for lock in waits.LOCKS)])
LOOKS = {
    "running": Look("runs", "ran", "#009e73", 0.84),
    "charging": Look("in a charge over the limit: reclaims, tries again", "was in a charge that met the limit of",
                     "#e69f00", 0.84, "right_diagonal_line"),
    "page_lock": Look("waits for a page lock", "waited for", "#d55e00", 0.84, "diagonal_cross"),
    "other_lock": Look(f"waits for {OTHER_LOCKS}", "waited for", "#cc79a7", 0.84, "vertical_line"),
    "memory": Look("waits for memory (OOM, throttled)", "waited, in the OOM section or throttled, for",
                   "#0072b2", 0.84, "dot"),
    "io": Look("waits for the disk", "waited for the disk:", "#56b4e9", 0.5),
    "runnable": Look("runnable: waits for a CPU", "was runnable, without a CPU", "#8c8c8c", 0.3),
    "asleep": Look("sleeps, or waits for a child", "slept, or waited for a child", "#8c8c8c", 0.1),
    "dead": Look("dead", "was dead", "#8c8c8c", 0.04, "", 0.6),
}  # fmt: skip
HOLD = Look("holds a page lock", "held", "#7b5ea7", 0.7, "right_diagonal_line")
assert tuple(LOOKS) == ln.STATES


def looks_seen(chosen: Sequence[Chosen]) -> dict[str, Look]:
    """What a legend has to explain: the states that occur, and holds if there are some."""
    numbers = {int(number) for each in chosen for number in np.unique(each.pieces["state"])}
    seen = {state: look for number, (state, look) in enumerate(LOOKS.items()) if number in numbers}
    return seen | ({"hold": HOLD} if any(len(each.holds) for each in chosen) else {})


HATCHES = {
    "right_diagonal_line": '<path d="M-1 7L7 -1M3 11L11 3"/>',
    "diagonal_cross": '<path d="M0 0L8 8M8 0L0 8"/>',
    "vertical_line": '<path d="M4 0V8"/>',
    "dot": '<circle cx="4" cy="4" r="1.2"/>',
}


def swatch(name: str, look: Look) -> Markup:
    """A state's colour, height and hatching, as they are in the figure."""
    high = max(1.5, 18 * look.height)
    place = f'x="0" y="{(18 - high) / 2:g}" width="30" height="{high:g}"'
    hatch = ""
    if look.hatch:
        hatch = (f'<defs><pattern id="hatch-{name}" width="8" height="8" patternUnits="userSpaceOnUse" fill="#fff" '
                 f'stroke="#fff" stroke-width="1.2">{HATCHES[look.hatch]}</pattern></defs>'
                 f'<rect {place} fill="url(#hatch-{name})"/>')  # fmt: skip
    shape = f'<rect {place} fill="{look.colour}"/>{hatch}'
    return Markup(f'<svg class="swatch" width="30" height="18" aria-hidden="true">{shape}</svg>')
