"""What every page has to be, held against the small ones: readable on a telephone and on paper, usable without a mouse.

It asks nothing of a network, says nothing to the console, and is whole whatever sessions, designs and tasks are called.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cowpath.cli import app

from ..slow import in_nightly_only
from .conftest import OpenPage

DATA = Path(__file__).resolve().parents[1] / "data"
EVIL = "<img src=x onerror=alert(1)>"
SESSION = """cgcreate -g memory:A
cgset -r memory.limit_in_bytes=${LIMIT:-1M} A
cgexec -g memory:A ls
ls
"""
SHEETS = 6  # of A4, at most
OUTLINE = """() => {
  let at = document.activeElement;
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;  // within a figure
  return at === document.body ? "nowhere" : getComputedStyle(at).outlineStyle;
}"""


def call(line: str) -> None:
    done = CliRunner().invoke(app, shlex.split(line), env={"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})
    assert done.exit_code in (0, 1, 4), done.output  # the verdicts of check and audit


def costs(session: Path, design: Path, page: Path) -> None:
    call(f"costs {shlex.quote(str(session))} -d {shlex.quote(str(design))} -d linux-3.0 --seeds 2 --report {page}")


def swept(session: Path, design: Path, page: Path) -> None:
    store = page.with_name("points.sqlite")
    call(f"sweep run {shlex.quote(str(session))} -d {shlex.quote(str(design))} -d linux-3.0 --vary LIMIT=1M,2M "
         f"--vary cpus=1,2 --processes 1 --store {store}")  # fmt: skip
    call(f"sweep plot {store} {page}")


def limit(session: Path, design: Path, page: Path) -> None:
    call(f"limit {shlex.quote(str(session))} -d {shlex.quote(str(design))} --seeds 1 --processes 1 --report {page}")


def diagnosed(session: Path, design: Path, page: Path) -> None:
    log = page.with_name("log")
    log.write_text(
        (DATA / "logs" / "hung-7.1.txt").read_text(encoding="utf-8").replace("task ", f"task {EVIL[:15]}", 1)
    )
    call(f"diagnose {log} --report {page}")


def audited(session: Path, design: Path, page: Path) -> None:
    call(f"audit -d {shlex.quote(str(design))} -d linux-3.0 --property lock-order --report {page}")


def book(session: Path, design: Path, page: Path) -> None:
    call(f"cases run 1 --report {page}")


MADE: dict[str, Callable[[Path, Path, Path], None]] = {
    "costs": costs, "sweep": swept, "limit": limit, "diagnose": diagnosed, "audit": audited, "cases": book,
}  # fmt: skip
SLOW = ("limit", "audit", "cases")


@pytest.fixture(scope="module", params=[pytest.param(n, marks=in_nightly_only) if n in SLOW else n for n in MADE])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("page")
    session, design, page = folder / f"{EVIL}.sh", folder / "evil.toml", folder / "page.html"
    session.write_text(SESSION)
    design.write_text(f'extends = "preallocate"\nname = "</script>{EVIL}"\n')
    MADE[request.param](session, design, page)
    return page


def test_it_is_for_everyone(file: Path, open_page: OpenPage) -> None:
    """In the light and in the dark, on a wall and on a telephone; ``open_page`` sees what it asks for, and says."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core").Axe()
    for width, scheme in ((1280, "light"), (390, "dark")):
        page = open_page(file, width, color_scheme=scheme)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = axe.run(page).response["violations"]
        assert [(each["id"], [node["html"][:200] for node in each["nodes"]][:5]) for each in found] == [], (
            width,
            scheme,
        )
        assert page.locator("img").count() == 0 and page.locator("h1").count() == 1
    for _ in range(3):  # whoever goes from place to place by keys sees where they are
        page.keyboard.press("Tab")
        assert page.evaluate(OUTLINE) != "none"


def test_it_fits_on_paper_and_asks_for_nothing(file: Path, open_page: OpenPage) -> None:
    page: Any = open_page(file, 1280)
    assert 1 <= page.pdf(format="A4").count(b"/Type /Page\n") <= SHEETS
    text = file.read_text(encoding="utf-8")
    page_itself = re.sub(r"(?s)<script.*?</script>", "", text)  # without Bokeh's script
    assert "default-src 'none'" in text and not re.search(r"""(src|href)=["']?https?:""", page_itself)
    assert EVIL not in page_itself
