"""The page about runs: its numbers are those of --json, and nothing from outside breaks it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cowpath import api
from cowpath.errors import InputError
from cowpath.observe.watch import Wanted
from cowpath.report import runs

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HOSTILE = (
    "</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a\nb\r\tc", "\x1b[31mred\x1b]0;title\x07",
    "x" * 10_000, "{{ 7 * 7 }}", "<!--", "\u202egnp.exe", "p1001", "-->]]>&amp;", "\udcff",
)  # fmt: skip


def made(design: str, **changes: Any) -> api.Result:
    options = api.Options()
    plan = replace(api.load_plan(EXAMPLES / "oom-off.sh", options), **changes)
    return api.run_plan(plan, api.load_design(design), options, Wanted(timeline=True))


@pytest.fixture(scope="module")
def results() -> list[api.Result]:
    return [made("linux-3.0"), made("preallocate")]


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_numbers_are_those_of_json(results: list[api.Result]) -> None:
    """Lanes with their times, the sentences, and every cell of the tables."""
    page = runs.page(results, "again")
    data = data_of(page)
    for run, result in zip(data["runs"], results, strict=True):
        rows = {row["task"]: row for row in result.summary["lanes"]}
        assert sorted(run["names"]) == sorted(rows)
        for name, group, (begins, exits, *ns) in zip(run["names"], run["groups"], run["lanes"], strict=True):
            row = rows[name]
            assert list(row["ns"].values()) == ns and list(row["ns"]) == run["states"]
            assert begins == row["begins_ns"] and (exits if exits >= 0 else None) == row["exits_ns"]
            assert group == ("the kernel" if row["kernel_thread"] else row["group"] or "")
        assert run["ends"] == result.summary["virtual_ns"]
    for sentence in results[0].chain[:3]:
        assert f"{sentence}." in page.replace("&#39;", "'")
    faults = results[1].summary["bystanders"]["faults"]
    assert f'<td class="number">{faults:,}</td>' in page


def test_same_bytes(results: list[api.Result]) -> None:
    again = [made("linux-3.0"), made("preallocate")]
    assert runs.page(results, "again") == runs.page(again, "again")


def test_asks_for_nothing(results: list[api.Result]) -> None:
    """One file: no address is loaded (Bokeh's script has some in its messages)."""
    page = runs.page(results, "again")
    assert not re.search(r"<(script|img|iframe|object|embed)\b[^>]*\bsrc=", page)
    assert re.findall(r'<link\b[^>]*href="([^"]*)"', page) == ["data:,"]
    assert "default-src 'none'" in page


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_outside_stay_text(name: str) -> None:
    plan = api.load_plan(EXAMPLES / "oom-off.sh", api.Options())
    result = made(
        "linux-3.0",
        name=name,
        source=f"# {name}\n{plan.source}",
        comms=tuple(name for _ in plan.comms),
        files=tuple(replace(file, name=name) for file in plan.files),
        groups=("", name),
    )
    page = runs.page([result], f"cowpath run {name}")
    assert page.count("<script") == page.count("</script>") == 5
    assert "<img" not in page and "\x1b" not in page and "49" not in re.findall(r"<title>(.*?)</title>", page)[0]
    assert data_of(page)["runs"][0]["lanes"]
    page.encode("utf-8", "backslashreplace")
    fragment = result._repr_html_()
    assert "<script" not in fragment and "<img" not in fragment


def test_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "page.html"
    target.write_text("older")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "page", interrupted)
    with pytest.raises(KeyboardInterrupt):
        api.run(EXAMPLES / "oom-off.sh", until="1ms", report=target)
    assert target.read_text() == "older" and list(tmp_path.iterdir()) == [target]


def test_where_it_cannot_be_written_is_said_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing/page\.html: cannot write"):
        api.run(EXAMPLES / "oom-off.sh", report=tmp_path / "missing" / "page.html")
    with pytest.raises(InputError, match="it is a folder"):
        api.run(EXAMPLES / "oom-off.sh", report=tmp_path)


def test_the_command_makes_the_page_again(tmp_path: Path) -> None:
    """It stands on the page; a shell gives it back word for word."""
    import shlex

    from typer.testing import CliRunner

    from cowpath.cli import app

    first, second = tmp_path / "a b.html", tmp_path / "second.html"
    api.compare(EXAMPLES / "oom-off.sh", ["preallocate"], seed=3, until="2s", cpus=3, cold=True, report=first)
    shown = re.search(r"To make this page again</h2>\s*<pre[^>]*>(.*?)</pre>", first.read_text(), re.DOTALL)
    assert shown is not None
    words = shlex.split(shown[1].replace("&#39;", "'"))
    assert words[:2] == ["cowpath", "compare"]
    words[words.index(str(first))] = str(second)
    assert CliRunner().invoke(app, words[1:]).exit_code == 0
    assert second.read_text() == first.read_text().replace(shlex.quote(str(first)).replace("'", "&#39;"), str(second))


def test_a_session_without_groups_or_faults(tmp_path: Path) -> None:
    session = tmp_path / "nothing.sh"
    session.write_text("echo hello\n")
    result = api.run(session, until="1ms", bystanders=[], report=tmp_path / "page.html")
    assert result.verdict == "isolated"
    assert "Nobody outside a group waits" in (tmp_path / "page.html").read_text()
