"""What ``cowpath kernels`` shows: each profile, its interface, what is missing in it, what nobody has looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cowpath import __version__

from . import DEFAULT, fidelity, profile
from .profile import Kernel
from .provenance import NOT_SEEN, stands_for, steps_of


def every() -> list[Kernel]:
    """All of them, the oldest release first."""
    return [profile.load(name) for name in profile.names()]


def unseen(kernel: Kernel) -> list[str]:
    """The steps of its paths that nobody has looked for in its source."""
    return [step for step in steps_of(kernel.paths) if stands_for(step, kernel) == NOT_SEEN]


def as_json() -> dict[str, Any]:
    """The object that ``--json`` prints (docs/json.md)."""
    kernels = [
        {
            "name": kernel.name, "release": ".".join(map(str, kernel.release)), "summary": kernel.summary,
            "interface": list(kernel.interface), "default": kernel.name == DEFAULT, "order_of": kernel.order_of,
            "lru": kernel.lru, "fidelity": fidelity.load().get(kernel.name),
            "missing": list(kernel.missing), "not_seen": list(kernel.not_seen), "steps_not_seen": unseen(kernel),
        }
        for kernel in every()
    ]  # fmt: skip
    return {"version": __version__, "kernels": kernels}


def lines() -> Iterator[str]:
    """The same for people, a line for each thing that is said."""
    width = max(len(name) for name in profile.names())
    for kernel in every():
        mark = ", the default" if kernel.name == DEFAULT else ""
        yield (f"{kernel.name:<{width}}  cgroup {' and '.join(kernel.interface)}{mark}: {kernel.summary}")
        told = [("order", f"of Linux {kernel.order_of}")] if kernel.order_of else []
        told += [("reclaim", kernel.lru)] if kernel.lru else []
        told.append(("measured", fidelity.words(kernel.name)))
        told += [("missing", text) for text in kernel.missing] + [("not seen", text) for text in kernel.not_seen]
        if steps := unseen(kernel):
            told.append(("not seen", f"in its source: {', '.join(steps)}"))
        yield from (f"    {what}: {text}" for what, text in told)
