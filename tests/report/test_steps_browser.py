"""The page of a counterexample in a browser: its keys and buttons, widths, paper, hostile names."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cowpath import Checks

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
    assert shown.locator("#found-1").is_visible()


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


@pytest.mark.parametrize("name", [HOSTILE, TERMINAL, "n" * 10_000, "</script><img src=x onerror=alert(1)>", "a\nb\tc"])
def test_hostile_names(open_page: Any, isolation_checks: Checks, tmp_path: Path, name: str) -> None:
    result, job = isolation_checks.checked[0]
    case = replace(job.case, name=name, summary=name, text=f"# {name}\n{job.case.text}", source=name)
    design = replace(job.design, name=name, summary=name, source=name)
    hostile = Checks(
        (replace(result, case=name, design=name, property=name, reason=name),),
        (replace(job, case=case, design=design),),
        (replace(isolation_checks.properties[0], name=name, meaning=name),),
    )  # fmt: skip
    hostile.report(tmp_path / "h.html", f"cowpath check -c '{name}'")
    parser = Whole()
    parser.feed((tmp_path / "h.html").read_text())
    assert parser.open == [] and parser.scripts == 2
    shown = open_page(tmp_path / "h.html", 390)
    assert len(go_to_the_end(shown, lambda: shown.keyboard.press("ArrowRight"))) == 16
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    assert "<script>alert" not in hostile._repr_html_()
