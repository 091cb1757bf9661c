"""Draws the README's pictures: pages of `make demo` in a browser, two designs one below the other. See `make picture`.

Needs Chromium, and Playwright to drive it.
"""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

WIDTH = 900  # px: too narrow for two pictures side by side
NAMES = ("chromium", "chromium-browser", "google-chrome")

SHOW = """([designs, words]) => {
  const all = [...document.querySelectorAll(".picture")], place = document.querySelector(".pictures");
  const wanted = designs.map((design) => all[cowpath.data.runs.findIndex((run) => run.design === design)]);
  for (const picture of all) picture.hidden = !wanted.includes(picture);
  wanted.forEach((picture, at) => {
    place.append(picture);
    picture.querySelector("h2 select")?.remove();
    picture.querySelector("h2 span").textContent = words[at];
    picture.querySelector("h2 span").style.display = "inline";
  });
  place.style.padding = ".5rem";
}"""


def main() -> None:
    """PAGE PICTURE.png DESIGN="what it is" ...: the pictures of these designs, one below the other."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    designs, words = zip(*(argument.split("=", 1) for argument in sys.argv[3:]), strict=True)
    executable = next((found for name in NAMES if (found := shutil.which(name))), None)
    if executable is None:
        sys.exit(f"no browser: none of {', '.join(NAMES)} is installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, device_scale_factor=1.5)
        page.goto(source.resolve().as_uri())
        page.wait_for_selector("html[data-drawn]", state="attached")
        page.evaluate(SHOW, [designs, words])
        drawn = Image.open(BytesIO(page.locator(".pictures").screenshot())).convert("RGB")
        browser.close()
    drawn.quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main()
