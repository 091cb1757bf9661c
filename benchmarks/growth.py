"""The core grows: tasks and pages, cowpath and C at the same size."""

from __future__ import annotations

from statistics import median

from core import in_c, in_cowpath
from core.size import Size
from tables import Target, rate, show, show_targets

FAULTS = 1_000_000  # about, at least
TASKS = (10, 40, 160, 640, 2_560, 4_000)
PAGES = (10_000, 100_000, 1_000_000, 4_000_000)  # of the machine's memory
RUNS = 3


def of_tasks(tasks: int) -> Size:
    """More and more tasks, each with as much to do, in a group that has memory for three in ten of them."""
    pages, rounds = 640, 2
    jobs = max(3 * tasks // 2, FAULTS // (pages * rounds))
    return Size(tasks, jobs, rounds, pages, limit=3 * tasks * pages // 10)


def of_pages(pages: int) -> Size:
    """More and more memory for 64 tasks, nearly all of it in use."""
    tasks, jobs = 64, 128
    limit = round((0.96 * pages - jobs - 1400) / 1.22) if pages < 4_000_000 else 3_250_000
    each = 2 * limit // tasks
    return Size(tasks, jobs, rounds=max(1, -(-FAULTS // (jobs * each))), pages=each, limit=limit)


def measure() -> list[Target]:
    """Each size in turns; the ratio to C of all of them together."""
    costs, rows, ratios = in_cowpath.costs(), [], []
    sizes = [(f"{tasks:,} tasks", of_tasks(tasks)) for tasks in TASKS]
    sizes += [(f"{pages:,} pages", of_pages(pages)) for pages in PAGES]
    for name, size in sizes:
        own, c = [], []
        for _ in range(RUNS):
            own.append(in_cowpath.run(size))
            c.append(in_c.run(size, costs))
            if own[-1].figures != c[-1].figures:
                raise RuntimeError(f"at {name} C has other figures: {own[-1].figures} {c[-1].figures}")
        mine, theirs = (median(run.faults_per_s for run in runs) for runs in (own, c))
        ratios.append(mine / theirs)
        counts = own[-1].figures
        rows.append((name, f"{size.memory:,}", f"{counts['faults']:,}", f"{counts['kills']:,}", rate(mine),
                     rate(theirs), f"{mine / theirs:.2f}"))  # fmt: skip
    show(
        "2. Growth (the same figures in cowpath and C at every size)",
        ("size", "memory, pages", "faults", "kills", "cowpath, faults/s", "C, faults/s", "cowpath / C"),
        rows,
    )
    targets = [Target("largest ratio to C over the smallest", max(ratios) / min(ratios), 1.5, " x", most=True)]
    show_targets(targets)
    return targets
