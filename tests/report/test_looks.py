"""Colours are told apart with any of the common kinds of vision, and the looks of states by hatching or height too."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from cowpath.report import latency_figure, looks, memory_figure
from cowpath.report.curves import COLOURS, PALETTE
from cowpath.report.html import asset
from cowpath.report.looks import DRAWN, LOOKS

# what is left of linear red, green and blue: Machado, Oliveira and Fernandes 2009, severity 1
VISION = {
    "any": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
SRGB = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])
JUST_SEEN = 2.3  # a distance in CIELAB


def lab(colour: str, vision: str) -> npt.NDArray[np.float64]:
    """The colour as it is seen, in CIELAB."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = SRGB @ np.clip(np.array(VISION[vision]) @ linear, 0, 1) / WHITE
    fx, fy, fz = (np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def variables(sheet: str, *names: str) -> dict[str, dict[str, str]]:
    """The colours that a style sheet gives these names in a scheme: in the light, in the dark."""
    light, dark = asset(sheet).split("prefers-color-scheme: dark", 1)
    said = {"light": light, "dark": dark.split("\n* {")[0].split("@media print")[0]}
    return {scheme: {name: re.findall(rf"--{name}: (#[0-9a-f]{{6}})", text)[0] for name in names}
            for scheme, text in said.items()}  # fmt: skip


VERDICTS = variables("page.css", "good", "warn", "bad")
BLOCKS = variables("picture.css", "outside", "inside", "locks")
# what has to be told from each other where it is drawn
PALETTES = {
    "the states of tasks": {*(look.colour for look in DRAWN.values()), looks.CHOSEN},
    "curves": set(COLOURS),
    "memory": {*memory_figure.COLOURS.values(), LOOKS["throttled"].colour},
    "latencies": set(latency_figure.COLOURS),
    **{f"verdicts, {scheme}": set(found.values()) for scheme, found in VERDICTS.items()},
    **{f"blocks, {scheme}": set(found.values()) for scheme, found in BLOCKS.items()},
}


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("palette", PALETTES)
def test_colours_are_told_apart(palette: str, vision: str) -> None:
    near = {pair: float(np.linalg.norm(lab(pair[0], vision) - lab(pair[1], vision)))
            for pair in combinations(sorted(PALETTES[palette]), 2)}  # fmt: skip
    assert min(near.values()) > 4 * JUST_SEEN, min(near, key=lambda pair: near[pair])


@pytest.mark.parametrize("vision", VISION)
def test_a_heat_map_gets_darker_with_any_vision(vision: str) -> None:
    lightness = np.array([lab(colour, vision)[0] for colour in PALETTE])
    assert lightness[0] - lightness[-1] > 60 and np.diff(lightness).max() < 0.5


def test_every_colour_of_a_page_is_one_of_these() -> None:
    """Or one of the page's own, or a grey: so a new figure brings its colours here."""
    pages = Path(looks.__file__).parent
    style = set(re.findall(r"--\w+: (#[0-9a-f]{6})", asset("page.css")))
    known = style.union(*PALETTES.values())
    for file in sorted(each for kind in ("*.py", "*.j2", "*.css", "*.js") for each in pages.rglob(kind)):
        for colour in re.findall(r"#[0-9a-fA-F]{6}\b", file.read_text(encoding="utf-8")):
            channels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
            assert colour in known or max(channels) - min(channels) < 12, f"{file.name}: {colour}"


def test_no_look_needs_its_colour() -> None:
    shapes = [(look.hatch, look.height) for look in DRAWN.values()]
    assert len(set(shapes)) == len(shapes)
