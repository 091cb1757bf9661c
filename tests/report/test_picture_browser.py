"""The pictures of runs in a browser: chosen by mouse and keys, on a telephone, for a screen reader."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from cowpath import api

from ..slow import some_nightly
from .conftest import OpenPage

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    page: Path = tmp_path_factory.mktemp("first") / "page.html"
    api.compare(EXAMPLES / "high-readahead.sh", ["linux-5.15", "linux-6.18", "linux-7.2"], report=page)
    return page


def test_a_click_marks_the_hold_the_holder_and_the_waiters(file: Path, open_page: OpenPage) -> None:
    page = open_page(file, 1280)
    wait = page.locator(".picture:visible .mark", has=page.locator(".k-stranger")).last
    wait.click()
    marked = page.locator(".picture:visible .names .marked").all_inner_texts()
    assert len(marked) >= 3  # the lock, its holder, who waits
    said = page.locator("#told").inner_text()
    assert "waited for the page lock of" in said and "In the way stood" in said
    holder = said.split("In the way stood ")[1].split(" in A")[0]
    assert holder in marked
    assert page.locator("svg.lanes .arrows .marked").count() >= 1
    assert page.locator("svg.lanes .mark.marked .k-hold").count() == 1
    wait.click()
    assert page.locator(".marked").count() == 0 and page.locator("#told").inner_text().startswith("Click a wait")


def test_by_keys_alone(file: Path, open_page: OpenPage) -> None:
    """Tab comes to every mark; Enter chooses, Escape lets go; arrows go from tab to tab."""
    page = open_page(file, 1280)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.querySelector?.('.k-stranger') !== null"):
            break
    page.keyboard.press("Enter")
    assert page.locator("svg.marking").count() == 1 and page.locator("[aria-pressed=true]").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("svg.marking").count() == 0
    page.locator("#tab-chains").focus()
    for wanted in ("time", "latencies", "tables", "designs", "session", "chains"):
        page.keyboard.press("ArrowRight")
        assert page.locator(f"#tab-{wanted}").get_attribute("aria-selected") == "true"
        assert page.locator(f"#{wanted}").is_visible() and page.locator("section.tab.open").count() == 1


def test_another_design_in_a_picture(file: Path, open_page: OpenPage) -> None:
    page = open_page(file, 1280)

    def shown() -> list[str]:
        return [each.get_attribute("data-run") for each in page.locator(".picture:visible").all()]

    assert shown() == ["0", "2"]
    page.locator(".picture:visible select").nth(1).select_option("1")
    assert shown() == ["0", "1"]
    page.locator(".picture:visible select").nth(1).select_option("0")  # they change places
    assert shown() == ["1", "0"]
    values = [each.input_value() for each in page.locator(".picture:visible select").all()]
    assert values == ["1", "0"]


def test_on_a_telephone(file: Path, open_page: OpenPage) -> None:
    """Nothing is wider than it, the legend is folded, ticks do not touch, and a table says that it scrolls."""
    page = open_page(file, 390)
    assert page.evaluate("document.body.scrollWidth") <= 390
    assert page.locator("details.legend ul").is_hidden()
    ticks = [each.bounding_box() for each in page.locator(".picture:visible").first.locator(".tick").all()]
    assert all(a["x"] + a["width"] < b["x"] for a, b in itertools.pairwise(ticks))
    texts = [each.bounding_box() for each in page.locator(".picture:visible .texts text:visible").all()]
    rows = itertools.groupby(sorted(texts, key=lambda box: (box["y"], box["x"])), key=lambda box: box["y"])
    touching = [(a, b) for _, row in rows for a, b in itertools.pairwise(row) if a["x"] + a["width"] > b["x"]]
    assert touching == []
    assert page.locator(".picture:visible .after").all_text_contents() == ["ended at 6.03 s"]
    page.click("#tab-tables")
    hints = page.evaluate("""[...document.querySelectorAll("#tables .wide")].map((each) =>
        [each.scrollWidth > each.clientWidth + 1, getComputedStyle(each, "::before").content.includes("scroll")])""")
    assert any(scrolls for scrolls, _ in hints) and all(scrolls == said for scrolls, said in hints)


@pytest.mark.parametrize("scheme", some_nightly(["light", "dark"], {"dark"}))
def test_axe_finds_nothing(file: Path, open_page: OpenPage, scheme: str) -> None:
    """Roles, names, contrast and the rest of axe-core's rules, on the first screen and in every tab."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core").Axe()
    page = open_page(file, 1280, color_scheme=scheme)
    for tab in ("chains", "time", "latencies", "tables", "designs", "session"):
        page.click(f"#tab-{tab}")
        page.wait_for_selector(f"html[data-drawn={tab}]", state="attached")
        found = axe.run(page).response["violations"]
        assert [(each["id"], [node["html"][:200] for node in each["nodes"]][:5]) for each in found] == [], tab
