"""The page about runs in a browser: drawn without an error, readable on a phone, and it says who held what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cowpath import api

from .conftest import OpenPage

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[api.Comparison, Path]:
    file: Path = tmp_path_factory.mktemp("page") / "both.html"
    return api.compare(EXAMPLES / "oom-off.sh", ["linux-3.0", "preallocate"], report=file), file


def drawn(open_page: OpenPage, file: Path, width: int, tab: str = "time", **options: Any) -> Any:
    """The page with one of its tabs opened."""
    page = open_page(file, width, **options)
    page.click(f"#tab-{tab}")
    page.wait_for_selector(f"html[data-drawn={tab}]", state="attached")
    return page


# what is drawn, read back from the figure: the time of each state by lane
LANES = """() => {
  const run = cowpath.data.runs[cowpath.data.shown], sums = {};
  for (const state of run.drawn) {
    const source = cowpath.source(run, `pieces ${state}`);
    if (!source) continue;
    const {y, left, right} = source.data;
    for (let i = 0; i < y.length; i++) {
      const lane = sums[run.names[y[i]]] ??= {};
      const what = state === "stranger" ? "page_lock" : state;  // how a stranger waits for one
      lane[what] = (lane[what] ?? 0) + Math.round((right[i] - left[i]) * 1e9);
    }
  }
  return sums;
}"""

TAP = """([state, name]) => {
  const run = cowpath.data.runs[cowpath.data.shown];
  const source = cowpath.source(run, state), row = name === null ? 0 : run.names.indexOf(name);
  source.selected.indices = [Array.from(source.data.y).indexOf(row)];
}"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_opens(both: tuple[api.Comparison, Path], open_page: OpenPage, width: int, scheme: str) -> None:
    """No error on the console, no request; nothing is wider than the window."""
    page = drawn(open_page, both[1], width, color_scheme=scheme)
    assert page.evaluate("document.body.scrollWidth") <= width
    assert page.locator(".timeline:visible canvas").count() > 0
    assert page.locator("#latencies").is_hidden()
    assert page.locator("#verdicts .verdict").first.inner_text() == "stuck"


def test_what_is_drawn_is_what_json_says(both: tuple[api.Comparison, Path], open_page: OpenPage) -> None:
    page = drawn(open_page, both[1], 1280)
    sums = page.evaluate(LANES)
    rows = both[0]["linux-3.0"].summary["lanes"]
    assert set(sums) == {row["task"] for row in rows if any(row["ns"].values())}
    for row in rows:
        for state, ns in sums.get(row["task"], {}).items():
            assert abs(ns - row["ns"][state]) <= 10  # seconds as floating-point numbers
    graph = page.locator("#chains figure svg").first.text_content()  # in another tab
    for words in ("attacker[3]", "page lock", "lib page 100", "A's memory", "OOM killer off"):
        assert words in graph


def test_a_click_on_a_wait_says_who_held_what(both: tuple[api.Comparison, Path], open_page: OpenPage) -> None:
    page = drawn(open_page, both[1], 1280)
    name = next(name for name in page.evaluate("cowpath.data.runs[0].names") if name.startswith("read-100["))
    page.evaluate(TAP, ["pieces stranger", name])
    said = page.locator("#detail").inner_text()
    assert f"{name} (outside every group) waited for the page lock of lib page 100 from" in said
    waited = "waited, in the OOM section, for A's memory"
    assert f"In the way stood attacker[3] in A, who {waited} (when" in said
    assert "cut off by the end of the run" in said
    page.evaluate(TAP, ["holds", None])
    said = page.locator("#detail").inner_text()
    assert "attacker[3] in A held the page lock of lib page 100" in said
    assert "Meanwhile it was waited for by read-100[5]" in said


