"""Makes docs/fidelity.md and the sums that ``cowpath kernels`` shows: all that was measured, played (make fidelity).

``docs/fidelity.toml`` says why what does not agree does not.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import Counter as Counting
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cowpath.atomic import replacing
from cowpath.checker.workers import cores
from cowpath.validate import builds, many, throttle
from cowpath.validate.builds import many as many_builds
from cowpath.validate.builds.score import Held
from cowpath.validate.many import Found
from cowpath.validate.scenario import Scenario, read_scenarios
from cowpath.validate.score import Score, by_counter, by_kind, percent, sums

DOCS = Path(__file__).parent
ROOT = DOCS.parent
TRUTH = ROOT / "tests" / "data" / "truth"
SCENARIOS = ("linux-3.0.jsonl", "linux-6.18.jsonl", "cgroup-v2.jsonl")
SLEEPS = "memory-high-throttle.tsv"
BUILDS = "builds.jsonl"
SUMS = ROOT / "src" / "cowpath" / "kernels" / "fidelity.toml"
WHY = DOCS / "fidelity.toml"
PAGE = DOCS / "fidelity.md"
INTRODUCTION = """# Fidelity

How the model agrees with what real kernels did, kernel by kernel. `make fidelity` plays all that was measured, and
writes this page; `cowpath validate FILE` does the same with any file of scenarios ([the schema](scenarios.md)), and
`--id NAME` shows every counter of one.

Scored are counters that change, in reality or in the model; one agrees if it is equal, or within the spread of the
real runs. Outcomes are who died, who blocked, what a call returned, what a task waited for, and how long it slept
(within a factor of 1.5). What the model does not have stands apart, and is in no sum.
"""


def main() -> None:
    """Play everything, and write both files."""
    jobs = many.jobs_of([scenario for name in SCENARIOS for scenario in read_scenarios(TRUTH / name)], None)
    found = list(many.run_all(jobs, _told, cores()))
    slept = [each for lines in throttle.groups_of(throttle.read_table(TRUTH / SLEEPS), None)
             for each in throttle.played(lines)]  # fmt: skip
    held = many_builds.run_all(*many_builds.builds_of([TRUTH / BUILDS], None, [], builds.How()), _told, cores())
    reasons = tomllib.loads(WHY.read_text(encoding="utf-8"))
    page = "\n".join([
        INTRODUCTION, *whole(found), *departures(found, reasons["departures"]), *sleeps(slept), *of_builds(held),
        *kernels(found, reasons),
    ])  # fmt: skip
    for path, text in ((PAGE, page.rstrip() + "\n"), (SUMS, sums_file(found, held))):
        with replacing(path) as file:
            file.write_text(text, encoding="utf-8")


def _told(done: int, name: str) -> None:
    print(f"\r{done:4} {name:<60}", end="", file=sys.stderr, flush=True)


def whole(found: Sequence[Found]) -> Iterator[str]:
    """The table of all kernels."""
    yield "| kernel | scenarios | counters that agree | of | % | every outcome right in | apart |"
    yield "|---|---|---|---|---|---|---|"
    not_summed = {name: sum(bool(each.apart) for each in its) for name, its in many.by_design(found).items()}
    for name, scores in many.scores_by_design(found).items():
        its = dict(total(scores))
        yield (
            f"| {name} | {its['outcomes']} | {its['agree']:,} | {its['total']:,} | {percent(scores):.1f} | "
            f"{its['outcomes_ok']} | {not_summed[name]} |"
        )
    yield ""


def departures(found: Sequence[Found], rows: dict[str, str]) -> Iterator[str]:
    """What each of the model's departures costs: the counters that are off by it, the first of them that fits."""
    off: dict[str, list[Scenario]] = {why: [] for why in rows}
    kernels: dict[str, Counting[str]] = {why: Counting() for why in rows}
    for design, scores in many.scores_by_design(found).items():
        for score in scores:
            for counter in score.counters:
                if not counter.agrees:
                    why = cause(rows, f"{score.scenario.id} {counter.name}")
                    off[why].append(score.scenario)
                    kernels[why][f"{design} {score.scenario.interface}"] += 1
    yield "## What the departures cost\n"
    yield (
        f"Of the {sum(map(len, off.values())):,} counters that do not agree, by what [the model](model.md) does "
        "otherwise: how many, in how many scenarios, and one of these to look at.\n"
    )
    apart = ("linux-6.18 v1", "linux-6.18 v2", "linux-6.1 v2")  # those with most scenarios
    shown_by = "shown by `cowpath validate tests/data/truth/...`"
    yield f"| departure | counters | {' | '.join(apart)} | scenarios | {shown_by} |"
    yield "|---|---|---|---|---|---|---|"
    for why, its in off.items():
        if its:
            shown = Counting(f"{Path(each.place.file).name} --id {each.id}" for each in its)
            scenarios = {(each.id, each.kernel) for each in its}
            parts = " | ".join(str(kernels[why][each]) for each in apart)
            yield f"| {why} | {len(its)} | {parts} | {len(scenarios)} | `{shown.most_common(1)[0][0]}` |"
    yield ""


def cause(rows: dict[str, str], label: str) -> str:
    """The first departure whose pattern fits a scenario's name and a counter's."""
    return next(why for why, pattern in rows.items() if re.fullmatch(pattern, label))


