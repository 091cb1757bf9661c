"""The pages that ``make demo`` writes, in a browser: no error, no request, and in them what ``--json`` says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..slow import some_nightly
from .conftest import OpenPage

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["commit.sh", "oom-off.sh", "high-readahead.sh"]
COWPATH = [sys.executable, "-c", "from cowpath.cli import main; main()"]


def demo_commands() -> list[list[str]]:
    """The commands of ``make demo``, as it would run them."""
    said = subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [shlex.split(line)[1:] for line in said.splitlines() if "cowpath compare" in line]


@pytest.fixture(scope="module", params=[0, 1, 2], ids=PAGES)
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], Path]:
    """The runs as JSON, and their page."""
    words = demo_commands()[request.param]
    page: Path = tmp_path_factory.mktemp("demo") / "page.html"
    words[words.index("--report") + 1] = str(page)
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_BOUNDSCHECK"}
    ended = subprocess.run(
        [*COWPATH, *words, "--json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    runs: list[Any] = json.loads(ended.stdout)["runs"]
    return runs, page


SMALLER = pytest.mark.parametrize("demo", some_nightly([0, 1, 2], nightly=[0]), ids=PAGES, indirect=True)


def test_two_pages_of_seven_designs_and_one_of_todays_kernels() -> None:
    assert [sum(word == "--design" for word in words) for words in demo_commands()] == [7, 7, 5]


def in_view(page: Any, selector: str, below: int = 800) -> list[dict[str, float]]:
    """The boxes of what is there and visible, which lie above a line."""
    boxes = page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)]
        .filter((each) => each.checkVisibility()).map((each) => each.getBoundingClientRect().toJSON())""",
        selector,
    )
    assert boxes
    assert all(box["x"] >= 0 and box["y"] >= 0 and box["y"] + box["height"] <= below for box in boxes), selector
    return boxes


@pytest.mark.parametrize("scheme", some_nightly(["light", "dark"], nightly=["dark"]))
def test_the_first_screen(demo: tuple[list[Any], Path], open_page: OpenPage, scheme: str) -> None:
    """At 1280x800 without a click: the sentence, before and after beside each other, the wait, the hold, the arrow."""
    _, file = demo
    page = open_page(file, 1280, color_scheme=scheme)
    page.set_viewport_size({"width": 1280, "height": 800})
    words = page.locator("h1").inner_text()
    assert re.match(r"\S+\.sh: the tasks outside are ", words)
    assert "isolated" in words and ("stuck on" in words or "stalled on" in words)
    in_view(page, "h1")
    in_view(page, ".lead")
    left, right = in_view(page, ".picture")
    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
    in_view(page, ".picture .k-stranger")
    in_view(page, ".picture .k-hold")
    arrows, waits = in_view(page, "svg.lanes .arrow"), in_view(page, ".mark .k-stranger")
    for arrow in arrows:  # each ends where a wait begins
        assert any(abs(arrow["x"] - box["x"]) < 6 and abs(arrow["y"] + arrow["height"] - box["y"]) < 6 for box in waits)
    bad = page.locator(".picture:visible", has=page.locator(".arrow")).first
    assert bad.locator(".names .block > *").nth(1).get_attribute("data-holds")  # the chain's lock is the first row
    assert bad.locator(".names .head").all_inner_texts() == ["who holds the lock", "outside", "in A"]
    in_view(page, "#told")


@SMALLER
def test_in_print_it_is_one_to_three_sheets(demo: tuple[list[Any], Path], open_page: OpenPage) -> None:
    _, file = demo
    page = open_page(file, 1280)
    assert 1 <= page.pdf(format="A4").count(b"/Type /Page\n") <= 3


@pytest.mark.parametrize("width", some_nightly([390, 1280], nightly=[1280]))
def test_the_page_of_the_demo(demo: tuple[list[Any], Path], open_page: OpenPage, width: int) -> None:
    """Lanes, chains and numbers of every design."""
    runs, file = demo
    page = open_page(file, width)
    page.click("#tab-time")
    page.wait_for_selector("html[data-drawn=time]", state="attached")
    assert page.evaluate("document.body.scrollWidth") <= width
    shown = page.evaluate(
        "cowpath.data.runs.map(({design, names, groups, lanes, ends}) => ({design, names, groups, lanes, ends}))"
    )
    assert [run["design"] for run in shown] == [run["design"] for run in runs]
    for drawn, run in zip(shown, runs, strict=True):
        lanes = zip(drawn["names"], drawn["lanes"], strict=False)  # after the lanes: holders that have none
        found = sorted([name, begin, None if end < 0 else end, *ns] for name, (begin, end, *ns) in lanes)
        wanted = sorted([row["task"], row["begins_ns"], row["exits_ns"], *row["ns"].values()] for row in run["lanes"])
        assert found == wanted
        assert drawn["ends"] == run["virtual_ns"]
    cards = {
        name: card
        for card in page.locator("#verdicts article").all()
        for name in card.locator("h3").inner_text().split(", ")
    }
    assert len(cards) == len(runs)  # each design is on one card
    for run in runs:
        words = cards[run["design"]].inner_text()
        assert all(verdict in words for verdict in (run["verdict"], *run["group_verdicts"].values()))
        assert all(f"{sentence}." in words for sentence in run["chain"][:1])
    page.click("#tab-chains")
    told = page.locator("#chains figcaption").all_inner_texts()
    for run in runs:
        mine = [words for words in told if run["design"] in words.splitlines()[0].split(", ")]
        assert len(mine) == bool(run["chain"])
        assert all(f"{sentence}." in mine[0] for sentence in run["chain"][:3])
    chains = page.locator("#chains figure svg").all_text_contents()
    holders = [re.search(r"(?:held|to the disk) by (\S+)", run["chain"][0]) for run in runs if run["chain"]]
    assert all(holder is not None and any(holder[1] in chain for chain in chains) for holder in holders)
    page.click("#tab-tables")
    verdicts = page.locator("#tables table").first.locator("tbody tr").all()
    for row, run in zip(verdicts, runs, strict=True):
        cells = row.locator("td").all_inner_texts()
        assert cells[:2] == [run["design"], run["verdict"]]
        assert f"{run['groups']['A']['oom_kills']:,}" in cells
    faults = page.locator("#tables table").nth(1).locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert faults == [f"{run['bystanders']['faults']:,}" for run in runs]


@SMALLER
def test_every_design_can_be_drawn(demo: tuple[list[Any], Path], open_page: OpenPage) -> None:
    runs, file = demo
    page = open_page(file, 1280)
    page.click("#tab-time")
    page.wait_for_selector("html[data-drawn=time]", state="attached")
    for number in range(len(runs)):
        page.select_option("#design", str(number))
        page.wait_for_function(f"cowpath.roots.get('figure-{number}')")
        assert page.locator(f"#timeline-{number} canvas").count() > 0
