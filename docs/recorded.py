"""Real jobs beside what the model makes of their recordings: the tables of docs/recordings.md ("Jobs of one's own").

Each job runs in a memory cgroup of its own under perf, and is played on linux-6.18; then both run under three limits,
the real one three times each without perf. As root, where perf may record: python docs/recorded.py [--reuse] [JOB ...]

With --makeup: what the groups' memory is made of where most of it is used, the real one's and the model's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cowpath import api
from cowpath.programs.recorder.group import own_group
from cowpath.programs.recorder.record import Recorded, record
from cowpath.programs.recording import write

PROJECT = Path(__file__).resolve().parent.parent / "tests" / "data" / "c_project"
KERNEL = "linux-6.18"
REAL_RUNS = 3
LONGEST = "600s"
DONE = "done"
LOOKS, LOOK_S = 400, 0.005
CPU_STOCKS = (
    2 * 64 * 4096
)  # charges that two CPUs keep in stock (MEMCG_CHARGE_BATCH): by them a group's usage is uncertain
LIMITS = (1.25, 0.7, 0.4)  # of what it uses without a limit
PIPELINE = "seq 1 200000 | awk '{ print $1 % 1000, $1 }' | sort -n | uniq -c | tail -n 1 > result"
PYTHON = """
import json, random
random.seed(1)
rows = [{"key": random.randrange(10**6), "name": f"row {number}"} for number in range(60_000)]
rows.sort(key=lambda row: row["key"])
print(len(json.dumps(rows)))
"""


@dataclass(frozen=True)
class Job:
    """A command, and the folder in which it runs."""

    name: str
    command: tuple[str, ...]
    prepare: str = ""  # what the shell does before each run


JOBS = (
    Job("make -j2", ("make", "-s", "-j2"), "make -s clean"),
    Job("python", ("python3", "-c", PYTHON)),
    Job("sort", ("sort", "-S", "24M", "-o", "sorted", "lines"), "rm -f sorted"),
    Job("pipeline", ("sh", "-c", PIPELINE), "rm -f result"),
)


@dataclass(frozen=True)
class Outcome:
    """What became of it: whether it ended well, and the group's counters."""

    finished: bool
    counters: dict[str, int]


@contextmanager
def workshop() -> Iterator[Path]:
    """A folder with the jobs' files, and the present directory while the block runs."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "work")
        shutil.copytree(PROJECT, folder)
        lines = "".join(f"{number * 7919 % 1_000_003:08d} {'x' * 21}\n" for number in range(1_000_000))
        (folder / "lines").write_text(lines)
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)


def prepared(job: Job) -> None:
    """All is as it is before each run."""
    if job.prepare:
        subprocess.run(["sh", "-c", job.prepare], check=True)


def recorded(job: Job, *, reuse: bool = False) -> Recorded:
    """The job's recording, made when its files are in the page cache already."""
    prepared(job)
    subprocess.run(job.command, check=True, stdout=subprocess.DEVNULL)
    prepared(job)
    return record(job.command, "job", reuse=reuse)


def really(job: Job, limit: int) -> Outcome:
    """What becomes of it under a limit, without perf."""
    prepared(job)
    with own_group() as group:
        group.limit(limit)
        joined = f'echo 0 > {group.tasks}; exec "$@"'
        run = subprocess.run(["sh", "-c", joined, "sh", *job.command], check=False, capture_output=True)
        counters = group.counters()
        group.remove()
    return Outcome(run.returncode == 0 and counters.get("oom_kill", 0) == 0, counters)


def played(recording: Path, limit: int | None) -> Outcome:
    """What the model makes of it."""
    recording.with_suffix(".toml").write_text(
        f'[programs.job]\nrecording = "{recording.name}"\n[machine]\ncpus = 2\nmemory = "8G"\ncgroup = "v1"\n'
    )
    script = recording.with_suffix(".sh")
    limited = "" if limit is None else f"cgset -r memory.limit_in_bytes={limit} A\n"
    script.write_text(f"cgcreate -g memory:A\n{limited}cgexec -g memory:A job && echo {DONE}\n")
    result = api.run(script, design=KERNEL, until=LONGEST)
    group = result.summary["groups"]["A"]
    counters = {"max_usage": group["memory.max_usage_in_bytes"], "pgfault": group["faults"],
                "pgmajfault": group["major_faults"], "oom_kill": group["oom_kills"]}  # fmt: skip
    return Outcome(DONE in result.output and group["oom_kills"] == 0, counters)


