"""A wind tunnel for Linux's page-fault path: who stalls whom when a memory cgroup runs out of memory.

``cowpath.run(session, design=...)`` runs a shell session on a simulated machine, ``cowpath.compare`` on several designs
of the fault path. What is named here is loaded when it is first used, so that ``cowpath --version`` starts fast.
"""

from __future__ import annotations

from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Checks", "Comparison", "CowpathError", "InputError", "MachineError", "Replayed", "Result", "Searched",
    "__version__", "audit", "bisect", "check", "compare", "replay", "run", "search", "use_steps",
]  # fmt: skip

if TYPE_CHECKING:
    from cowpath.api import Comparison, Result, compare, run
    from cowpath.checking import Checks, Replayed, Searched, audit, bisect, check, replay, search
    from cowpath.errors import CowpathError, InputError, MachineError

HOMES = {
    "Comparison": "cowpath.api",
    "Result": "cowpath.api",
    "compare": "cowpath.api",
    "run": "cowpath.api",
    "Checks": "cowpath.checking",
    "Replayed": "cowpath.checking",
    "Searched": "cowpath.checking",
    "audit": "cowpath.checking",
    "bisect": "cowpath.checking",
    "check": "cowpath.checking",
    "replay": "cowpath.checking",
    "search": "cowpath.checking",
    "CowpathError": "cowpath.errors",
    "InputError": "cowpath.errors",
    "MachineError": "cowpath.errors",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'cowpath' has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)


def use_steps(*files: str | PathLike[str]) -> None:
    """Load files with steps and locks of one's own (docs/steps.md). Before anything else of cowpath is used.

    Raises InputError for what is wrong in them, or where they come too late in this process.
    """
    from cowpath.kernel import own

    own.use(*files)


def __dir__() -> list[str]:
    return sorted(__all__)
