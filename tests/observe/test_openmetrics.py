"""The groups' figures over time, read back with Prometheus' own parser of OpenMetrics."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import cowpath
from cowpath.observe import openmetrics, samples
from cowpath.results import Comparison

EXAMPLES = Path(__file__).parents[2] / "examples"
DASHBOARD = EXAMPLES / "grafana" / "cowpath.json"
CONTENDED = """cgcreate -g memory:A
cgset -r memory.limit_in_bytes=1M A
cgset -r memory.memsw.limit_in_bytes=1M A
cgexec -g memory:A ls &
cgexec -g memory:A grep &
ls &
sleep 1
wait
"""
Series = dict[tuple[str, frozenset[tuple[str, str]]], list[tuple[float, float]]]
Both = tuple[Comparison, Path, Series]


def read(text: str, *families: str) -> Series:
    """All series of a file, or those of some families, by name and labels: times (s) and values."""
    if families:
        blocks = text.removesuffix("# EOF\n").split("# TYPE ")[1:]
        text = "".join([f"# TYPE {block}" for block in blocks if block.split()[0] in families]) + "# EOF\n"
    found: Series = defaultdict(list)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert sample.timestamp is not None
            at = sample.timestamp.sec + sample.timestamp.nsec / 1e9
            found[sample.name, frozenset(sample.labels.items())].append((at, sample.value))
    return found


def only(series: Series, name: str, **labels: str) -> list[tuple[float, float]]:
    """The one series of this name with these labels."""
    (found,) = (values for (called, named), values in series.items() if called == name and labels.items() <= named)
    return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "contended.sh").write_text(CONTENDED)
    target = folder / "run.prom"
    designs = ["linux-3.0", "preallocate"]
    comparison = cowpath.compare(folder / "contended.sh", designs, until="300ms", seed=1, metrics=target)
    return comparison, target, read(target.read_text())


def test_the_last_samples_are_what_the_files_say_at_the_end(both: Both) -> None:
    comparison, _, series = both
    for result in comparison.results:
        mine = {"design": result.design, "cgroup": "/A"}
        group = result.summary["groups"]["A"]
        for name, key in {
            "cowpath_memory_usage_bytes": "memory.usage_in_bytes",
            "cowpath_memory_limit_bytes": "memory.limit_in_bytes",
            "cowpath_memory_failcnt_total": "memory.failcnt", "cowpath_tasks": "tasks",
            "cowpath_page_faults_total": "faults", "cowpath_oom_kills_total": "oom_kills",
            "cowpath_reclaim_scanned_pages_total": "pages_scanned",
        }.items():  # fmt: skip
            at, value = only(series, name, **mine)[-1]
            assert value == group[key] and at == pytest.approx(result.summary["virtual_ns"] / 1e9)
        outside = only(series, "cowpath_page_faults_total", design=result.design, cgroup="/")[-1][1]
        assert outside == result.summary["bystanders"]["faults"]
        reasons: dict[str, float] = defaultdict(float)
        for (name, labels), values in series.items():
            if name == "cowpath_blocked_seconds_total" and ("design", result.design) in labels:
                reasons[dict(labels)["reason"]] += values[-1][1]
        told = {reason: ns / 1e9 for reason, ns in result.summary["blocked_ns"].items() if ns}
        assert dict(reasons) == pytest.approx(told) and told
        verdict = {dict(labels)["verdict"] for (name, labels) in series if name == "cowpath_run_info"
                   and ("design", result.design) in labels}  # fmt: skip
        assert verdict == {result.verdict}


def test_counters_never_go_back_and_usage_keeps_to_its_limit(both: Both) -> None:
    for (name, _), values in both[2].items():
        times = [at for at, _ in values]
        assert times == sorted(set(times))
        if name.endswith("_total"):
            assert all(one <= other for (_, one), (_, other) in pairwise(values))
        if name == "cowpath_memory_usage_bytes":
            assert 0 < max(value for _, value in values) <= 1 << 20


def test_a_run_is_the_same_whether_it_is_looked_at_or_not(both: Both, tmp_path: Path) -> None:
    result = both[0]["linux-3.0"]
    again = cowpath.run(both[1].with_name("contended.sh"), "linux-3.0", until="300ms", seed=1)
    told = {key: value for key, value in result.summary.items() if key != "wall_s"}
    assert told == {key: value for key, value in again.summary.items() if key != "wall_s"}


def test_pressure_and_throttling_of_version_2(tmp_path: Path) -> None:
    target = tmp_path / "high.prom"
    result = cowpath.run(EXAMPLES / "high-readahead.sh", "linux-6.12", until="4s", metrics=target)
    seen = ("cowpath_pressure_memory_waiting_seconds", "cowpath_blocked_seconds", "cowpath_memory_events")
    series = read(target.read_text(), *seen)
    group = result.summary["groups"]["A"]
    waiting = only(series, "cowpath_pressure_memory_waiting_seconds_total", cgroup="/A")
    assert 0 < waiting[-1][1] <= result.summary["virtual_ns"] / 1e9
    throttled = only(series, "cowpath_blocked_seconds_total", cgroup="/A", reason="throttled")[-1][1]
    assert throttled == pytest.approx(group["throttled_ns"] / 1e9) and throttled > 0
    assert waiting[-1][1] == pytest.approx(throttled, rel=0.5)
    events = only(series, "cowpath_memory_events_total", cgroup="/A", event="high")
    assert events[-1][1] == group["memory.events"]["high"] > 0
    assert "cowpath_memory_failcnt" not in target.read_text()


def test_a_long_run_has_some_thousand_samples(tmp_path: Path) -> None:
    (tmp_path / "long.sh").write_text("cgcreate -g memory:A\nsleep 9\n")
    session, target = tmp_path / "long.sh", tmp_path / "long.prom"
    taken = cowpath.run(session, "linux-3.0", bystanders=[], metrics=target).seen.samples
    assert taken is not None
    times = taken.times.tolist()
    assert samples.MOST // 2 <= len(times) <= samples.MOST and times[0] == 0 and 9e9 <= times[-1] < 9.2e9
    assert {other - one for one, other in pairwise(times[:-1])} == {8 * samples.FIRST_NS}


@settings(max_examples=12, report_multiple_bugs=False, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(codec=None), max_size=60) | st.just('a"} 1\n# EOF\\'))
def test_no_name_can_break_the_file(both: Both, name: str) -> None:
    result = both[0].results[0]
    taken = result.seen.samples
    assert taken is not None
    seen = replace(result.seen, samples=replace(taken, times=taken.times[-2:], values=taken.values[-2:]))
    odd = replace(result, seen=seen, plan=replace(result.plan, name=name, groups=("", f"g{name}")))
    text = "\n".join([*openmetrics.lines_of([odd]), ""]).encode().decode()
    written = name.encode("utf-8", "backslashreplace").decode("utf-8")
    labels = [dict(named) for _, named in read(text)]
    assert len(labels) > 5 and {each["session"] for each in labels} == {written}
    assert {each.get("cgroup") for each in labels} == {None, "/", f"/g{written}"}


def test_the_dashboard_asks_for_what_is_written() -> None:
    board = json.loads(DASHBOARD.read_text())
    written = {"cowpath_run_info"} | {each.key + "_total" * (each.type == "counter") for each in samples.FAMILIES}
    labels = {"session", "design", "seed", "cgroup", *(each.label for each in samples.FAMILIES)}
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    names = {name for expr in asked for name in re.findall(r"cowpath_\w+", expr)}
    assert names <= written
    assert {each.key for each in samples.FAMILIES} <= {name.removesuffix("_total") for name in names} | {
        "cowpath_memory_swap_bytes", "cowpath_blocked_seconds", "cowpath_tasks",
    }  # fmt: skip
    assert {label for expr in asked for label in re.findall(r"[{,](\w+)[=!]", expr)} <= labels
    assert {panel["id"] for panel in board["panels"]} == set(range(1, len(board["panels"]) + 1))


def test_grafanas_own_types_have_every_field_of_the_dashboard() -> None:
    """Read by Grafana's SDK and written again, it is the same: a field that Grafana does not know would be gone."""
    models = pytest.importorskip("grafana_foundation_sdk.models.dashboard", reason="no grafana-foundation-sdk")
    plugins = pytest.importorskip("grafana_foundation_sdk.cog.plugins")
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder")
    plugins.register_default_plugins()
    board = json.loads(DASHBOARD.read_text())
    read_back = json.loads(encoder.JSONEncoder().encode(models.Dashboard.from_json(board)))
    assert lost(board, read_back) == []
    assert lost({"panels": [{"titel": "x"}]}, {"panels": [{"title": ""}]}) == [".panels[0].titel"]