def test_the_chain_of_a_click_ends_at_the_groups_memory(open_page: OpenPage, tmp_path: Path) -> None:
    """Also where the holder is not asleep: it reclaims, or has no CPU to do so."""
    file = tmp_path / "commit.html"
    api.run(EXAMPLES / "commit.sh", "linux-3.0", seed=1, until="1600ms", report=file)
    page = drawn(open_page, file, 1280)
    tasks = page.evaluate("""() => {
        const run = cowpath.data.runs[0], {y, open} = cowpath.source(run, "pieces stranger").data;
        return Array.from(y).filter((_, i) => open[i]).map((row) => run.names[row]).slice(0, 20); }""")
    assert tasks
    for task in tasks:
        page.evaluate(TAP.replace("indexOf(row)", "lastIndexOf(row)"), ["pieces stranger", task])
        assert "A's memory" in page.locator("#detail").inner_text(), task


def test_a_real_click_is_one(both: tuple[api.Comparison, Path], open_page: OpenPage) -> None:
    """In the middle of the page-lock row, where the hold is drawn."""
    page = drawn(open_page, both[1], 1280)
    canvas = page.locator(".timeline:visible canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] - 16)
    page.wait_for_function("!document.getElementById('detail').textContent.startsWith('Nothing')")


def test_buttons_move_the_timeline(both: tuple[api.Comparison, Path], open_page: OpenPage) -> None:
    page = drawn(open_page, both[1], 1280)
    span = """() => { const root = [...cowpath.roots.values()][0].document;
      const {start, end} = root.get_model_by_name("times"); return end - start; }"""
    whole = page.evaluate(span)
    page.click("[data-do=in]")
    assert page.evaluate(span) == pytest.approx(whole / 2)
    page.click("[data-do=right]")
    page.click("[data-do=all]")
    assert page.evaluate(span) == pytest.approx(whole)
    page.fill("#find", "attacker")
    page.keyboard.press("Enter")
    assert "attacker[3] in A is the top lane in view" in page.locator("#detail").inner_text()
    page.fill("#find", "READ-10")
    found = set()
    for _ in range(2):
        page.keyboard.press("Enter")
        found.add(page.locator("#detail").inner_text().split(" (")[0])
    assert len(found) == 2
    page.fill("#find", "nobody<b>")
    page.keyboard.press("Enter")
    assert "No lane is called nobody<b>" in page.locator("#detail").inner_text()


def test_another_design_is_drawn_when_it_is_chosen(both: tuple[api.Comparison, Path], open_page: OpenPage) -> None:
    page = drawn(open_page, both[1], 390)
    page.click("[data-do=in]")
    page.select_option("#design", "1")
    page.wait_for_selector("#figure-1 canvas, #figure-1 .bk-Column", state="attached")
    assert page.locator("#timeline-0").is_hidden() and page.locator("#timeline-1").is_visible()
    page.wait_for_function("""() => { const spans = ["figure-0", "figure-1"].map((each) => {
        const times = cowpath.roots.get(each)?.document.get_model_by_name("times");
        return times && times.end - times.start; });
      return spans[0] && spans[0] === spans[1]; }""")  # the same time on both


def test_without_a_script_the_words_and_numbers_are_there(
    both: tuple[api.Comparison, Path], open_page: OpenPage
) -> None:
    page = open_page(both[1], 390, java_script_enabled=False)
    assert "read-100[5] waits for the page lock of lib page 100" in page.locator("#verdicts").inner_text()
    assert page.locator("#tables td").count() > 20 and page.locator("#tables td").first.is_visible()
    assert page.locator(".picture:visible .mark").count() > 8  # the pictures need no script
    assert page.locator("noscript").count() == 1


def test_in_print(both: tuple[api.Comparison, Path], open_page: OpenPage) -> None:
    page = drawn(open_page, both[1], 794)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".controls").is_hidden() and page.locator("#detail").is_hidden()
    assert page.locator("canvas.printed").count() == 1
    width = page.locator("canvas.printed").first.evaluate("(each) => each.getBoundingClientRect().width")
    assert 700 < width <= 794
    assert page.locator("#tables").is_visible() and page.locator("#designs").is_hidden()
    assert page.locator("details:not([open])").first.is_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("canvas.printed").count() == 0
