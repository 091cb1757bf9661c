"""Numba with one of its inner names changed throughout, as a later release might: to be imported before Numba is."""

from __future__ import annotations

import re
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType
from typing import Any


class Renaming(SourceFileLoader):
    """Loads a module with the name changed in its text."""

    old = ""

    def get_code(self, fullname: str) -> CodeType | None:
        text = self.get_data(self.get_filename(fullname)).decode()
        if not re.search(rf"\b{self.old}\b", text):
            return super().get_code(fullname)
        return compile(re.sub(rf"\b{self.old}\b", f"{self.old}_of_old", text), self.path, "exec")


class Finder(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname.split(".")[0] != "numba":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = Renaming(fullname, spec.loader.path)
        return spec


def rename(name: str) -> None:
    Renaming.old = name
    sys.meta_path.insert(0, Finder())
