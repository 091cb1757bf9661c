"""Leaving a counterexample in a browser: any move that can be made, undo, bookmarks, a walk as a file."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from tests.slow import some_nightly

from cowpath import cases, checking, designs
from cowpath.cases.plan import compile_case
from cowpath.checker import boot
from cowpath.checker.movers import mover_names
from cowpath.checker.space import Space
from cowpath.engine import costs
from cowpath.observe.text import duration
from cowpath.serving import Explorer

NOBODY = "Nobody waits for another, or for memory."


@pytest.fixture(scope="module")
def way_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case ``commit``, but the limit may be raised: whoever waits can go on then."""
    file: Path = tmp_path_factory.mktemp("out") / "out.toml"
    file.write_text('outside = ["raise A 2"]\n' + cases.load("commit").text)
    return file


@pytest.fixture(scope="module")
def out_page(way_out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("page") / "out.html"
    checking.check("linux-3.0", way_out, properties="isolation").report(file)
    return file


def choose(page: Any, words: str) -> None:
    page.locator(".next button", has_text=words).first.click()


def now(page: Any) -> tuple[str, ...]:
    """The movers, and what is shown: the headline and who waits."""
    return tuple(page.evaluate("cowpath.stage.now().steps.slice(0, cowpath.stage.now().at).map((step) => step.name)"))


def digest(space: Space) -> bytes:
    return blake2b(space.x.words.tobytes()).digest()


def test_out_of_the_counterexample_to_where_nobody_waits_and_back(
    open_page: Any, out_page: Path, way_out: Path
) -> None:
    """All states on the way, and all that the page has, are the explorer's."""
    shown = open_page(out_page)
    shown.keyboard.press("End")
    assert shown.locator(".violates").inner_text() == "This state violates isolation."
    reached = [now(shown)]
    choose(shown, "outside: raise A 2")
    assert shown.locator(".own").inner_text() == "This walk has left the counterexample after 15 of its moves."
    reached.append(now(shown))
    while shown.locator(".drawn").inner_text() != NOBODY:
        shown.keyboard.press("1")  # the task that can move first
        reached.append(now(shown))
        assert len(reached) < 60
    assert shown.locator(".drawn svg").count() == 0 and shown.locator(".violates").inner_text() == ""
    assert "walk=" in shown.url
    shown.keyboard.press("c")
    assert shown.locator(".count").inner_text() == "move 15 of 15" and shown.locator(".drawn svg").count() == 1
    assert "walk=" not in shown.url
    # what the explorer says of all that
    plan, space = compile_case(cases.load(way_out)), Space()
    k = boot.start(plan, designs.load("linux-3.0"), costs.load(), space)
    known: set[bytes] = set()
    space.explore(0, fold=False, reduce=False, look=lambda *_: known.add(digest(space)) is not None)
    names = mover_names(plan, k)
    begin = space.x.words.copy()
    for walk in reached:
        space.x.words[:] = begin
        assert space.play([names.index(name) for name in walk]) == len(walk)
        assert digest(space) in known
    states, edges = shown.evaluate(
        "(m => [m.states.length, Object.values(m.moves).reduce((sum, moves) => sum + moves.length, 0)])"
        "(cowpath.stage.machine().data)"
    )
    assert (states, edges) == (space.states, space.transitions) == (len(known), edges)


def test_undo_bookmarks_and_a_link_to_a_walk(open_page: Any, commit_page: Path) -> None:
    shown = open_page(commit_page)
    for _ in range(6):
        shown.keyboard.press("ArrowRight")
    assert shown.locator(".next button").count() == 2
    assert "(as in the counterexample)" in shown.locator(".next button[data-same]").inner_text()
    choose(shown, "victim")
    assert shown.locator(".count").inner_text() == "move 7 of 7"
    assert shown.locator(".own").inner_text() == "This walk has left the counterexample after 6 of its moves."
    assert shown.evaluate("document.activeElement.closest('.next') !== null")  # a keyboard is still where it was
    shown.keyboard.press("m")
    there = now(shown)
    link = shown.url
    shown.keyboard.press("u")
    assert shown.locator(".count").inner_text() == "move 6 of 15" and shown.locator(".own").inner_text() == ""
    shown.locator(".bookmarks button").first.click()
    assert now(shown) == there
    shown.locator(".bookmarks button").last.click()
    assert shown.locator(".bookmarks li").count() == 0
    shown.locator("#found-1-move-3").click()
    assert shown.locator(".count").inner_text() == "move 3 of 15"
    shown.goto(link)
    shown.wait_for_function("document.querySelector('.count').textContent === 'move 7 of 7'")
    assert now(shown) == there
    shown.goto(link.partition("#")[0] + "#walk=0.0.77.x&move=99")  # a move that nobody can make: as far as it goes
    shown.wait_for_function("document.querySelector('.count').textContent === 'move 2 of 2'")


def test_a_saved_walk_is_played_by_replay(open_page: Any, commit_page: Path, tmp_path: Path) -> None:
    shown = open_page(commit_page)
    for _ in range(6):
        shown.keyboard.press("ArrowRight")
    choose(shown, "victim")
    with shown.expect_download() as download:
        shown.locator("[data-do=save]").click()
    download.value.save_as(tmp_path / "walk.json")
    played = checking.replay(tmp_path / "walk.json")
    assert tuple(row.mover for row in played.rows) == ("attacker",) * 6 + ("victim",) == now(shown)
    assert played.property == "" and json.loads((tmp_path / "walk.json").read_text())["reason"] == ""
    shown.keyboard.press("c")
    shown.keyboard.press("End")
    with shown.expect_download() as download:
        shown.locator("[data-do=save]").click()
    download.value.save_as(tmp_path / "found.json")
    again = checking.replay(tmp_path / "found.json")
    assert again.property == "isolation" and again.reason in again.waiting
    played.report(tmp_path / "walk.html")
    assert "a walk: commit on linux-3.0" in (tmp_path / "walk.html").read_text()


def test_a_page_without_all_states_says_so(open_page: Any, crowd_page: Path) -> None:
    shown = open_page(crowd_page)
    assert not shown.evaluate("cowpath.stage.machine().whole")
    same = shown.locator(".next button[data-same]").inner_text()
    other = next(each for each in shown.locator(".next button").all_inner_texts() if each != same)
    shown.locator(".next button", has_text=other.lstrip("123456789")).first.click()
    assert "cowpath explore" in shown.locator(".nothing").inner_text()
    shown.keyboard.press("u")
    assert shown.locator(".nothing").inner_text() == ""


def test_times_are_written_as_everywhere(open_page: Any, commit_page: Path) -> None:
    some = [
        0,
        7,
        999,
        1000,
        1005,
        1015,
        1125,
        1375,
        9994,
        9995,
        10_250,
        10_750,
        99_949,
        99_950,
        100_500,
        101_500,
        999_499,
        999_500,
        1_234_567,
        10_000_000,
        123_456_789,
        12_345_678_901,
        1_234_500_000_000,
    ]
    shown = open_page(commit_page)
    assert shown.evaluate("(all) => all.map(cowpath.duration)", some) == [duration(ns) for ns in some]


@pytest.mark.parametrize("width", some_nightly([390, 1280], {1280}))
def test_axe_finds_nothing_and_nothing_is_too_wide(open_page: Any, commit_page: Path, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core").Axe()
    shown = open_page(commit_page, width)
    for _ in range(6):
        shown.keyboard.press("ArrowRight")
    choose(shown, "victim")
    shown.keyboard.press("m")
    shown.locator(".mine summary").click()
    found = axe.run(shown).response["violations"]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]][:5]) for each in found] == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= width


