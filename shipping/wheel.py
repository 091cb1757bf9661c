"""Make a wheel in ``dist/`` that has the kernel compiled, for this Python and this kind of machine: ``make wheel``.

``cowpath warm-up`` compiles for any processor of this kind, and what it keeps is shipped. A function of the package
that is kept on disk and that it has not compiled is an error, and so is one that has to be compiled when the wheel is
tried.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cowpath
from cowpath.kernel.jit.cache import KEPT, ship
from cowpath.kernel.jit.shipped import building

ROOT = Path(__file__).resolve().parent.parent
HERE, DIST = ROOT / "build" / "wheel", ROOT / "dist"
OBJECTS = HERE / "objects"
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
COWPATH = [sys.executable, "-m", "cowpath"]
SESSION = str(ROOT / "examples" / "oom-off.sh")
TRIED = (
    ["run", SESSION],
    ["check", "--design", "linux-3.0", "--case", "commit"],
    ["run", SESSION, "--report", str(HERE / "page.html")],
    ["check", "--design", "preallocate", "--case", "cold-readahead"],  # the table of states grows
    ["run", SESSION, "--design", "linux-3.1", "--trace", str(HERE / "run.pftrace")],
)
FOR_TESTS = {"cowpath.engine.invariants.run_checked"}  # kept on disk, and never called by the package


def main() -> None:
    """Compile, pack, build, and try it."""
    if changed := [name for name in os.environ if name.startswith("NUMBA_") or name == "COWPATH_STEPS"]:
        sys.exit(f"cowpath: a wheel is for those who have not set {', '.join(changed)}; unset it")
    if not building():
        sys.exit("cowpath: no processor is known for which code could be shipped for a machine of this kind")
    shutil.rmtree(HERE, ignore_errors=True)
    os.environ["COWPATH_CACHE"] = str(HERE / "kept")
    subprocess.run([*COWPATH, "warm-up"], env=os.environ | building(), check=True)
    sizes = ship(OBJECTS)
    if missing := all_kept() - set(sizes) - FOR_TESTS:
        sys.exit(f"cowpath: warm-up has not compiled {', '.join(sorted(missing))}: see src/cowpath/warming.py")
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


def build() -> Path:
    """The wheel, with the objects in it."""
    command = [*PIP, "wheel", "--no-deps", "--wheel-dir", str(HERE / "made"), str(ROOT)]
    subprocess.run(command, env=os.environ | {"COWPATH_OBJECTS": str(OBJECTS)}, check=True)
    (made,) = (HERE / "made").glob("*.whl")
    DIST.mkdir(exist_ok=True)
    return Path(shutil.copy(made, DIST))


def attempt(wheel: Path) -> None:
    """Use it, with a cache that is empty: nothing may have to be compiled."""
    installed, cache = HERE / "installed", HERE / "cache"
    subprocess.run([*PIP, "install", "--no-deps", "--target", str(installed), str(wheel)], check=True)
    environment = os.environ | {"PYTHONPATH": str(installed), "COWPATH_CACHE": str(cache)}
    for words in TRIED:
        began = time.perf_counter()
        done = subprocess.run([*COWPATH, *words], env=environment, capture_output=True, text=True, check=False)
        print(f"{time.perf_counter() - began:5.1f} s  cowpath {' '.join(words)}".replace(f"{ROOT}/", ""))
        if done.returncode not in (0, 1) or not done.stdout:  # 1: a property is violated
            sys.exit(f"cowpath: from the wheel: status {done.returncode}\n{done.stderr}")
        if compiled := [path.name for path in cache.rglob("*.nbc")]:
            sys.exit(f"cowpath: {wheel.name} has not compiled {', '.join(compiled)}, or not so that it fits")


if __name__ == "__main__":
    main()
