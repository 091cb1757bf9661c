"""How the states of a task are drawn: each has a colour, a height and a hatching, so that none is needed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
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
# The colours are Okabe's and Ito's, and three more: no two are near each other for any of the three common kinds of
# colour blindness (tests/report/test_looks.py).
LOOKS = {
    "running": Look("runs", "ran", "#009e73", 0.84),
    "charging": Look("in a charge over the limit: reclaims, tries again", "was in a charge that met the limit of",
                     "#e69f00", 0.84, "right_diagonal_line"),
    "page_lock": Look("waits for a page lock", "waited for", "#904830", 0.84, "left_diagonal_line"),
    "other_lock": Look(f"waits for {OTHER_LOCKS}", "waited for", "#cc79a7", 0.84, "vertical_line"),
    "memory": Look("waits for memory (OOM)", "waited, in the OOM section, for", "#0072b2", 0.84, "dot"),
    "throttled": Look("throttled: over memory.high", "was throttled, over the mark of", "#6024e0", 0.84,
                      "horizontal_line"),
    "io": Look("waits for the disk", "waited for the disk:", "#56b4e9", 0.5),
    "runnable": Look("runnable: waits for a CPU", "was runnable, without a CPU", "#808080", 0.3),
    "asleep": Look("sleeps, or waits for a child", "slept, or waited for a child", "#808080", 0.1),
    "dead": Look("dead", "was dead", "#808080", 0.04, "", 0.6),
}  # fmt: skip
assert tuple(LOOKS) == ln.STATES
STRANGER = "stranger"
CHOSEN = "#ff00ff"  # the frame of a piece that was tapped
HOLD = Look("holds a lock", "held", "#606060", 0.7, "right_diagonal_line")
OF_A_STRANGER = Look("a task outside waits for a lock or memory", "waited for", "#d55e00", 0.84, "diagonal_cross")
DRAWN = {STRANGER: OF_A_STRANGER, **LOOKS, "hold": HOLD}  # in the order of a legend


def drawn_as(lives: ln.Lives, pieces: ln.Pieces) -> npt.NDArray[np.int64]:
    """How each piece is drawn: the place in ``DRAWN``. A wait of a task outside for others has its own look."""
    looks = list(DRAWN)
    of_state = np.array([looks.index(state) for state in ln.STATES])
    strange = (lives["group"][pieces["life"]] == 0) & np.isin(pieces["state"], ln.FOR_OTHERS)
    found: npt.NDArray[np.int64] = np.where(strange, looks.index(STRANGER), of_state[pieces["state"]])
    return found


def looks_seen(chosen: Sequence[Chosen]) -> dict[str, Look]:
    """What a legend has to explain: the looks that occur, and holds if there are some. Death needs no word."""
    numbers = {int(number) for each in chosen for number in np.unique(drawn_as(each.timeline.lives, each.pieces))}
    holds = any(len(each.holds) for each in chosen)
    return {name: look for number, (name, look) in enumerate(DRAWN.items())
            if (number in numbers and name != "dead") or (name == "hold" and holds)}  # fmt: skip


HATCHES = {
    "right_diagonal_line": '<path d="M-1 7L7 -1M3 11L11 3"/>',
    "left_diagonal_line": '<path d="M-1 1L7 9M3 -3L11 5"/>',
    "diagonal_cross": '<path d="M0 0L8 8M8 0L0 8"/>',
    "vertical_line": '<path d="M4 0V8"/>',
    "horizontal_line": '<path d="M0 4H8"/>',
    "dot": '<circle cx="4" cy="4" r="1.2"/>',
}


def patterns() -> Markup:
    """The fillings of all looks for SVG, once a page: ``fill: url(#look-NAME)``."""
    made = [
        f'<pattern id="look-{name}" width="8" height="8" patternUnits="userSpaceOnUse" stroke="#fff" '
        f'stroke-width="1.2" fill="#fff"><path d="M0 0H8V8H0z" fill="{look.colour}" stroke="none"/>'
        f"{HATCHES.get(look.hatch, '')}</pattern>"
        for name, look in DRAWN.items()
    ]
    return Markup(f'<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>{"".join(made)}</defs></svg>')


def swatch(name: str, look: Look) -> Markup:
    """A look's colour, height and hatching, as they are in the figure."""
    high = max(1.5, 18 * look.height)
    place = f'x="0" y="{(18 - high) / 2:g}" width="30" height="{high:g}"'
    return Markup(f'<svg class="swatch" width="30" height="18" aria-hidden="true">'
                  f'<rect {place} fill="url(#look-{name})"/></svg>')  # fmt: skip
