"""The site of docs/: ``make site`` builds it into build/site/. Nothing is fetched, and no page loads anything."""

from __future__ import annotations

import sys
import typing
from pathlib import Path

import numba  # noqa: F401 - what others import for type checkers only is not asked for below
import polars  # noqa: F401
import sphinx.application

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "src"))
import cowpath.observe.watch  # noqa: E402 - before what names its types, which it imports

typing.TYPE_CHECKING = True  # so that the names in cowpath's annotations are there to be linked
import cowpath.api  # noqa: E402
import cowpath.checking  # noqa: E402
from cowpath.guide import contents  # noqa: E402

typing.TYPE_CHECKING = False

project = "cowpath"
release = cowpath.__version__
project_copyright = "cowpath developers"
html_title = "cowpath"
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]
pygments_style = "default"  # output is paler than commands
maximum_signature_line_length = 100  # longer ones: a parameter a line

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 3
nitpick_ignore_regex = [("py:.*", r"(?!cowpath).*")]  # Path, polars.DataFrame: their own sites are not asked
nitpick_ignore = [("py:class", "cowpath.designs.design.Design"), ("py:class", "cowpath.checker.space.Step")]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True


def add_toctrees(app: sphinx.application.Sphinx, docname: str, source: list[str]) -> None:
    """The front page's sections of links are the site's table of contents."""
    if docname == "index":
        for caption, named in contents(source[0]).items():
            pages = "\n".join(f"{page.title} <{page.name}>" for page in named)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{pages}\n```\n"


def setup(app: sphinx.application.Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_toctrees)
