"""Tasks that a session's loop starts and moves between groups keep every rule of the checking mode, with the kernel's
threads there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from cowpath.engine import invariants, loop, machine
from cowpath.kernel import names as n
from cowpath.session.load import load_session

from .checked import SMALL, loaded_costs, loaded_design

SESSION = """\
cgcreate -g memory:A -g memory:B
cgset -r memory.limit_in_bytes={limit}K A
cgset -r memory.memsw.limit_in_bytes={limit}K A
cgset -r memory.limit_in_bytes=160K B
while true; do
  cgexec -g memory:A eater &
  sleep {first}us; cgclassify -g memory:B $!
  sleep {second}us; echo $! > /cgroup/memory/A/cgroup.procs
  echo $$ > /cgroup/memory/B/tasks
  sleep {first}us; cgclassify -g memory:/ $! $$
done
"""
EATER = """\
mapf lib @lib 32 rw private
anon mine 24
thread t
 touch mine 0 24 1 w
end
fork c
 touch lib 0 16 2 w
end
touch lib 0 32 1 w
wait any
"""
TABLE = '[bystanders]\nprograms = []\n[programs.eater]\nwritten = "eater.prog"\n[files.lib]\npages = 32\n'


@pytest.mark.parametrize("limit", [96, 200])
@pytest.mark.parametrize(("first", "second"), [(20, 30), (90, 10), (5, 150), (300, 40)])
def test_moves_keep_every_rule(tmp_path: Path, limit: int, first: int, second: int) -> None:
    (tmp_path / "s.sh").write_text(SESSION.format(limit=limit, first=first, second=second))
    (tmp_path / "s.toml").write_text(TABLE)
    (tmp_path / "eater.prog").write_text(EATER)
    plan = load_session(tmp_path / "s.sh", settle=0)
    k = machine.build(
        plan, loaded_design("linux-3.0"), loaded_costs(), memory=2000 * n.PAGE_SIZE, seed=first, capacity=SMALL
    )
    k.books.log_mask = 1 << n.EV_GROUP
    why, code, at = invariants.run_checked(k, 50_000_000, 6000, plan.shell)
    assert code == invariants.FINE, invariants.in_words(int(code), int(at))
    assert why in (loop.UNTIL, loop.BUDGET, loop.SCRIPT)
    joins = [(int(e["a"]), int(e["b"])) for e in k.books.log[: int(k.books.log_count)]]
    joined = Counter(group for group, file in joins if file == n.NONE)
    assert min(joined[group] for group in (0, 1, 2)) >= 1, joined
