"""What is done when a wheel is built: it has the examples and the guide, and with ``COWPATH_OBJECTS``, a folder, the
kernel compiled (``make wheel``).

Such a wheel is for one Python on one kind of machine, and its tag says so. Without it, and in an editable install,
there is nothing compiled, and a wheel is for all.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
PAGES = sorted(page.relative_to(ROOT) for page in ROOT.glob("docs/*.md"))


class CompiledKernel(BuildHookInterface[BuilderConfig]):
    """Puts the examples and the guide with the data, and the objects beside the sources that they are made from."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the files are gathered; ``version`` is ``standard`` or ``editable``."""
        if version == "standard":
            build_data["force_include"]["examples"] = "cowpath/data/examples"
            build_data["force_include"] |= {str(page): f"cowpath/data/{page}" for page in PAGES}
        objects = os.environ.get("COWPATH_OBJECTS")
        if version == "standard" and objects:
            build_data["force_include"][objects] = "cowpath/kernel/objects"
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
