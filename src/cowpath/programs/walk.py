"""Run a recording's address spaces without running the machine: which mapping does every touch fall into?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cowpath.kernel import names as n
from cowpath.programs.address_space import AddressSpace, Area, Row


def touches(processes: Sequence[Sequence[Row]]) -> Iterator[tuple[Row, Area | None]]:
    """Every OP_TOUCH of a recording's processes, and the mapping that it meets (None: SIGSEGV).

    OP_FORK names a process by its number; a process comes after the one that forks it.
    """
    inherited: dict[int, AddressSpace] = {}
    for number, rows in enumerate(processes):
        space = inherited.pop(number, None) or AddressSpace()
        for row in rows:
            code, _, a, b, _, _ = row
            if code == n.OP_TOUCH:
                yield row, space.find(a)
            elif code == n.OP_MMAP:
                space.map(row)
            elif code == n.OP_MUNMAP:
                space.unmap(a, b)
            elif code == n.OP_FORK:
                inherited[a] = space.fork()
            elif code == n.OP_EXEC:
                space = AddressSpace()
