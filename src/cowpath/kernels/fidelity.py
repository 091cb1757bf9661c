"""How each profile agrees with what was measured on real kernels: the sums of docs/fidelity.md (``fidelity.toml``)."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

Sums = dict[str, dict[str, int]]  # by what was measured ("linux-6.18", "cgroup-v2", "builds"): how much agrees


@cache
def load() -> dict[str, Sums]:
    """By profile or design. Scenarios have agree, total, outcomes_ok, outcomes; builds have right, of."""
    text = (resources.files("cowpath") / "kernels" / "fidelity.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def words(name: str) -> str:
    """The same in a sentence."""
    told = [_words(what, its) for what, its in load().get(name, {}).items()]
    if not told:
        return "nothing of it has been held against a real kernel"
    return f"{'; '.join(told)} (docs/fidelity.md)"


def _words(what: str, its: dict[str, int]) -> str:
    if "right" in its:
        return f"{what}: the verdict is right for {its['right']} of {its['of']}"
    percent = 100 * its["agree"] / its["total"]
    return (
        f"{what}: {its['agree']:,} of {its['total']:,} counters agree ({percent:.1f} %), every outcome is right in "
        f"{its['outcomes_ok']} of {its['outcomes']} scenarios"
    )
