"""What if the design were another one: a step left out of a path, or two of its steps swapped."""

from __future__ import annotations

from cowpath import designs
from cowpath.designs import Design
from cowpath.errors import InputError
from cowpath.words import nearest


def drop(design: Design, path: str, step: str) -> Design:
    """The design without a step. Raises InputError where the path is then none that can be."""
    steps = _steps(design, path)
    at = _place(path, steps, step)
    rest = [name for i, name in enumerate(steps) if i != at]
    return _edited(design, path, rest, f"{path} without {at + 1} {steps[at]}")


def swap(design: Design, path: str, first: str, second: str) -> Design:
    """The design in which two steps of a path have changed places. Raises InputError as ``drop``."""
    steps = _steps(design, path)
    a, b = _place(path, steps, first), _place(path, steps, second)
    words = f"{path} with {a + 1} {steps[a]} and {b + 1} {steps[b]} swapped"
    steps[a], steps[b] = steps[b], steps[a]
    return _edited(design, path, steps, words)


def _steps(design: Design, path: str) -> list[str]:
    known = [name for name, steps in design.paths.items() if steps]
    if path not in known:
        raise InputError(
            f"{design.name} has no path {path!r}", hint=nearest(path, known, "there are: " + ", ".join(known))
        )
    return list(design.paths[path])


def _place(path: str, steps: list[str], step: str) -> int:
    """The place of a step that is named, or numbered from 1."""
    if step.isdecimal() and 1 <= int(step) <= len(steps):
        return int(step) - 1
    if steps.count(step) == 1:
        return steps.index(step)
    numbered = ", ".join(f"{at} {name}" for at, name in enumerate(steps, 1))
    if step in steps:
        raise InputError(f"{path} has more than one {step!r}", hint=f"name it by its number: {numbered}")
    raise InputError(f"{path} has no step {step!r}", hint=f"it has: {numbered}")


def _edited(design: Design, path: str, steps: list[str], words: str) -> Design:
    data = designs.to_data(design)
    data["paths"][path] = steps
    data["name"] = f"{design.name}, {words}"
    return designs.from_data(data, words)
