"""What later kernels do in a session that earlier ones do not: the OOM reaper (mm/oom_kill.c of 4.19 to 7.1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from .played import MS, ROOT, Played, S

# keeper has the lock of a file in memory; attacker waits for it, and hog behind that. A is full, and there is no swap:
# with the lock, attacker kills hog, which waits for the lock
SESSION = f"""mkdir {ROOT}/A
echo 2M > {ROOT}/A/memory.max
keeper &
cgexec -g memory:A hog &
cgexec -g memory:A attacker &
sleep 10
"""
PROGRAMS = {
    "keeper": "sleep 10ms\nwritef @/dev/shm/log 1000 30000",
    "hog": "anon heap 480\ntouch heap 0 480 1 w\nsleep 25ms\nwritef @/dev/shm/log 0 1",
    "attacker": "sleep 15ms\nwritef @/dev/shm/log 0 200",
}


@pytest.mark.parametrize(
    ("kernel", "least", "most"),
    [("linux-4.19", 0, 300 * MS), ("linux-6.1", 2 * S, 2300 * MS), ("linux-6.18", 2 * S, 2300 * MS)],
)
def test_a_victim_that_cannot_exit_is_reaped_at_once_or_since_5_18_after_two_seconds(
    kernel: str, least: int, most: int, tmp_path: Path
) -> None:
    run = Played(tmp_path, SESSION, PROGRAMS, kernel)
    run.run(40 * MS)
    assert run.waits("hog") == "i_mutex" == run.waits("attacker")
    run.run(4 * S)
    assert not run.alive("hog", "attacker") and run.alive("oom_reaper")
    assert least <= run.held_up("hog") <= most
    assert (
        run.events("A")["oom_kill"] == 1 and sum(group == run.number("A") for group in run.pages("/dev/shm/log")) == 200
    )
