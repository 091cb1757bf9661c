"""A wind tunnel for Linux's page-fault path: who stalls whom when a memory cgroup runs out of memory.

``cowpath.run(session, design=...)`` runs a shell session on a simulated machine, ``cowpath.compare`` on several designs
of the fault path. What is named here is loaded when it is first used, so that ``cowpath --version`` starts fast.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Checks", "Comparison", "CowpathError", "InputError", "MachineError", "Replayed", "Result", "Searched",
    "__version__", "audit", "bisect", "check", "compare", "interpret", "limit", "replay", "run", "search", "sweep",
    "use_steps",
]  # fmt: skip

if TYPE_CHECKING:
    from cowpath.api import Comparison, Result, compare, run
    from cowpath.checking import Checks, Replayed, Searched, audit, bisect, check, replay, search
    from cowpath.errors import CowpathError, InputError, MachineError
    from cowpath.sweeping import limit, sweep

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
    "limit": "cowpath.sweeping",
    "sweep": "cowpath.sweeping",
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


def interpret(wanted: bool = True) -> None:
    """Run the model in plain Python in this process, without the half minute that compiling takes; or do not.

    It is a hundred times slower then, and all that comes out is the same. Before anything else of cowpath is used;
    raises InputError where it is too late.
    """
    plain = sys.modules.get("cowpath.kernel.plain")
    if plain is None:
        os.environ["COWPATH_INTERPRETED"] = "1" if wanted else "0"
    elif plain.INTERPRETED is not wanted:
        from cowpath.errors import InputError

        way = "1" if wanted else "0"
        raise InputError(
            f"the model is {'interpreted' if plain.INTERPRETED else 'compiled'} in this process already",
            hint=f"a new process, or COWPATH_INTERPRETED={way} in its environment",
        )


def __dir__() -> list[str]:
    return sorted(__all__)
