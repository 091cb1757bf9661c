"""A browser without a network: what a page says to the console or asks for is an error. And a counterexample."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cowpath import Checks, checking
from cowpath.checker import schedule

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
INLINE = ("data:", "blob:")

OpenPage = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    executable = next((found for name in NAMES if (found := shutil.which(name))), None)
    if executable is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser can be driven: no playwright")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[OpenPage]:
    """``open_page(file, width)``: the page of a file, or of a server of ours at an address. The test fails for whatever
    is wrong with it, at its end.
    """
    wrong: list[str] = []
    contexts = []

    def open_(file: Path | str, width: int = 1280, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        address = file if isinstance(file, str) else file.resolve().as_uri()
        own = file.rpartition("/0/")[0] + "/" if isinstance(file, str) else address
        page.on("console", lambda said: wrong.append(f"console: {said.text}"))
        page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: wrong.append(f"request: {request.url}") if is_foreign(request.url) else None)

        def is_foreign(url: str) -> bool:
            here = url.startswith(own) if isinstance(file, str) else url.partition("#")[0] == address
            return not here and not url.startswith(INLINE)

        page.goto(address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def walk_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of counterexamples that do not have all states of their case: for what has nothing to do with these."""
    monkeypatch.setattr("cowpath.report.explored.Shelf.look_everywhere", lambda shelf, told: None)


# --- a counterexample
@pytest.fixture(scope="session")
def commit_checks() -> Checks:
    return checking.check("linux-3.0", "commit", properties=["isolation", "lock-order"])


@pytest.fixture(scope="session")
def isolation_checks(commit_checks: Checks) -> Checks:
    """Only the one that is violated."""
    return replace(commit_checks, results=commit_checks.results[:1], properties=commit_checks.properties[:1])


@pytest.fixture(scope="session")
def crowd_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its graph is wider than its place."""
    file: Path = tmp_path_factory.mktemp("crowd") / "crowd.html"
    checking.check("linux-3.0", "oom-lock", properties="progress").report(file)
    return file


@pytest.fixture(scope="session")
def swap_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A group that is full because of what it has in swap; and several verdicts."""
    file: Path = tmp_path_factory.mktemp("swap") / "swap.html"
    checking.check("linux-3.0", "swap-in", properties=["isolation", "no-stuck"]).report(file)
    return file


@pytest.fixture(scope="session")
def commit_saved(commit_checks: Checks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("saved") / "found.json"
    result, job = commit_checks.checked[0]
    schedule.save(file, result, job.design, job.case)
    return file


@pytest.fixture(scope="session")
def commit_page(isolation_checks: Checks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("page") / "found.html"
    isolation_checks.report(file)
    return file