def makeup(job: Job) -> dict[str, int]:
    """What the real group has when its usage is highest, of all looks that are had while the job runs; bytes."""
    prepared(job)
    with own_group() as group:
        joined = f'echo 0 > {group.tasks}; exec "$@"'
        highest: dict[str, int] = {}
        with subprocess.Popen(["sh", "-c", joined, "sh", *job.command], stdout=subprocess.DEVNULL) as run:
            while run.poll() is None:
                now = group.counters()
                highest = max(highest, now, key=lambda each: each.get("usage", -1))
        highest["max_usage"] = group.counters()["max_usage"]
        group.remove()
    return highest


def model_makeup(recording: Path) -> dict[str, int]:
    """The same of the model's group, which a shell beside it looks at."""
    script = recording.with_suffix(".sh")
    look = f"sleep {LOOK_S}\ncgget -r memory.usage_in_bytes -r memory.max_usage_in_bytes -r memory.stat A\n"
    script.write_text(f"cgcreate -g memory:A\ncgexec -g memory:A job &\n{look * LOOKS}wait\n")
    output = api.run(script, design=KERNEL, until=LONGEST).output
    looks = [dict(re.findall(r"^\s*(?:memory.stat: )?([a-z_.]+):? (\d+)$", part, re.MULTILINE))
             for part in output.split("A:\n")[1:]]  # fmt: skip
    highest = max(looks, key=lambda each: int(each["memory.usage_in_bytes"]))
    return {"usage": int(highest["memory.usage_in_bytes"]), "anon": int(highest["rss"]), "file": int(highest["cache"]),
            "max_usage": int(looks[-1]["memory.max_usage_in_bytes"])}  # fmt: skip


def made_of(who: str, found: dict[str, int]) -> str:
    """A row: what is no pages of programs and files is kernel memory, and what CPUs keep in stock."""
    rest = found["usage"] - found["anon"] - found["file"]
    kernel = f"{found['kmem'] >> 10:,}" if "kmem" in found else ""
    cells = [f"{found[name] >> 10:,}" for name in ("max_usage", "usage", "anon", "file")] + [f"{rest >> 10:,}", kernel]
    return f"| {who} | {' | '.join(cells)} |"


def off(model: int, real: int) -> str:
    """By how much of what is real the model is off."""
    return f"{(model - real) / real:+.1%}"


def unlimited(result: Recorded, model: Outcome) -> list[str]:
    """The cells of a job without a limit."""
    real = result.counters or {}
    cells = []
    for counter, shown in (("pgfault", "{:,}"), ("max_usage", "{:,.0f}")):
        unit = 1024 if counter == "max_usage" else 1
        cells += [shown.format(real[counter] / unit if unit > 1 else real[counter]),
                  shown.format(model.counters[counter] / unit if unit > 1 else model.counters[counter]),
                  off(model.counters[counter], real[counter])]  # fmt: skip
    return cells


def words(outcome: Outcome) -> str:
    """How it ended, with what it used where it finished."""
    if not outcome.finished:
        return "killed"
    return f"finished, {outcome.counters['max_usage'] / 2**20:.1f}M"


def main(names: Sequence[str]) -> None:
    """Print both tables, row by row."""
    reuse = "--reuse" in names
    parts = "--makeup" in names
    names = [name for name in names if not name.startswith("--")]
    with workshop() as folder:
        for job in JOBS:
            if names and job.name not in names:
                continue
            result = recorded(job, reuse=reuse)
            recording = folder / "job.recording"
            write(result.recording, recording)
            row = unlimited(result, played(recording, None))
            if parts:
                print(made_of(f"{job.name}, real", makeup(job)))
                print(made_of(f"{job.name}, model", model_makeup(recording)), flush=True)
                continue
            print(f"| {job.name} | {' | '.join(row)} |", flush=True)
            most = (result.counters or {})["max_usage"]
            for part in LIMITS:
                limit = int(most * part) >> 12 << 12
                real = ", ".join(words(really(job, limit)) for _ in range(REAL_RUNS))
                print(f"| {job.name}, {limit / 2**20:.1f}M | {real} | {words(played(recording, limit))} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
