"""What programs may yet do, read off their instructions: may a task outside still come to the rescue of a group?

It kills, writes a group's file, moves a task, or takes pages from a file. A run is not ended while such a task may get
there, and who is stuck is not told that nothing will help.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cowpath.kernel import names as n
from cowpath.programs.code import TARGETS, Ops

RESCUES = (n.OP_KILL, n.OP_CG_SET, n.OP_CLASSIFY, n.OP_TRUNCATE, n.OP_FADVISE)


def may_rescue(ops: Ops) -> npt.NDArray[np.bool_]:
    """For each instruction: does a way lead from it to one of RESCUES? What a child would do counts for its parent."""
    code = ops["code"]
    found: npt.NDArray[np.bool_] = np.isin(code, RESCUES)
    if not found.any():
        return found
    ends = (code == n.OP_EXIT) | (code == n.OP_EXEC) | ((code == n.OP_JUMP) & (ops["bits"] == n.JUMP_ALWAYS))
    piece = np.cumsum(ends) - ends  # what runs on from one instruction to the next is one piece
    firsts = np.flatnonzero(np.diff(piece, prepend=-1))
    numbers = np.arange(len(ops))
    jumps = [(np.flatnonzero(code == which), operand) for which, operand in TARGETS.items()]
    while True:
        last = np.maximum.reduceat(np.where(found, numbers, -1), firsts)  # of each piece, the last that leads there
        more = numbers <= last[piece]
        for places, operand in jumps:
            more[places] |= more[ops[operand][places]]
        if (more == found).all():
            return found
        found = more
