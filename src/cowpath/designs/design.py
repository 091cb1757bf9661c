"""Reading a design: what is other than in a kernel (paths, policies), from the package or from a user's file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from cowpath.errors import InputError
from cowpath.kernel.policies import BY_NAME
from cowpath.kernel.steps import FAULT_PATHS, MAY_BE_EMPTY, PATH_NAMES
from cowpath.kernels import DEFAULT, profile, releases, tables
from cowpath.kernels.check import check_together
from cowpath.kernels.profile import Kernel
from cowpath.kinds import check_kind

TEXTS = ("name", "extends", "summary", "commit")
KEYS = (*TEXTS, *tables.TABLES)
MAX_CHAIN = 8  # designs that extend one another


@dataclass(frozen=True)
class Design:
    """A complete design: every path has its steps. A kernel is one, too, that changes nothing."""

    name: str
    summary: str
    commit: str
    extends: str | None
    source: str
    paths: tables.Lists
    on_error: tables.Lists
    policies: dict[str, Any]
    kernel: Kernel  # that it extends in the end
    chosen: str = ""  # why it is the one, where nobody has named it

    @property
    def extends_it(self) -> bool:
        """It is another one than its kernel."""
        kernel = self.kernel
        own = (self.name, self.paths, self.on_error, self.policies)
        return own != (kernel.name, kernel.paths, kernel.on_error, kernel.policies)

    @property
    def how_chosen(self) -> str:
        """Why a result of it is of its kernel."""
        return self.chosen or (f"{self.name} extends it" if self.extends_it else "named")


def _folder() -> Any:
    return resources.files("cowpath") / "designs"


def packaged() -> list[str]:
    """The packaged designs that are no kernels."""
    return sorted(entry.name[:-5] for entry in _folder().iterdir() if entry.name.endswith(".toml"))


def names(interfaces: Iterable[str] = ()) -> list[str]:
    """Kernels and packaged designs: 3.0 first, then what cures it, in the order of the commit's own list.

    With an interface of memory cgroups, only those of the kernels whose newest it is.
    """
    first = [DEFAULT, "preallocate", "charge-after-map", "charge-after-unlock", "unlock-charge-relock",
             "linux-3.0-oom-flag", "linux-3.1"]  # fmt: skip
    found = list(dict.fromkeys([*first, *profile.names(), *packaged()]))
    if not interfaces:
        return found
    return [name for name in found if {load(name).kernel.interface[-1]} == set(interfaces)]


def load(name: str | Path) -> Design:
    """A kernel or a packaged design by its name, or a user's by its path (``*.toml``). Raises InputError."""
    return _load(str(name), Path.cwd(), 0)


def _load(name: str, beside: Path, depth: int) -> Design:
    if name in profile.names():
        return of_kernel(profile.load(name))
    text, source, folder = _read(name, beside)
    return from_data(tables.parse(text, source), source, folder, depth)


def of_kernel(kernel: Kernel) -> Design:
    """The design that changes nothing of a kernel."""
    return Design(kernel.name, kernel.summary, kernel.commit, None, kernel.source, kernel.paths, kernel.on_error,
                  kernel.policies, kernel)  # fmt: skip


def from_data(data: dict[str, Any], source: str, folder: Path | None = None, depth: int = 0) -> Design:
    """A design from what its file holds; ``folder``: where what it extends is looked for. Raises InputError."""
    tables.check_keys(data, KEYS, TEXTS, source)
    extends = data.get("extends")
    if depth >= MAX_CHAIN:
        raise InputError(f"more than {MAX_CHAIN} designs extend one another", file=source)
    base = of_kernel(profile.load(DEFAULT)) if extends is None else _load(extends, folder or Path.cwd(), depth + 1)
    policies = base.policies | tables.policies(data, source)
    paths = base.paths | tables.paths(data, source)
    on_error = ({} if extends is None else base.on_error) | tables.error_exits(data, source)
    if extends is None:
        _check_whole(data.get("paths", {}), source)
    check_together(paths, policies, source)
    default = Path(source).stem
    return Design(str(data.get("name", default)), str(data.get("summary", "")), str(data.get("commit", "")), extends,
                  source, paths, on_error, policies, base.kernel)  # fmt: skip


def _check_whole(paths: dict[str, Any], source: str) -> None:
    for missing in [path for path in PATH_NAMES if path not in paths and path not in MAY_BE_EMPTY]:
        raise InputError(f"path {missing!r} has no steps", file=source, hint=f'extends = "{DEFAULT}" brings them all')


def _read(name: str, beside: Path) -> tuple[str, str, Path]:
    if name in packaged():
        entry = _folder() / f"{name}.toml"
        return entry.read_text(encoding="utf-8"), f"{name}.toml", beside
    path = beside / name
    if name.endswith(".toml") or path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise InputError(f"cannot read the design: {why}", file=name) from None
        check_kind(name, text, "a design")
        return text, str(name), path.parent
    raise InputError(f"no design {name!r}", hint=_release_or(name) + "; a file of your own ends in .toml")


def _release_or(name: str) -> str:
    """What to say of a design that is not there. A release is that one or none: no other is as good."""
    several = [part.strip() for part in re.split("[,; ]", name) if part.strip()]
    if len(several) > 1 and all(part in names() for part in several):
        return "one --design for each: " + " ".join(f"-d {part}" for part in several)
    wanted = releases.release_of(name)
    return tables.near(name, names()) if wanted is None else releases.what_there_is(wanted)


def has_memory_high(design: Design) -> bool:
    """Whether anything on any path is done for who is over memory.high."""
    return any({"reclaim_high", "high_delay"} & set(steps) for steps in design.paths.values())


def charges_page_tables(design: Design) -> bool:
    """Whether a fault is charged for the page tables that it needs."""
    return any("pte_alloc_one" in design.paths[path] for path in FAULT_PATHS)


def to_data(design: Design) -> dict[str, Any]:
    """What a file of the design would hold that takes nothing from its kernel: ``from_data`` reads it back."""
    return {
        "name": design.name, "extends": design.kernel.name, "summary": design.summary, "commit": design.commit,
        "policies": dict(design.policies),
        "paths": {path: list(steps) for path, steps in design.paths.items()},
        "on_error": {path: list(steps) for path, steps in design.on_error.items()},
    }  # fmt: skip


def diff(first: Design, second: Design) -> list[str]:
    """What is different in the second design, line by line: paths with the moved steps marked, policies."""
    lines = []
    for path in PATH_NAMES:
        old, new = first.paths[path], second.paths[path]
        if old == new:
            continue
        kept = {
            index
            for match in difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
            for index in range(match.b, match.b + match.size)
        }
        lines.append(f"{path}:")
        lines.append("  - " + " ".join(old))
        lines.append("  + " + " ".join(s if i in kept else f"[{s}]" for i, s in enumerate(new)))
    for path in PATH_NAMES:
        if first.on_error.get(path) != second.on_error.get(path):
            lines.append(f"error exit of {path}: {first.on_error.get(path)} -> {second.on_error.get(path)}")
    for name in BY_NAME:
        if first.policies[name] != second.policies[name]:
            lines.append(f"policy {name}: {first.policies[name]} -> {second.policies[name]}")
    return lines
