"""Times as texts print them: seconds with three to nine decimals, and lines in the order in which things happened."""

from __future__ import annotations

SECOND = 1_000_000_000
UNITS = tuple(int(f"1{'0' * zeros}") for zeros in range(10))  # ns, by how many decimals are not printed


class Clock:
    """Turns printed times into ns. Lines of one printed time are set 1 ns apart, so that they keep their order."""

    def __init__(self) -> None:
        self.printed = -1  # the printed time of the line before
        self.now = -1
        self.first = -1  # the first one that is not 0: perf gives 0 to what was there before it began
        self.backwards = 0  # lines before which time went back

    def at(self, seconds: str, fraction: str) -> int:
        """The time of the next line."""
        unit = UNITS[9 - len(fraction)]
        printed = int(seconds) * SECOND + int(fraction) * unit
        if printed == self.printed:
            self.now = min(self.now + 1, printed + unit - 1)
            return self.now
        self.backwards += printed < self.printed
        self.printed = self.now = printed
        if self.first < 0 < printed:
            self.first = printed
        return printed
