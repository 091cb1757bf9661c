"""How long ``cowpath search`` of a fault's path takes, and what it is spent on.

    python benchmarks/search.py [BASE] [--path file_cow] [--turns 2]

Without BASE: by how many schedules and by how many searches of which case the orders are decided, in one process. With
it: both commits in turns, on as many processes as there are CPUs. Both have to find the same number of orders and the
same safe ones with the same costs, else this ends with 1; so it does where this tree takes more of the other's
processor time than is asked for.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from sides import Side, Spent, both
from tables import Target, console, show, show_targets

from cowpath import cases, designs
from cowpath.checker.many import Job
from cowpath.engine import costs
from cowpath.kernels import DEFAULT
from cowpath.searching.neighbours import Neighbours
from cowpath.searching.orders import Steps, orders
from cowpath.searching.run import Worker, chunks
from cowpath.searching.suite import Bench, Seen

PATH = "file_cow"
TURNS = 2
ASKED_FOR = 0.25  # of the other's time; stretch: 0.125
ALIKE = ("path", "from", "cases", "orders", "safe", "own", "paid")  # of what --json prints: not by what an order fails


def found(spent: Spent) -> dict[str, Any]:
    """What a search has found, as far as two commits have to agree about it."""
    whole = json.loads(spent.output)
    return {name: whole[name] for name in ALIKE}


def compare(base: Side, here: Side, path: str = PATH, turns: int = TURNS) -> tuple[list[Target], bool]:
    """Print the table; the target, and whether both have found the same."""
    words = ("search", "--path", path, "--fresh", "--json")
    for side in (base, here):
        side.cowpath("warm-up")
    spent: dict[str, list[Spent]] = {base.name: [], here.name: []}
    for _ in range(turns):
        for side in (base, here):
            spent[side.name].append(side.cowpath(*words))
    same = all(found(each) == found(spent[base.name][0]) for one in spent.values() for each in one)
    cpu = {name: min(each.cpu_s for each in one) for name, one in spent.items()}
    wall = {name: min(each.wall_s for each in one) for name, one in spent.items()}
    rows = [(name, f"{cpu[name]:.1f} s", f"{wall[name]:.1f} s") for name in spent]
    rows.append(("ratio", f"{cpu[here.name] / cpu[base.name]:.3f}", f"{wall[here.name] / wall[base.name]:.3f}"))
    orders = found(spent[here.name][0])
    count = f"{orders['orders']:,} orders, {len(orders['safe']):,} safe: {'the same' if same else 'NOT THE SAME'}"
    console.print(f"cowpath search --path {path}: {count}")
    show(f"The best of {turns}", ("", "CPU", "wall"), rows)
    return [Target("CPU time, of the other's", cpu[here.name] / cpu[base.name], ASKED_FOR, most=True)], same


@dataclass
class Spending:
    """Of one kind of work: how often, how often it refuted, seconds of CPU."""

    calls: int = 0
    refuted: int = 0
    cpu_s: float = 0.0

    def around(self, work: Callable[[], Any], refutes: Callable[[Any], bool]) -> Any:
        """Do it, and note it."""
        began = time.process_time()
        result = work()
        self.cpu_s += time.process_time() - began
        self.calls += 1
        self.refuted += refutes(result)
        return result


class Noted(Bench):
    """A case that notes what it is asked."""

    played: ClassVar = Spending()
    searched: ClassVar[defaultdict[str, Spending]] = defaultdict(Spending)

    def goes_wrong(self, *arguments: Any) -> bool:
        """A schedule, played."""
        return bool(self.played.around(lambda: super(Noted, self).goes_wrong(*arguments), bool))

    def _search(self, steps: Steps) -> Seen:
        seen: Seen = self.searched[self.plan.case.name].around(
            lambda: super(Noted, self)._search(steps), lambda seen: seen.failure is not None
        )
        return seen


def spending(path: str) -> None:
    """Print what the orders are decided by."""
    design = designs.load(DEFAULT)
    suite = [case for case in map(cases.load, cases.names()) if case.path == path and Job(design, case).applies]
    benches = [Noted(case, design, costs.load(), path) for case in suite]
    benches.sort(key=lambda bench: (bench.states(), bench.plan.case.name))
    Noted.searched.clear()
    worker = Worker(design, path, suite)
    worker.suite[:] = benches
    every = list(orders(path, design.paths[path]))
    clock, safe = Spending(), 0
    for chunk in chunks(every, set(range(len(every)))):
        neighbours = Neighbours()
        for _, steps in chunk.orders:
            if worker.failure(steps, neighbours) is None:
                clock.around(partial(worker.measured, steps), lambda _: False)
                safe += 1
    rows = [
        (what, f"{each.calls:,}", f"{each.refuted:,}", f"{each.cpu_s:.2f}", f"{1e3 * each.cpu_s / each.calls:.3f}")
        for what, each in {"schedules": Noted.played, **Noted.searched, "in the clock": clock}.items()
        if each.calls
    ]
    headings = ("searches of a case, or", "how many", "refute", "CPU, s", "ms each")
    console.print(f"{path} from {DEFAULT}: {len(every):,} orders, {safe:,} safe")
    show("What decides them", headings, rows)


def main() -> None:
    """The whole command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", nargs="?", help="the commit to compare with")
    parser.add_argument("--path", default=PATH, help="the path whose steps are put in order")
    parser.add_argument("--turns", type=int, default=TURNS)
    wanted = parser.parse_args()
    if wanted.base is None:
        spending(wanted.path)
        return
    with both(wanted.base) as (base, here):
        targets, same = compare(base, here, wanted.path, wanted.turns)
    show_targets(targets)
    sys.exit(not (same and all(target.met for target in targets)))


if __name__ == "__main__":
    main()
