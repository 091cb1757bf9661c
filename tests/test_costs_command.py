"""``cowpath costs``: what it prints and writes, the same every time, whole or not at all."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cowpath.cli.costs import DESIGNS
from cowpath.observe.costs import MEASURES
from cowpath.observe.costs_tables import END_MARK, begin_mark

from .test_cli import EXAMPLES, call

SESSION = str(EXAMPLES / "sigbus-full.sh")
TWO = ("--design", "linux-3.0", "--design", "preallocate", "--seeds", "2")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "costs.md"
    file.write_text(f"# Mine\n\n{begin_mark('sigbus-full.sh')}\n{END_MARK}\n\nThe end.\n", encoding="utf-8")
    return file


def test_the_json_object_has_every_measure_of_every_design() -> None:
    result = call("costs", SESSION, "--seeds", "1", "--json")
    told = json.loads(result.stdout)
    (session,) = told["sessions"]
    assert [each["design"] for each in told["kernels"]] == list(DESIGNS) and told["kernels"][0]["name"] == "linux-3.0"
    assert (session["session"], session["base"], session["seeds"]) == ("sigbus-full.sh", "linux-3.0", 1)
    assert tuple(row["design"] for row in session["designs"]) == DESIGNS
    assert all(set(row["measures"]) == {m.key for m in MEASURES} for row in session["designs"])


def test_the_same_seeds_give_the_same_bytes() -> None:
    assert call("costs", SESSION, *TWO).stdout == call("costs", SESSION, *TWO).stdout


def test_the_tables_go_between_the_marks_and_nothing_else_changes(page: Path) -> None:
    assert call("costs", SESSION, *TWO, "--markdown", str(page)).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Mine\n") and text.endswith(f"{END_MARK}\n\nThe end.\n")
    assert f"`cowpath costs {SESSION} --design linux-3.0 --design preallocate --seeds 2`" in text
    assert "| preallocate |" in text
    assert call("costs", SESSION, *TWO, "--markdown", str(page)).exit_code == 0
    assert page.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch.sh"], ["nosuch.sh", "cannot be read"]),
        ([SESSION, "--design", "linux-3.00"], ["linux-3.00", "did you mean 'linux-3.0'"]),
        ([SESSION, "--markdown", "nosuch.md"], ["nosuch.md", "cannot be read"]),
        ([SESSION, "--markdown", SESSION], ["no place for the tables of sigbus-full.sh", begin_mark("sigbus-full.sh")]),
        ([SESSION, SESSION], ["sigbus-full.sh", "twice"]),
        ([SESSION, str(EXAMPLES / "crowd.sh"), "--table", "x.toml"], ["--table", "one session"]),
        (["high-readahead", "--seeds", "1"], ["high-readahead.sh:", "cgroup v2", "linux-3.0 has v1"]),
        ([SESSION, "--fail-on", "slow"], ["--fail-on", "no such verdict", "'slow'"]),
    ],
)
def test_what_can_be_wrong(arguments: list[str], words: list[str]) -> None:
    result = call("costs", *arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert all(word in " ".join(result.output.split()) for word in words)


def test_the_options_of_run_are_options_of_costs(tmp_path: Path) -> None:
    """With them a run is the one that ``run`` makes, and the page says how it is made again."""
    page = tmp_path / "costs.html"
    options = ["--cpus", "1", "--until", "1ms", "--memory", "2G"]
    done = call("costs", SESSION, "--design", "linux-3.0", "--seeds", "1", *options, "--json", "--report", str(page))
    ((row,),) = [session["designs"] for session in json.loads(done.stdout)["sessions"]]
    (run,) = json.loads(call("run", SESSION, "--design", "linux-3.0", *options, "--json").stdout)["runs"]
    for measure in ("faults", "allocations", "charges"):
        assert row["measures"][measure]["mean"] == run["totals"][measure]
    assert row["measures"]["virtual_ns"]["mean"] == run["virtual_ns"] == 1_000_000
    again = f"cowpath costs {SESSION} --design linux-3.0 --cpus 1 --memory {2 << 30} --until 1000000ns --seeds 1"
    assert f"{again} --report {page}" in page.read_text(encoding="utf-8")


def test_what_run_fails_on_costs_fails_on() -> None:
    stuck = [str(EXAMPLES / "oom-off.sh"), "--design", "linux-3.0", "--seeds", "1"]
    done = call("costs", *stuck)
    assert done.exit_code == 0
    assert done.stdout.index("Every design: stuck with 1 of 1 seeds.") < done.stdout.index("What was done")
    assert call("costs", *stuck, "--fail-on", "stalled").exit_code == 1


@pytest.mark.parametrize("arguments", [[], [SESSION, "--seeds", "0"], [SESSION, "--seeds", "many"]])
def test_usage_errors(arguments: list[str]) -> None:
    assert call("costs", *arguments).exit_code == 2


def test_ctrl_c_leaves_the_page_as_it_was(page: Path) -> None:
    before = page.read_text(encoding="utf-8")
    command = [sys.executable, "-m", "cowpath", "costs", SESSION, "--seeds", "1000", "--markdown", str(page)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    deadline = time.monotonic() + 300
    while len(list(page.parent.iterdir())) < 2 and time.monotonic() < deadline:  # the page's temporary file
        time.sleep(0.05)
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130, errors
    assert "Traceback" not in errors
    assert page.read_text(encoding="utf-8") == before
    assert list(page.parent.iterdir()) == [page]


def test_a_page_shows_what_the_terminal_shows(tmp_path: Path) -> None:
    target = tmp_path / "costs.html"
    done = call("costs", SESSION, *TWO, "--json", "--report", str(target))
    assert done.exit_code == 0 and "in a browser" in done.stderr
    (told,) = json.loads(done.stdout)["sessions"]
    text = target.read_text(encoding="utf-8")
    assert "http" not in text.replace("http-equiv", "")  # it asks the network for nothing
    assert f"cowpath costs {SESSION} --design linux-3.0 --design preallocate --seeds 2 --report" in text
    measured = [row["measures"] for row in told["designs"]]
    seen = [m for m in MEASURES if any(each[m.key] and each[m.key]["most"] for each in measured)]
    assert text.count('<td class="number">') == len(seen) * len(told["designs"])
    for row in told["designs"]:
        line = text.split(f'<th scope="row">{row["design"]}</th>')[1].split("</tr>")[0]
        assert [cell.split("<")[0] for cell in line.split('<td class="number">')[1:]] == [
            m.show(row["measures"][m.key]["mean"]) for m in seen if m.question == seen[0].question
        ]
    marks = [float(place) for place in re.findall(r'cx="([\d.]+)"', text)]
    assert marks and all(4 <= place <= 92 for place in marks)


@pytest.mark.parametrize("read", ["session.sh", "session.toml"])
def test_a_page_cannot_go_where_the_session_or_its_table_is(tmp_path: Path, read: str) -> None:
    texts = {"session.sh": "ls\n", "session.toml": "[machine]\ncpus = 1\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = call("costs", str(tmp_path / "session.sh"), *TWO, "--report", str(tmp_path / read))
    assert done.exit_code == 2 and "cannot go to a file that is read" in done.stderr
    assert (tmp_path / read).read_text(encoding="utf-8") == texts[read]
