"""Two trees beside each other, another commit's and this one, each as somebody would have it who has just cloned it.

Each has a virtual environment of its own (what a commit needs is its own affair), with the same versions of whatever
is installed here, and a cache of its own, which is empty. All is gone afterwards.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
ONE_COMMAND = HERE / "one_command.py"
OURS = ("COWPATH_", "NUMBA_", "PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL")  # settings not to be handed on


@dataclass(frozen=True)
class Spent:
    """What a command took, in seconds and MiB, and what it printed."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    output: str


@dataclass(frozen=True)
class Side:
    """A tree, an environment in which it is installed, and where it keeps what it compiles."""

    name: str
    tree: Path
    environment: Path
    cache: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.environment / "bin" / "python"

    @property
    def settings(self) -> dict[str, str]:
        """The process's, without ours, and with its cache."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return plain | {"COWPATH_CACHE": str(self.cache)}

    def fresh(self) -> Side:
        """The same with another cache, which is empty."""
        return Side(self.name, self.tree, self.environment, Path(tempfile.mkdtemp(dir=self.cache.parent)))

    def pip(self, *words: str) -> None:
        """Install something in it, in the versions that are installed here."""
        pins = self.cache.parent / "constraints.txt"
        here = {each.name: each.version for each in metadata.distributions() if each.name != "cowpath"}
        pins.write_text("".join(f"{name}=={version}\n" for name, version in sorted(here.items())), encoding="utf-8")
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", str(pins), *words]
        finished([self.python, *install], self.tree, self.settings)

    def cowpath(self, *words: str, status: int = 0) -> Spent:
        """Run a command of it, which ends with ``status``."""
        return self.command(str(self.python), "-m", "cowpath", *words, status=status)

    def command(self, *words: str, status: int = 0) -> Spent:
        """Run any command in its tree, and see what that takes."""
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "spent.json"
            line = [sys.executable, "-S", "-E", str(ONE_COMMAND), str(result), *words]
            output = finished(line, self.tree, self.settings, status)
            return Spent(**json.loads(result.read_text(encoding="utf-8")), output=output)


def finished(line: Sequence[str | Path], folder: Path, settings: dict[str, str], status: int = 0) -> str:
    """What a command prints, which ends with ``status``; a RuntimeError else."""
    done = subprocess.run(line, cwd=folder, env=settings, capture_output=True, text=True)
    if done.returncode != status:
        words = " ".join(map(str, line))
        raise RuntimeError(f"{words} in {folder} ended with {done.returncode}, not {status}:\n{done.stderr[-2000:]}")
    return done.stdout


@contextmanager
def checked_out(commit: str | None) -> Iterator[Path]:
    """Another commit's tree; None: a copy of this one, with what is not committed yet."""
    with tempfile.TemporaryDirectory(prefix="cowpath-side-") as name:
        tree = Path(name) / "tree"
        if commit is None:
            copy(HERE.parent, tree)
            yield tree
            return
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), commit], cwd=HERE, check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=HERE, check=True)


def copy(source: Path, target: Path) -> None:
    """A copy of all files of a tree that git knows, or would know."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=source, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (source / name).is_file():  # a deleted one is listed too
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)


@contextmanager
def installed(commit: str | None) -> Iterator[Side]:
    """A commit's tree (None: this one), installed as the README says."""
    with checked_out(commit) as tree:
        side = Side("here" if commit is None else commit[:10], tree, tree / ".venv", tree.parent / "cache")
        side.cache.mkdir()
        subprocess.run([sys.executable, "-m", "venv", str(side.environment)], check=True)
        side.pip("-e", ".")
        yield side


@contextmanager
def both(base: str) -> Iterator[tuple[Side, Side]]:
    """The other commit and this tree."""
    with ExitStack() as stack:
        yield stack.enter_context(installed(base)), stack.enter_context(installed(None))
