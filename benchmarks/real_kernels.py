"""How long it takes to play everything that was measured on real kernels, warm, on the CPUs that there are."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tables import Target, show, show_targets

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "truth"
TABLE = DATA / "memory-high-throttle.tsv"
MOST_S = 60.0


def validated(*files: Path) -> tuple[float, list[dict[str, Any]]]:
    """What ``cowpath validate`` says of these, and how long it takes."""
    command = [sys.executable, "-m", "cowpath", "validate", *map(str, files), "--json"]
    began = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    took = time.perf_counter() - began
    told = json.loads(done.stdout)
    return took, told if isinstance(told, list) else [told]


def measure() -> list[Target]:
    """File by file, after each has been played once."""
    rows, whole = [], 0.0
    for file in (*sorted(DATA.glob("*.jsonl")), TABLE):
        validated(file)
        took, told = validated(file)
        whole += took
        played = sum(len(each.get("scenarios", each.get("lines", each.get("runs", ())))) for each in told)
        rows.append((file.name, f"{played:,}", f"{took:.1f} s"))
    show("Held against real kernels, warm", ("file", "rows", "wall"), [*rows, ("all", "", f"{whole:.1f} s")])
    targets = [Target("all that was measured, played", whole, MOST_S, " s", most=True)]
    show_targets(targets)
    return targets


if __name__ == "__main__":
    measure()
