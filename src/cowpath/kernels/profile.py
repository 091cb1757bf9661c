"""Reading a kernel: the profile of one release, with all paths and policies, from the package."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from cowpath.errors import InputError
from cowpath.kernel.policies import POLICIES
from cowpath.kernel.steps import PATH_NAMES

from . import tables
from .check import check_together

TEXTS = ("name", "summary", "release", "commit", "order_of", "lru")
LISTS = ("interface", "missing", "not_seen")
KEYS = (*TEXTS, *LISTS, *tables.TABLES)
INTERFACES = ("v1", "v2")  # of memory cgroups


@dataclass(frozen=True)
class Kernel:
    """A complete profile: every path has its steps, every policy its value."""

    name: str
    summary: str
    release: tuple[int, ...]
    commit: str
    interface: tuple[str, ...]  # which of ``INTERFACES`` it has
    missing: tuple[str, ...]  # what the release does and the profile does not, as far as known
    not_seen: tuple[str, ...]  # what the profile does without anybody having looked whether the release does
    order_of: str  # the release whose source its steps are from, if that is not its own
    lru: str  # which of its ways of reclaim the profile has, if it has several
    source: str
    paths: tables.Lists
    on_error: tables.Lists
    policies: dict[str, Any]

    @property
    def notes(self) -> list[str]:
        """What everybody who gets a result of it should know."""
        count = len(self.missing)
        its = "1 thing that the release does is" if count == 1 else f"{count} things that the release does are"
        return [f"{self.name}: {its} not in its profile (cowpath kernels)"] * bool(count)

    @property
    def reclaim_notes(self) -> list[str]:
        """What everybody who gets a result of it that depends on reclaim should know."""
        return [f"{self.name}: reclaim goes by {self.lru}"] * bool(self.lru)


def _folder() -> Any:
    return resources.files("cowpath") / "kernels"


@cache
def names() -> tuple[str, ...]:
    """All kernels, the oldest release first."""
    found = [entry.name[:-5] for entry in _folder().iterdir() if entry.name.startswith("linux-")]
    return tuple(sorted(found, key=lambda name: numbers(name.removeprefix("linux-"))))


@cache
def load(name: str) -> Kernel:
    """A packaged kernel by its name. Raises InputError."""
    if name not in names():
        raise InputError(f"no kernel {name!r}", hint=tables.near(name, names()))
    source = f"{name}.toml"
    return from_data(tables.parse((_folder() / source).read_text(encoding="utf-8"), source), source)


def from_data(data: dict[str, Any], source: str) -> Kernel:
    """A kernel from what its file holds. Raises InputError for what is wrong, and for what is not there."""
    _check(data, source)
    policies, paths = tables.policies(data, source), tables.paths(data, source)
    for missing in [policy for policy in POLICIES if policy.name not in policies]:
        values = " or ".join(repr(value) for value in missing.values)
        raise InputError(f"policy {missing.name!r} is not named", file=source, hint=f"[policies]: {values}")
    for path in [path for path in PATH_NAMES if path not in paths]:
        raise InputError(f"path {path!r} has no steps", file=source, hint="a kernel names all paths")
    check_together(paths, policies, source)
    return Kernel(
        data["name"], data["summary"], numbers(data["release"]), data.get("commit", ""), tuple(data["interface"]),
        tuple(data.get("missing", ())), tuple(data.get("not_seen", ())),
        data.get("order_of", ""), data.get("lru", ""), source, paths,
        tables.error_exits(data, source), policies,
    )  # fmt: skip


def _check(data: dict[str, Any], source: str) -> None:
    tables.check_keys(data, KEYS, TEXTS, source)
    for key in ("name", "summary", "release", "interface"):
        if not data.get(key):
            raise InputError(f"a kernel must say its {key}", file=source, hint=f"{key} = ...")
    for key in LISTS:
        texts = data.get(key, [])
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise InputError(f"{key} must be a list of texts", file=source, hint=f'{key} = ["..."]')
    if not all(part.isdecimal() for part in data["release"].split(".")):
        raise InputError(f"release {data['release']!r} is no number", file=source, hint='release = "3.0"')
    for interface in data["interface"]:
        if interface not in INTERFACES:
            raise InputError(f"no interface {interface!r}", file=source, hint=tables.near(interface, INTERFACES))


def numbers(release: str) -> tuple[int, ...]:
    """The numbers of a release: 3.00 is 3.0."""
    return tuple(map(int, release.split(".")))
