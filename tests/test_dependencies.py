"""What is imported is declared, and what is declared is imported: a dependency that nobody needs any more goes."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
COMES_WITH = {"llvmlite": "numba", "markupsafe": "jinja2"}
NAMES = {
    "arro3.core": "arro3-core",
    "arro3.io": "arro3-io",
    "yaml": "pyyaml",
}  # of the packages whose modules are named otherwise


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w-]", requirement)[0] for requirement in requirements}


def imported() -> set[str]:
    """The packages, by the names under which they are declared."""
    found = set()
    for source in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(node.module or "")
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
    tops = {NAMES.get(".".join(module.split(".")[:2]), module.split(".")[0]) for module in found}
    return tops - set(sys.stdlib_module_names) - {"cowpath"} - set(COMES_WITH)


def test_run_dependencies() -> None:
    extras = names([each for name in ("frames", "cluster") for each in PROJECT["optional-dependencies"][name]])
    assert imported() == names(PROJECT["dependencies"]) | extras
    assert extras <= names(PROJECT["optional-dependencies"]["dev"])
