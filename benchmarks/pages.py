"""The page of a run of 4,000 tasks and 10 million events: how large it is, how long it takes to make and to open."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tables import Target, console, show, show_targets

HERE = Path(__file__).resolve().parent
SESSION = HERE / "crowd" / "crowd.sh"
UNTIL = "8s"
WIDTH = 1280
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def measure() -> list[Target]:
    """Make it twice (the first compiles), then open it."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "crowd.html"
        make(page, "1ms")
        made = make(page, UNTIL)
        size, events = page.stat().st_size, events_of(page)
        opened = open_page(page)
    seconds = ("-", "-") if opened is None else tuple(f"{each:.2f} s" for each in opened)
    row = (f"crowd.sh, {UNTIL}", f"{made['tasks']:,}", f"{events:,}", f"{made['run_s']:.1f} s",
           f"{made['wall_s']:.1f} s", f"{made['peak_kib'] / 1024:,.0f} MiB", f"{size / 1e6:.2f} MB",
           *seconds)  # fmt: skip
    headings = (
        "session",
        "tasks",
        "events",
        "the run",
        "run and page",
        "peak memory",
        "page",
        "opens in",
        "all lanes drawn in",
    )
    show("5. A page", headings, [row])
    targets = [
        Target("tasks of the page", made["tasks"], 4000),
        Target("events of the page, millions", events / 1e6, 10),
        Target("size of the page", size / 1e6, 6, " MB", most=True),
        Target("run and page", made["wall_s"], 20, " s", most=True),
        Target("peak memory", made["peak_kib"] * 1024 / 1e6, 500, " MB", most=True),
    ]
    if opened is None:
        console.print("No browser, or none that can be driven: the page was not opened.")
    else:
        targets.append(Target("opening the page", opened[0], 3, " s", most=True))
    show_targets(targets)
    return targets


def make(page: Path, until: str) -> dict[str, Any]:
    """Run and write, in a process of its own."""
    command = [sys.executable, str(HERE / "one_page.py"), str(SESSION), until, str(page)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def events_of(page: Path) -> int:
    """How many events it was made from, as it says itself."""
    found = re.search(r"from ([\d,]+) events", page.read_text(encoding="utf-8"))
    assert found is not None
    return int(found[1].replace(",", ""))


def open_page(page: Path) -> tuple[float, float] | None:
    """Seconds until headless Chromium has drawn it, and, when asked, all lanes; None where there is no such thing."""
    executable = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if executable is None:
        return None
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        window = browser.new_page(viewport={"width": WIDTH, "height": 900})
        began = time.perf_counter()
        window.goto(page.as_uri())
        opened = drawn(window, "chains") - began
        began = time.perf_counter()
        window.click("#tab-time")
        lanes = drawn(window, "time") - began
        browser.close()
    return opened, lanes


def drawn(window: Any, tab: str) -> float:
    """The time when a tab has been drawn, and the frame after that."""
    window.wait_for_selector(f"html[data-drawn={tab}]", state="attached")
    window.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return time.perf_counter()
