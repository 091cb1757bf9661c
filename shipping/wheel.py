"""Make a wheel in ``dist/`` that has the kernel compiled, for this Python and this kind of machine: ``make wheel``.

What has to be in it is found by doing it: ``WORK`` is done by processes of their own, for any processor of this kind,
and what they keep is shipped. A function that is kept on disk and that none of them has compiled is an error.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cowpath
from cowpath.kernel.jit.cache import KEPT, ship
from cowpath.kernel.jit.shipped import building

ROOT = Path(__file__).resolve().parent.parent
HERE, DIST = ROOT / "build" / "wheel", ROOT / "dist"
OBJECTS, PAGE = HERE / "objects", HERE / "page.html"
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
COWPATH = [sys.executable, "-m", "cowpath"]
RUN = [*COWPATH, "run", str(ROOT / "examples" / "oom-off.sh"), "--report", str(PAGE)]
CHECK = [*COWPATH, "check", "--design", "linux-3.0", "--case", "commit", "--case", "cold-readahead"]  # the table grows
LONG_RUN = [  # of more pieces than a page has
    sys.executable, "-c",
    "import numpy; from cowpath.observe import lanes; lanes.join(numpy.zeros(9, lanes.PIECE), 2)",
]  # fmt: skip
WORK = (RUN, CHECK, LONG_RUN)
FOR_TESTS = {"cowpath.engine.invariants.run_checked"}  # kept on disk, and never called by the package


def main() -> None:
    """Compile, pack, build, and try it."""
    if changed := [name for name in os.environ if name.startswith("NUMBA_") or name == "COWPATH_STEPS"]:
        sys.exit(f"cowpath: a wheel is for those who have not set {', '.join(changed)}; unset it")
    if not building():
        sys.exit("cowpath: no processor is known for which code could be shipped for a machine of this kind")
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True)
    print("compiling the modelled kernel for the wheel: some minutes", flush=True)
    os.environ["COWPATH_CACHE"] = str(HERE / "kept")
    do(WORK, building())
    sizes = ship(OBJECTS)
    if missing := all_kept() - set(sizes) - FOR_TESTS:
        sys.exit(f"cowpath: not compiled: {', '.join(sorted(missing))}; what calls it belongs to WORK in {__file__}")
    wheel = build()
    compiled = sum(sizes.values())
    print(f"{wheel.relative_to(ROOT)}: {wheel.stat().st_size / 1e6:.2f} MB, of it {compiled / 1e6:.2f} compiled")
    attempt(wheel)


def all_kept() -> set[str]:
    """The functions of the whole package that are kept on disk."""
    for module in pkgutil.walk_packages(cowpath.__path__, "cowpath."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return {f"{function.__module__}.{function.__qualname__}" for function in KEPT}


def do(work: Sequence[Sequence[str]], environment: dict[str, str]) -> None:
    """Run processes side by side. A violated property (status 1) is no failure."""
    running = [
        subprocess.Popen(
            command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for command in work
    ]
    for process, command in zip(running, work, strict=True):
        _, said = process.communicate()
        if process.returncode not in (0, 1) or "Traceback" in said:
            sys.exit(f"cowpath: {' '.join(command)}: status {process.returncode}\n{said}")


def build() -> Path:
    """The wheel, with the objects in it."""
    command = [*PIP, "wheel", "--no-deps", "--wheel-dir", str(HERE / "dist"), str(ROOT)]
    subprocess.run(command, env=os.environ | {"COWPATH_OBJECTS": str(OBJECTS)}, check=True)
    (made,) = (HERE / "dist").glob("*.whl")
    DIST.mkdir(exist_ok=True)
    return Path(shutil.copy(made, DIST))


def attempt(wheel: Path) -> None:
    """Do the same from the wheel, with a cache that is empty: nothing may have to be compiled."""
    installed, cache = HERE / "installed", HERE / "cache"
    subprocess.run([*PIP, "install", "--no-deps", "--target", str(installed), str(wheel)], check=True)
    for command in WORK:
        began = time.perf_counter()
        do([command], {"PYTHONPATH": str(installed), "COWPATH_CACHE": str(cache)})
        print(f"  {time.perf_counter() - began:.1f} s: {' '.join(command[1:5])}")
    if compiled := [path.name for path in cache.rglob("*.nbc")]:
        sys.exit(f"cowpath: {wheel}: compiled all the same: {', '.join(compiled)}")


if __name__ == "__main__":
    main()