def lost(given: Any, back: Any, place: str = "") -> list[str]:
    """What is not there any more, or is another thing. What there is besides are defaults."""
    if isinstance(given, dict) and isinstance(back, dict):
        gone = [f"{place}.{key}" for key in given if key not in back]
        return gone + [each for key in given if key in back for each in lost(given[key], back[key], f"{place}.{key}")]
    if isinstance(given, list) and isinstance(back, list) and len(given) == len(back):
        pairs = enumerate(zip(given, back, strict=True))
        return [each for number, (one, other) in pairs for each in lost(one, other, f"{place}[{number}]")]
    return [] if given == back else [place]


def test_a_parser_of_promql_takes_what_the_dashboard_asks() -> None:
    parser = pytest.importorskip("promql_parser", reason="no promql-parser")
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            parser.parse(target["expr"].replace("$__range", "15s").replace("$window", "100ms"))
    with pytest.raises(ValueError):
        parser.parse("rate(cowpath_tasks[100ms)")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (of Prometheus) is not installed")
def test_prometheus_takes_it(both: Both, tmp_path: Path) -> None:
    line: list[Any] = ["promtool", "tsdb", "create-blocks-from", "openmetrics", both[1], tmp_path / "data"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = sum(map(len, both[2].values()))
    assert f" {written} " in done.stdout
