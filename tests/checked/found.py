"""Sessions that have broken a rule, as they were drawn: kept, so that they are played each time."""

from __future__ import annotations

from .strategies import File, Group, Session, Task

TWICE = (("touch", 0, 0, 1, False), ("touch", 0, 0, 1, False))


def _task(group: int, *pages: int, **more: object) -> Task:
    given = {"program": TWICE, "after_ns": 0, "handler": False, "thread": (), "cpu": None, **more}
    return Task(group=group, pages=pages, **given)  # type: ignore[arg-type]


# a task that has charged a page for buffer heads finds that another has made them
BUFFERS_FROM_ANOTHER = Session(
    design="linux-5.15", cpus=2, memory=2000, swap=0, reserve=0, disk_ns=0, nr_requests=128, threads=True,
    swappiness=60, seed=9, slice_ns=100, readahead=4, reuse=0.0,
    files=(File(40, False, True, 3), File(4, False, False, 3), File(40, False, False, 3)),
    groups=(Group(0, False, None, 0, True), Group(0, False, 14, 0, True), Group(0, True, 32, None, True)),
    tasks=(
        _task(3, 48, 0, 0),
        _task(2, 1, 1, 1, thread=(("proc", -3), ("touch", 0, 0, 1, False), ("touch", 2, 0, 1, False))),
        _task(3, 0, 0, 1),
        _task(
            0, 20, 0, 0, after_ns=20_000,
            program=(("sweep", 1, False), ("fork", (("sweep", 1, False),), False, None), ("sweep", 1, False)),
        ),
    ),
    shell=(("limit", 1, 1), ("fsync", 0), ("limit", 2, 1)), kill_all_ns=0, v2=False,
)  # fmt: skip

# between two tries of a charge for an object, bytes for it come back when a grace period is over
BYTES_FROM_RCU = Session(
    design="linux-5.15", cpus=1, memory=2000, swap=0, reserve=0, disk_ns=0, nr_requests=128, threads=True,
    swappiness=60, seed=0, slice_ns=100, readahead=0, reuse=0.0, files=(File(40, False, False, 0),) * 3,
    groups=(Group(0, False, None, 0, True), Group(0, False, 9, 5, True), Group(0, False, 1, 0, True)),
    tasks=(
        _task(1, 0, 0, 0),
        _task(1, 0, 0, 1, thread=(("proc", -3), ("touch", 0, 0, 1, False))),
        _task(1, 0, 0, 0),
        _task(2, 0, 0, 0, thread=(("write", 1, 0, 40, None, 0),)),
    ),
    shell=(("limit", 1, 1), ("limit", 1, 1)), kill_all_ns=0, v2=True,
)  # fmt: skip
