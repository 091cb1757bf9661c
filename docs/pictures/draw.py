"""Draws the README's pictures: pages of `make demo` in a browser, two designs one below the other. See `make picture`.

Needs Chromium, and Playwright to drive it.
"""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

WIDTH = 900
NAMES = ("chromium", "chromium-browser", "google-chrome")

HEAD = """([at, words]) => {
  const box = document.getElementById(`timeline-${at}`), head = document.createElement("h2");
  head.textContent = words;
  head.style.border = "0"; head.style.margin = head.style.padding = ".3rem 0";
  box.prepend(head);
  box.style.padding = "0 .5rem";
  for (const p of box.querySelectorAll("p")) p.remove();
}"""


def main() -> None:
    """PAGE PICTURE.png DESIGN="what it is" ...: the timelines of these designs, one below the other."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    headings = dict(argument.split("=", 1) for argument in sys.argv[3:])
    executable = next((found for name in NAMES if (found := shutil.which(name))), None)
    if executable is None:
        sys.exit(f"no browser: none of {', '.join(NAMES)} is installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, device_scale_factor=1.5)
        page.goto(source.resolve().as_uri())
        page.wait_for_selector("html[data-drawn]", state="attached")
        parts = [timeline(page, design, words) for design, words in headings.items()]
        browser.close()
    whole = Image.new("RGB", (max(part.width for part in parts), sum(part.height for part in parts)), "white")
    at = 0
    for part in parts:
        whole.paste(part, (0, at))
        at += part.height
    whole.quantize(64, dither=Image.Dither.NONE).save(target, optimize=True)


def timeline(page: Any, design: str, words: str) -> Image.Image:
    """The timeline of a design, with its verdict above it."""
    designs = page.evaluate("cowpath.data.runs.map((run) => run.design)")
    at = designs.index(design)
    page.select_option("#design", str(at))
    page.wait_for_function(f"cowpath.roots.get('figure-{at}')")
    page.click("button[data-do=all]")  # it has the stretch of time of the one before
    verdict = page.locator("#verdicts article").nth(at).locator(".verdict").first.inner_text()
    page.evaluate(HEAD, [at, f"{words}: the tasks outside are {verdict}"])
    page.wait_for_timeout(1000)  # the figure takes its place
    return Image.open(BytesIO(page.locator(f"#timeline-{at}").screenshot()))


if __name__ == "__main__":
    main()
