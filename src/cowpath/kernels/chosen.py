"""Which kernel a session gets that nobody has chosen one for: by the interface of cgroups whose names it uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cowpath.errors import InputError

from . import DEFAULT, profile
from .profile import Kernel


def interface_of(kernel: Kernel, used: Iterable[str]) -> str:
    """Which interface of memory cgroups a machine has: that whose names are used, else the newest of its kernel."""
    return next(iter(used), kernel.interface[-1])


@dataclass(frozen=True)
class Chosen:
    """A kernel's name, and why it is that one."""

    name: str
    why: str


def choose_kernel(uses_v1: bool, uses_v2: bool) -> Chosen:
    """The default for names of v1, or of none; for names of v2 the newest kernel that has them.

    Raises InputError for both at once.
    """
    if uses_v1 and uses_v2:
        raise InputError(
            "the session uses names of cgroup v1 and of cgroup v2",
            hint="a machine has one of them: all names of one kind",
        )
    if not uses_v2:
        names = "v1 names only" if uses_v1 else "no name that only one version of cgroups has"
        return Chosen(DEFAULT, f"default: the session uses {names}")
    newest = [name for name in profile.names() if "v2" in profile.load(name).interface][-1]
    return Chosen(newest, "default: the session uses v2 names; the newest kernel")
