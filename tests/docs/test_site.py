"""``make site``: it builds without a warning, no link in it is dead, and its pages load nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from .pages import ROOT

LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}
STYLE = re.compile(r"@import|url\(\s*[\"']?(?!data:|#)(?:\w+:)?//")
MARKDOWN_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass
class Page(HTMLParser):
    """What a page links to, what it loads, and what can be linked to in it."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif LOADS.get(tag) in given:
            self.loads.append(given[LOADS[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    options = re.search(r"-m sphinx (.*) docs build/site$", makefile, re.MULTILINE)
    assert options is not None
    words = [sys.executable, "-m", "sphinx", *options[1].split(), "-d", str(folder / "doctrees"), "docs"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    ended = subprocess.run(
        [*words, str(folder / "html")], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
    )
    assert ended.returncode == 0, ended.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    found = {}
    for file in site.rglob("*.html"):
        found[file] = Page()
        found[file].feed(file.read_text(encoding="utf-8"))
    return found


def test_every_page_of_the_guide_is_there_and_can_be_found(site: Path, pages: dict[Path, Page]) -> None:
    written = {f"{page.stem}.html" for page in (ROOT / "docs").glob("*.md")}
    linked = {urlsplit(link).path for link in pages[site / "index.html"].links}
    assert written - {"index.html"} <= linked
    assert {"Result.faults", "run", "search"} <= {a.removeprefix("cowpath.") for a in pages[site / "api.html"].anchors}


def test_no_link_is_dead(pages: dict[Path, Page]) -> None:
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or link == "#":
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            assert target.is_file(), f"{file.name}: {link}"
            assert not parts.fragment or unquote(parts.fragment) in pages[target].anchors, f"{file.name}: {link}"


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    for file, page in pages.items():
        for loaded in page.loads:
            parts = urlsplit(loaded)
            assert not parts.scheme and not parts.netloc, f"{file.name}: {loaded}"
            assert not parts.path or (file.parent / unquote(parts.path)).is_file(), f"{file.name}: {loaded}"
    for file in [*pages, *site.rglob("*.css")]:
        assert not STYLE.search(file.read_text(encoding="utf-8")), file.name


@pytest.mark.parametrize("page", ["README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))])
def test_links_of_the_markdown_lead_to_files_of_the_repository(page: str) -> None:
    for link in MARKDOWN_LINK.findall((ROOT / page).read_text(encoding="utf-8")):
        parts = urlsplit(link)
        if not parts.scheme and parts.path:
            assert (ROOT / page).parent.joinpath(parts.path).is_file(), link
