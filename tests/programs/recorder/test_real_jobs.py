"""Jobs that are recorded here and played in the model, beside what the real kernel did with them: docs/recorded.py."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.programs.recorder.real import needs_perf
from tests.slow import in_nightly_only

from cowpath.programs.recording import write

SCRIPT = Path(__file__).parents[3] / "docs" / "recorded.py"
PGFAULT, MAX_USAGE = 0.01, 0.05


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("recorded_jobs", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


jobs = loaded()


@needs_perf
@in_nightly_only
@pytest.mark.parametrize("job", jobs.JOBS, ids=[job.name for job in jobs.JOBS])
def test_without_a_limit_the_counters_agree_and_under_limits_the_end(job: object) -> None:
    with jobs.workshop() as folder:
        result = jobs.recorded(job)
        recording = folder / "job.recording"
        write(result.recording, recording)
        real, model = result.counters, jobs.played(recording, None).counters
        assert model["pgfault"] == pytest.approx(real["pgfault"], rel=PGFAULT)
        assert model["max_usage"] == pytest.approx(real["max_usage"], rel=MAX_USAGE)
        for part in jobs.LIMITS:
            limit = int(real["max_usage"] * part) >> 12 << 12
            outcomes = [jobs.really(job, limit) for _ in range(jobs.REAL_RUNS)]
            played = jobs.played(recording, limit)
            finished = {outcome.finished for outcome in outcomes}
            assert played.finished in finished
            used = [outcome.counters["max_usage"] for outcome in outcomes if outcome.finished]
            if len(finished) == 1 and used:
                room = jobs.CPU_STOCKS + max(used) - min(used)
                assert played.counters["max_usage"] == pytest.approx(sum(used) / len(used), rel=MAX_USAGE, abs=room)
