"""The page of a counterexample in a browser: its keys and buttons, widths, paper, hostile names."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cowpath import Checks, again

CHAIN = (
    "victim waits for the page lock of lib page 0, held by attacker in A, which waits for A's memory: limit 1 page, "
    "OOM killer off"
)
HOSTILE = "<script>alert(1)</script>\"'&\\n]]>--><!--"
TERMINAL = "\u001b]0;owned\u0007\u001b[31m"


# --- in a browser
WIDTHS = [390, 1280]


def state(page: Any) -> str:
    return str(page.locator(".count").inner_text())


def go_to_the_end(page: Any, forward: Any) -> list[str]:
    """The headlines of all states."""
    seen = [page.locator(".headline").inner_text()]
    while not page.locator("[data-go=forward]").is_disabled():
        forward()
        seen.append(page.locator(".headline").inner_text())
    return seen


def assert_first(page: Any) -> None:
    assert state(page) == "start, of 15 moves"
    assert page.locator(".headline").inner_text() == "Before the first move"
    assert page.locator(".card").all_inner_texts()[1].split("\n")[-1] == "touch lib page 0, to read"
    assert page.locator(".drawn svg").count() == 0
    assert page.locator(".moves tr[aria-current]").count() == 0
    assert page.locator("[data-go=back]").is_disabled() and page.locator("[data-go=first]").is_disabled()


def assert_last(page: Any) -> None:
    """The violated property's state."""
    assert state(page) == "move 15 of 15"
    assert page.locator(".drawn svg").get_attribute("aria-label") == CHAIN
    assert page.locator(".reason").inner_text() == CHAIN
    attacker, victim = page.locator(".card").all()
    assert "waits for the page lock of lib page 0, held by attacker in A" in victim.inner_text()
    assert "waits for A's memory: limit 1 page, OOM killer off" in attacker.inner_text()
    assert attacker.locator("[aria-current=step]").inner_text() == "charge"
    assert victim.locator("[aria-current=step]").inner_text() == "lock_page"
    assert page.locator("table.pages tr.changed td").all_inner_texts()[:3] == ["lib page 0", "attacker", "victim"]
    assert page.locator(".moves tr[aria-current]").get_attribute("id") == "found-1-move-15"
    assert page.locator("[data-go=forward]").is_disabled() and page.locator("[data-go=last]").is_disabled()


@pytest.mark.parametrize("width", WIDTHS)
def test_from_the_first_move_to_the_last_and_back_by_keys(open_page: Any, commit_page: Path, width: int) -> None:
    shown = open_page(commit_page, width)
    assert_first(shown)
    headlines = go_to_the_end(shown, lambda: shown.keyboard.press("ArrowRight"))
    assert len(headlines) == 16
    assert headlines[6].startswith("6. attacker \u2014 file_cow: lock_page")
    assert_last(shown)
    for _ in range(15):
        shown.keyboard.press("ArrowLeft")
    assert_first(shown)
    shown.keyboard.press("End")
    assert_last(shown)
    shown.keyboard.press("Home")
    assert_first(shown)
    shown.keyboard.press("ArrowLeft")
    assert_first(shown)


@pytest.mark.parametrize("width", WIDTHS)
def test_by_buttons_the_slider_and_the_table(open_page: Any, commit_page: Path, width: int) -> None:
    shown = open_page(commit_page, width)
    assert len(go_to_the_end(shown, shown.locator("[data-go=forward]").click)) == 16
    assert_last(shown)
    for _ in range(15):
        shown.locator("[data-go=back]").click()
    assert_first(shown)
    shown.locator("[data-go=last]").click()
    assert_last(shown)
    shown.locator("[data-go=first]").click()
    assert_first(shown)
    shown.locator(".slider").fill("15")
    assert_last(shown)
    shown.locator("#found-1-move-6").click()
    assert state(shown) == "move 6 of 15" and shown.url.endswith("#move=6")
    assert shown.locator(".did").inner_text() == "attacker gets page lock (lib page 0)"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(open_page: Any, commit_page: Path, width: int, scheme: str) -> None:
    shown = open_page(commit_page, width, color_scheme=scheme)
    for key in ("Home", "End"):
        shown.keyboard.press(key)
        assert shown.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["crowd_page", "swap_page"])
def test_what_is_wide_scrolls_in_its_own_box(open_page: Any, request: Any, name: str, width: int) -> None:
    shown = open_page(request.getfixturevalue(name), width)
    widths = []
    go_to_the_end(shown, lambda: (shown.keyboard.press("ArrowRight"), widths.append(wide(shown))))
    assert max(widths) <= width
    if name == "crowd_page":
        assert shown.evaluate("(drawn => drawn.scrollWidth > drawn.clientWidth)(document.querySelector('.drawn'))")


