"""What the files of groups say, that a collection of ``watch`` has beside the stacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cowpath.observe.text import size

UNLIMITED = 1 << 60


@dataclass(frozen=True)
class Group:
    """A group: sizes in bytes, None where its files do not say; ``limit`` and ``high`` also where there is none."""

    folder: str
    usage: int | None = None
    limit: int | None = None
    high: int | None = None
    killer_off: bool | None = None
    under_oom: bool | None = None

    def __str__(self) -> str:
        """A sentence about it."""
        parts = [f"{self.folder} has {size(self.usage)}"]
        if self.limit is not None:
            parts.append(f"its limit is {size(self.limit)}")
        if self.high is not None:
            parts.append(f"its memory.high is {size(self.high)}")
        if self.killer_off is not None:
            parts.append(f"its OOM killer is {'off' if self.killer_off else 'on'}")
        if self.under_oom:
            parts.append("it is out of memory now")
        return ", ".join(parts) + "."


def groups(files: Mapping[str, Mapping[str, str]]) -> dict[str, Group]:
    """The groups of a collection, by their folders."""
    return {folder: of(folder, texts) for folder, texts in files.items()}


def of(folder: str, texts: Mapping[str, str]) -> Group:
    """One group, from its files."""
    control = dict(
        line.split()[:2] for line in texts.get("memory.oom_control", "").splitlines() if len(line.split()) >= 2
    )
    return Group(
        folder,
        number(texts, "memory.usage_in_bytes", "memory.current"),
        number(texts, "memory.limit_in_bytes", "memory.max"),
        number(texts, "memory.high"),
        {"0": False, "1": True}.get(control.get("oom_kill_disable", "")),
        {"0": False, "1": True}.get(control.get("under_oom", "")),
    )


def number(texts: Mapping[str, str], *names: str) -> int | None:
    """The number in the first of the files that is there; None for none, and for ``max``."""
    text = next((texts[name].strip() for name in names if name in texts), "")
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
    return value if value is None or value < UNLIMITED else None
