"""Which kernel a result is of, and how it was chosen: for JSON, and a line for people."""

from __future__ import annotations

from collections.abc import Iterable

from .design import Design


def kernel_told(design: Design) -> dict[str, str]:
    """The object ``kernel`` of a result."""
    return {"name": design.kernel.name, "chosen": design.how_chosen}


def kernels_told(designs: Iterable[Design]) -> list[dict[str, str]]:
    """The list ``kernels`` of a result of several designs."""
    return [{"design": design.name, **kernel_told(design)} for design in designs]


def kernel_lines(designs: Iterable[Design]) -> list[str]:
    """``kernel: linux-3.0 (default: the session uses v1 names only)``: a line for each kernel."""
    reasons: dict[str, list[str]] = {}
    extended: dict[str, list[str]] = {}
    for design in designs:
        name = design.kernel.name
        reasons.setdefault(name, [])
        if design.extends_it:
            extended.setdefault(name, []).append(design.name)
        else:
            reasons[name].append(design.how_chosen)
    for name, its in extended.items():
        words = " and ".join(filter(None, [", ".join(its[:-1]), its[-1]]))
        reasons[name].append(f"{words} {'extends' if len(its) == 1 else 'extend'} it")
    return [f"kernel: {name} ({'; '.join(dict.fromkeys(why))})" for name, why in reasons.items()]


def notes_of(designs: Iterable[Design]) -> list[str]:
    """What everybody who gets a result of these should know, once each: that a kernel lacks something."""
    return list(dict.fromkeys(note for design in designs for note in design.kernel.notes))