@pytest.mark.parametrize("name", ["crowd_page", "swap_page", "commit_page"])
def test_paper_has_everything_in_dark_on_white(open_page: Any, request: Any, name: str) -> None:
    """As wide as a sheet of A4 within its margins."""
    shown = open_page(request.getfixturevalue(name), 700, color_scheme="dark")
    shown.keyboard.press("End")
    shown.emulate_media(media="print", color_scheme="dark")
    assert wide(shown) <= 700
    beyond = "[...document.querySelectorAll('body *')].filter(each => each.getBoundingClientRect().right > 701).length"
    assert shown.evaluate(beyond) == 0
    assert shown.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert shown.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def wide(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def test_words_do_not_run_together(open_page: Any, swap_page: Path) -> None:
    shown = open_page(swap_page)
    shown.keyboard.press("End")
    assert shown.locator(".headline").text_content() == "17. victim \u2014 swap_in: charge at 10.3 us"
    full, other = shown.locator(".group").all()
    assert full.locator("p").all_text_contents() == [
        "A  0 of 1 page", "memory+swap  1 of 1 page", "OOM killer off \u00b7 1 page in swap",
    ]  # fmt: skip
    assert full.locator(".full").count() == 1
    assert other.locator("p").all_text_contents()[0] == "B 0 pages, no limit"


def test_why_is_not_cut(open_page: Any, swap_page: Path) -> None:
    shown = open_page(swap_page)
    assert shown.evaluate(
        "(box => box.scrollWidth <= box.clientWidth)(document.querySelector('.results').parentElement)"
    )


def test_it_plays_and_pauses_and_shows_its_keys(open_page: Any, commit_page: Path) -> None:
    shown = open_page(commit_page)
    shown.keyboard.press("?")
    assert shown.locator(".keys").is_visible()
    shown.keyboard.press(" ")
    assert shown.locator("[data-go=play]").inner_text() == "pause"
    shown.wait_for_function("document.querySelector('.count').textContent.startsWith('move')")
    shown.keyboard.press(" ")
    assert shown.locator("[data-go=play]").inner_text() == "play"


def test_a_link_to_a_move_and_paper(open_page: Any, commit_page: Path) -> None:
    shown = open_page(commit_page)
    shown.goto(commit_page.resolve().as_uri() + "#move=7")
    shown.wait_for_function("document.querySelector('.count').textContent === 'move 7 of 15'")
    shown.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    shown.emulate_media(media="print")
    assert_last(shown)
    assert not shown.locator(".bar").is_visible()
    shown.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert state(shown) == "move 7 of 15"


def test_without_scripts(open_page: Any, commit_page: Path) -> None:
    shown = open_page(commit_page, java_script_enabled=False)
    assert "charges in vain" in shown.locator(".end").inner_text()
    assert shown.locator(".moves tbody tr").count() == 15


@pytest.mark.usefixtures("walk_only")
def test_one_of_several_is_chosen(open_page: Any, commit_checks: Checks, tmp_path: Path) -> None:
    twice = replace(commit_checks, results=commit_checks.results * 2, jobs=commit_checks.jobs * 2)
    twice.report(tmp_path / "two.html")
    shown = open_page(tmp_path / "two.html")
    assert shown.locator("#found-1").is_visible() and not shown.locator("#found-2").is_visible()
    shown.locator("#chooser").select_option("2")
    assert shown.locator("#found-2").is_visible() and not shown.locator("#found-1").is_visible()
    shown.locator("[data-go=last]").click()
    assert shown.url.endswith("#found=2&move=15")
    shown.locator(".results a").first.click()
    shown.locator("#found-1").wait_for(state="visible")  # the page hears of its new address a moment later


# --- hostile names
class Whole(HTMLParser):
    """Counts the tags that were opened and not closed, and the scripts."""

    VOID = ("meta", "link", "input", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.scripts += tag == "script"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        """``<path/>``: nothing stays open."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.usefixtures("walk_only")
@pytest.mark.parametrize("name", [HOSTILE, TERMINAL, "n" * 10_000, "</script><img src=x onerror=alert(1)>", "a\nb\tc"])
def test_hostile_names(open_page: Any, isolation_checks: Checks, tmp_path: Path, name: str) -> None:
    result, job = isolation_checks.checked[0]
    case = replace(job.case, name=name, summary=name, text=f"# {name}\n{job.case.text}", source=name)
    design = replace(job.design, name=name, summary=name, source=name)
    hostile = Checks(
        (replace(result, case=name, design=name, property=name, reason=name),),
        (replace(job, case=case, design=design),),
        (replace(isolation_checks.properties[0], name=name, meaning=name),),
        again.check_command([name], [name], None, [name], {}, reduction=True),
    )  # fmt: skip
    hostile.report(tmp_path / "h.html")
    parser = Whole()
    parser.feed((tmp_path / "h.html").read_text())
    assert "\u001b" not in (tmp_path / "h.html").read_text() and "\u0007" not in hostile._repr_html_()
    assert parser.open == [] and parser.scripts == 2
    shown = open_page(tmp_path / "h.html", 390)
    assert len(go_to_the_end(shown, lambda: shown.keyboard.press("ArrowRight"))) == 16
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    assert "<script>alert" not in hostile._repr_html_()


def test_on_a_telephone_what_it_is_about_is_folded(commit_page: Path, open_page: Any) -> None:
    page = open_page(commit_page, 390)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.locator(".facts").is_hidden()
    above = page.locator(".buttons").bounding_box()["y"] - page.locator(".found").bounding_box()["y"]
    assert above <= 844 / 3
    page.locator(".about summary").click()
    assert page.locator(".facts").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(commit_page: Path, open_page: Any, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core").Axe()
    page = open_page(commit_page, 1280, color_scheme=scheme)
    for key in ("ArrowRight", "End"):
        page.keyboard.press(key)
        found = axe.run(page).response["violations"]
        assert [(each["id"], [node["html"][:200] for node in each["nodes"]][:5]) for each in found] == []
