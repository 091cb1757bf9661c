"""The figures of the groups over time in OpenMetrics' text, which Prometheus takes, and Grafana draws from there.

https://prometheus.io/docs/specs/om/open_metrics_spec/ (1.0): families one behind the other, in each a series behind the
other, its samples by time, which is in seconds; the machine begins at 1970-01-01.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cowpath import __version__
from cowpath.atomic import cannot_write, replacing
from cowpath.kernel import names as n
from cowpath.observe.samples import FAMILIES, Family

if TYPE_CHECKING:
    from cowpath.results import Result

RUN = "cowpath_run"  # an info: a line per run, with its verdict


def write(target: Path, results: Sequence[Result]) -> None:
    """Write runs of one session, made with samples, to a file, whole or not at all. Raises InputError."""
    try:
        with replacing(target) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines_of(results))
    except (OSError, ValueError) as error:
        raise cannot_write(target, error, "the metrics") from None


def lines_of(results: Sequence[Result]) -> Iterator[str]:
    """The lines of the file. The same runs give the same lines."""
    yield from (f"# TYPE {RUN} info", f"# HELP {RUN} A run, and how the tasks outside every group fared.")
    for result in results:
        more = {"verdict": result.verdict, "ended": result.summary["ended"], "version": __version__}
        yield f"{RUN}_info{labels(of_run(result) | more)} 1 {seconds(result.summary['virtual_ns'])}"
    series = [(*each, result) for result in results for each in samples_of(result).series()]
    series.sort(key=lambda each: FAMILIES.index(each[0]))  # which keeps the order within a family
    for family, some in groupby(series, key=lambda each: each[0]):
        yield from head(family)
        for _, kind, group, times, values, result in some:
            named = of_run(result) | {"cgroup": f"/{result.plan.groups[group]}"}
            named |= {family.label: kind} if family.label else {}
            sample = family.key + "_total" * (family.type == "counter") + labels(named)
            shown = zip(map(SHOW[family.unit], values.tolist()), map(seconds, times.tolist()), strict=True)
            yield from (f"{sample} {value} {time}" for value, time in shown)
    yield "# EOF"


def head(family: Family) -> Iterable[str]:
    """What is said of a family before its samples."""
    lines = [f"# TYPE {family.key} {family.type}", f"# HELP {family.key} {family.help}"]
    return [lines[0], f"# UNIT {family.key} {family.unit}", lines[1]] if family.unit else lines


def of_run(result: Result) -> dict[str, Any]:
    """What tells a run from others in the same database."""
    return {"session": result.plan.name, "design": result.design, "seed": result.summary["seed"]}


def samples_of(result: Result) -> Any:
    """The samples of a run that was made with them."""
    if result.seen.samples is None:
        raise ValueError(f"the run on {result.design} was made without samples")
    return result.seen.samples


def labels(named: dict[str, Any]) -> str:
    """``{design="preallocate",cgroup="/A"}``: a name from outside cannot end its quotes, or its line."""
    return "{" + ",".join(f'{name}="{escaped(str(value))}"' for name, value in named.items()) + "}"


def escaped(text: str) -> str:
    """A label's value: backslash, quote and line feed are escaped; what is no UTF-8 becomes a visible escape."""
    for one, other in (("\\", r"\\"), ("\n", r"\n"), ('"', r"\"")):
        text = text.replace(one, other)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def seconds(ns: int) -> str:
    """ns as seconds, exactly."""
    return f"{ns // 10**9}.{ns % 10**9:09d}".rstrip("0").rstrip(".") if ns else "0"


SHOW: dict[str, Callable[[int], str]] = {"": str, "bytes": lambda pages: str(pages * n.PAGE_SIZE), "seconds": seconds}
