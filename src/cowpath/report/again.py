"""What makes a page again, where it was made from Python: the call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cowpath import cases, designs
from cowpath.checker.many import Job
from cowpath.checker.properties import Property


def check_call(jobs: Sequence[Job], properties: Sequence[Property], target: Path) -> str:
    """``cowpath.check(...).report(...)``, without the limits of the search."""
    on = _as_given([job.design.source for job in jobs], designs.names())
    what = _as_given([job.case.source for job in jobs], cases.names())
    names = [each.name for each in properties]
    return f"cowpath.check({on!r}, {what!r}, properties={names!r}).report({str(target)!r})"


def replay_call(saved: str, target: Path) -> str:
    """``cowpath.replay(...).report(...)``."""
    return f"cowpath.replay({saved!r}).report({str(target)!r})"


def _as_given(sources: Sequence[str], packaged: Sequence[str]) -> list[str]:
    """The names of packaged ones, the files of others; each once."""
    names = {f"{name}.toml": name for name in packaged}
    return [names.get(source, source) for source in dict.fromkeys(sources)]