def sleeps(slept: Sequence[throttle.Slept]) -> Iterator[str]:
    """How long a charge over memory.high sleeps."""
    yield "## Sleeps over memory.high\n"
    yield (
        "One charge of 64 pages, at each measured excess whose sleep is below the longest, 2 s: how far off is the "
        "model's?\n"
    )
    yield "| kernel | measured excesses | median error | 9 in 10 are within |\n|---|---|---|---|"
    for each in throttle.errors(slept):
        told = each.as_json()
        yield f"| {told['kernel']} | {told['lines']} | {told['median']:.1%} | {told['p90']:.1%} |"
    yield ""


def of_builds(held: Held) -> Iterator[str]:
    """A recorded build under limits."""
    all_of = held.totals
    yield "## A build under limits\n"
    yield (
        f"`{held.design}`, with {held.fetches:,} fetches of code back ([the rule](recordings.md)). Of the {all_of.of} "
        "configurations with a limit whose real runs agree among themselves, the verdict is right for "
        f'{all_of.right}; the rule "it finishes if its peak without a limit is below the limit" is right for '
        f"{all_of.by_peak}.\n"
    )
    close = ", ".join(f"{name} in {count}" for name, count in all_of.close.items())
    yield f"Of the {all_of.finished} builds under a limit that finish in both, close are: {close}.\n"
    yield "| limit | jobs | real | simulated | |\n|---|---|---|---|---|"
    for each in held.configurations:
        if each.setup.limit is not None:
            mark = "right" if each.right else "**wrong**"
            mark = mark if each.scored else "not scored: the real runs differ"
            jobs = each.setup.jobs or "unlimited"
            real, simulated = ", ".join(each.real), ", ".join(each.simulated)
            yield f"| {each.setup.limit >> 20} MiB | {jobs} | {real} | {simulated} | {mark} |"
    yield ""


def kernels(found: Sequence[Found], reasons: dict[str, Any]) -> Iterator[str]:
    """Kernel by kernel: what agrees, what does not, and why."""
    for name, scores in many.scores_by_design(found).items():
        yield f"## {name}\n"
        yield from table("kind of scenario", sums(scores, by_kind))
        off = [each for each in sums(scores, by_counter) if each.agree < each.total]
        agreeing = [each.name for each in sums(scores, by_counter) if each.agree == each.total]
        if agreeing:
            yield f"All agree: {', '.join(f'`{each}`' for each in sorted(agreeing))}.\n"
        yield "| what does not always agree | agree | of | furthest off by | why |\n|---|---|---|---|---|"
        for each in off:
            why = reason(reasons["counters"], each.name)
            yield f"| `{each.name}` | {each.agree} | {each.total} | {100 * each.off_by:,.3g} % | {why} |"
        yield ""
        yield from wrong(scores, reasons)
        yield from apart(many.by_design(found)[name])


def table(what: str, rows: Iterable[Any]) -> Iterator[str]:
    """Sums."""
    yield f"| {what} | agree | of | % |\n|---|---|---|---|"
    for each in rows:
        yield f"| {each.name} | {each.agree} | {each.total} | {each.percent:.1f} |"
    yield ""


def wrong(scores: Sequence[Score], reasons: dict[str, Any]) -> Iterator[str]:
    """Outcomes that are not right."""
    rows = [(each.scenario.id, one) for each in scores for one in each.outcomes if not one.right]
    if not rows:
        yield "Every outcome is right.\n"
        return
    yield "| wrong outcome of | step | what | real | simulated | why |\n|---|---|---|---|---|---|"
    for name, one in rows:
        why = reason(reasons["outcomes"], name)
        yield f"| {name} | {one.step} | {one.what} | {one.real} | {one.simulated} | {why} |"
    yield ""


def apart(found: Sequence[Found]) -> Iterator[str]:
    """What is in no sum."""
    rows = [each for each in found if each.apart]
    if rows:
        yield "In no sum: " + "; ".join(f"{each.job.scenario.id} ({each.apart})" for each in rows) + ".\n"


def reason(table: dict[str, str], name: str) -> str:
    """Why: the first entry whose pattern the name matches."""
    return next((why for pattern, why in table.items() if re.fullmatch(pattern, name)), "not known")


def sums_file(found: Sequence[Found], held: Held) -> str:
    """What ``cowpath kernels`` shows."""
    lines = ["# How each profile agrees with real kernels: made by make fidelity, from what docs/fidelity.md names."]
    for name in many.scores_by_design(found):
        for source in SCENARIOS:
            its = many.scores_by_design(each for each in found if Path(each.job.scenario.place.file).name == source)
            if scores := its.get(name):
                lines += [
                    f'\n["{name}"."{source.removesuffix(".jsonl")}"]',
                    *(f"{key} = {value}" for key, value in total(scores)),
                ]
        if name == held.design:
            lines += [f'\n["{name}".builds]', f"right = {held.totals.right}", f"of = {held.totals.of}"]
    return "\n".join(lines) + "\n"


def total(scores: Sequence[Score]) -> Iterator[tuple[str, int]]:
    """Of some scenarios on a kernel."""
    yield "agree", sum(each.agree for each in scores)
    yield "total", sum(each.total for each in scores)
    yield "outcomes_ok", sum(each.outcome_ok for each in scores)
    yield "outcomes", len(scores)


if __name__ == "__main__":
    main()
