"""What a run needs: the virtual environment that ``make demo`` makes, package by package."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tables import Target, show, show_targets

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 12


def mib(folder: Path) -> float:
    """What a folder takes up on the disk, as ``du`` counts it."""
    return sum(path.lstat().st_blocks for path in folder.rglob("*")) * 512 / 2**20


def measure() -> list[Target]:
    """Make one anew; pip may have to fetch what it does not have."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        pip = [f"{place}/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-e", str(ROOT)], check=True, stderr=subprocess.DEVNULL)
        whole = mib(Path(place))
        packages = next(Path(place).glob("lib/python*/site-packages"))
        sizes = sorted(((mib(path), path.name) for path in packages.iterdir() if path.is_dir()), reverse=True)
    rows = [(name, f"{size:.0f}") for size, name in sizes[:LARGEST]]
    show("Weight: the environment that make demo makes", ("folder", "MiB"), [*rows, ("all of it", f"{whole:.0f}")])
    targets = [Target("the environment", whole, 450, " MiB", most=True)]
    show_targets(targets)
    return targets


if __name__ == "__main__":
    measure()
