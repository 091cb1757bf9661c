"""Numbers and outside names as text for people: plain ASCII, safe for a terminal."""

from __future__ import annotations

LONGEST_NAME = 40
UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"))
SIZES = ((1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K"))


def clean(name: str, longest: int = LONGEST_NAME) -> str:
    """An outside name, made safe: what a terminal would obey becomes a visible escape, a long one loses its middle."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name)
    shown = shown.encode("utf-8", "backslashreplace").decode("utf-8")  # lone surrogates of undecodable file names
    if len(shown) <= longest:
        return shown
    keep = longest - 3
    return shown[: keep - keep // 2] + "..." + shown[len(shown) - keep // 2 :]


def visible(message: str) -> str:
    """Control characters from file names and words of the input, made visible; line breaks and tabs stay."""
    keep = "\n\t"
    return "".join(c if c in keep or c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in message)


def task_label(comm: str, task: int) -> str:
    """``cc1[208]``: the task's name and its number in the machine."""
    return f"{clean(comm)}[{task}]"


def duration(ns: int | None) -> str:
    """Nanoseconds with three significant digits and a unit: ``1.23 us``, ``45.0 ms``, ``4,015 s``; None is ``-``."""
    if ns is None:
        return "-"
    for factor, unit in UNITS:
        if abs(ns) >= factor * 0.9995:
            return f"{significant(ns / factor)} {unit}"
    return f"{ns} ns"


SPANS = ((3600, "hour"), (60, "minute"), (1, "second"))


def rough(ns: int) -> str:
    """A span of time in words, to the nearest whole unit: ``hour``, ``3 minutes``, ``50 ms`` (what lies 5 % below a
    unit is one of it)."""
    for seconds, name in SPANS:
        if ns >= 0.95e9 * seconds:
            many = round(ns / (seconds * 1e9))
            return name if many <= 1 else f"{many:,} {name}s"
    return duration(ns)


def significant(value: float) -> str:
    """A number with three significant digits and thousands separated."""
    size = abs(value)
    if size >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"


def size(number: int | None) -> str:
    """Bytes as cgset takes them: ``64M``; what is no whole number of a unit gets two decimals; None is ``-``."""
    if number is None:
        return "-"
    for factor, unit in SIZES:
        if abs(number) >= factor:
            return f"{number // factor}{unit}" if number % factor == 0 else f"{number / factor:.2f}{unit}"
    return str(number)


def count(number: float | None) -> str:
    """A whole number with thousands separated; None is ``-``."""
    return "-" if number is None else f"{number:,}"


def plural(number: int, word: str) -> str:
    """``1 move``, ``2,000 moves``."""
    return f"{count(number)} {word}{'' if number == 1 else 's'}"
