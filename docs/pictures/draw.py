"""Draws the pictures of the guide: pages of `make demo`, and a lesson, in a browser. See `make picture`.

Needs Chromium, and Playwright to drive it.
"""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

WIDTH = 900  # px: too narrow for two pictures side by side
SCREEN = {"width": 1280, "height": 800}
NAMES = ("chromium", "chromium-browser", "google-chrome")

SHOW = """([designs, words]) => {
  const all = [...document.querySelectorAll(".picture")], place = document.querySelector(".pictures");
  const at = (design) => String(cowpath.data.runs.findIndex((run) => run.design === design));
  const wanted = designs.map((design) => all.find((picture) => picture.dataset.run === at(design)));
  for (const picture of all) picture.hidden = !wanted.includes(picture);
  wanted.forEach((picture, at) => {
    place.append(picture);
    picture.querySelector("h2 select")?.remove();
    picture.querySelector("h2 span").textContent = words[at];
    picture.querySelector("h2 span").style.display = "inline";
  });
  place.style.padding = ".5rem 1rem .5rem .5rem";
}"""


def main() -> None:
    """PAGE PICTURE.png DESIGN="what it is" ...: the pictures of these designs, one below the other.

    Without designs: the first screen; of a lesson its first question, with the first answer open.
    """
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    words = dict(argument.split("=", 1) for argument in sys.argv[3:])
    executable = next((found for name in NAMES if (found := shutil.which(name))), None)
    if executable is None:
        sys.exit(f"no browser: none of {', '.join(NAMES)} is installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900} if words else SCREEN, device_scale_factor=1.5)
        page.goto(source.resolve().as_uri())
        drawn = Image.open(BytesIO(part(page, words).screenshot())).convert("RGB")
        browser.close()
    drawn.quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)


def part(page: Page, words: dict[str, str]) -> Page | Locator:
    """What of the page is the picture."""
    question = page.locator("section.question").first
    if question.count():
        page.set_viewport_size({"width": WIDTH, "height": 900})
        question.locator("summary").first.click()
        return question
    page.wait_for_selector("html[data-drawn]", state="attached")
    if not words:
        return page
    page.evaluate(SHOW, [list(words), list(words.values())])
    return page.locator(".pictures")


if __name__ == "__main__":
    main()
