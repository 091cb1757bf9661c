"""The looks of states are told apart: by hatching or height, and by colour with any of the common kinds of vision."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from cowpath.report.looks import DRAWN

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


@pytest.mark.parametrize("vision", VISION)
def test_colours_are_told_apart(vision: str) -> None:
    colours = {look.colour for look in DRAWN.values()}
    near = {pair: float(np.linalg.norm(lab(pair[0], vision) - lab(pair[1], vision)))
            for pair in combinations(sorted(colours), 2)}  # fmt: skip
    assert min(near.values()) > 4 * JUST_SEEN, min(near, key=lambda pair: near[pair])


def test_no_look_needs_its_colour() -> None:
    shapes = [(look.hatch, look.height) for look in DRAWN.values()]
    assert len(set(shapes)) == len(shapes)