# --- served
@pytest.fixture
def serve() -> Iterator[Callable[..., Explorer]]:
    """``serve(case, design, properties)``: a server that ends with the test."""
    begun: list[tuple[Explorer, threading.Thread]] = []

    def serve_(case: str, design: str, properties: list[str]) -> Explorer:
        server = Explorer(checking.explore(case, design), properties, 100_000, 600.0, "cowpath explore")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        begun.append((server, thread))
        return server

    yield serve_
    for server, thread in begun:
        server.shutdown()
        server.server_close()
        thread.join(5)
        assert not thread.is_alive()


def made(page: Any, moves: int) -> None:
    """Wait until so many moves are made, and what can be done next has come from the server."""
    page.wait_for_function(f"cowpath.stage.now().at === {moves} && document.querySelector('.next button') !== null")


def test_a_case_of_many_states_is_explored_from_its_server(open_page: Any, serve: Any) -> None:
    """The moves come from the server as somebody comes to them; all states are the explorer's."""
    shown = open_page(serve("swap-in", "linux-3.0", ["isolation"]).address)
    assert not shown.evaluate("cowpath.stage.machine().whole")
    for number in range(1, 30):
        keys = shown.locator(".next button").count()
        shown.keyboard.press(str(1 + number % keys))
        made(shown, number)
    reached = [now(shown)[:length] for length in range(30)]
    plan, space = compile_case(cases.load("swap-in")), Space()
    k = boot.start(plan, designs.load("linux-3.0"), costs.load(), space)
    known: set[bytes] = set()
    space.explore(0, fold=False, reduce=False, look=lambda *_: known.add(digest(space)) is not None)
    assert len(known) > 5_000
    names, begin = mover_names(plan, k), space.x.words.copy()
    for walk in reached:
        space.x.words[:] = begin
        assert space.play([names.index(name) for name in walk]) == len(walk)
        assert digest(space) in known
    shown.reload()  # what was asked for is in the page now
    assert now(shown) == reached[-1]


def test_what_if_on_the_page(open_page: Any, serve: Any) -> None:
    """Without its second look at the mapping the third way maps a page that was truncated."""
    server = serve("truncate-while-waiting", "unlock-charge-relock", ["no-stale-page"])
    shown = open_page(server.address)
    made(shown, 0)
    shown.keyboard.press("1")
    made(shown, 1)
    steps = designs.load("unlock-charge-relock").paths["file_cow"]
    form = shown.locator(".what-if")
    assert form.locator("[name=path]").input_value() == "file_cow"
    form.locator("[name=step]").select_option(str(1 + steps.index("find_page")))
    form.locator("[type=submit]").click()
    shown.wait_for_function(
        "document.querySelector('.checked').textContent.includes('find_page')"
    )  # no path that can be
    form.locator("[name=step]").select_option(str(1 + steps.index("recheck_mapping")))
    form.locator("[type=submit]").click()
    shown.wait_for_url("**/1/*")
    assert "violated" in shown.locator(".results").inner_text()
    assert "recheck_mapping" not in shown.evaluate("cowpath.stage.machine().data.paths.file_cow")
    assert shown.evaluate("cowpath.stage.now().steps.length") == 1  # the walk goes on on it
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core").Axe()
    assert [each["id"] for each in axe.run(shown).response["violations"]] == []
