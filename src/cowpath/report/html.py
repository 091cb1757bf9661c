"""How a page is made: Jinja's templates, which escape whatever comes from outside, and files written whole."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cowpath import __version__
from cowpath.atomic import cannot_write, replacing
from cowpath.observe.text import clean, duration, visible

HERE = Path(__file__).parent
# nothing is asked of the network, whatever a page contains; one that is served may ask its server
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:"
)
SERVED = "connect-src 'self'"


@cache
def environment() -> Environment:
    """The templates of this package. Every value is escaped, unless it is markup that we have made (``Markup``)."""
    made = Environment(
        loader=PackageLoader("cowpath.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"shown": clean, "visible": visible, "time": duration}
    made.policies["json.dumps_kwargs"] = {"sort_keys": False}  # Bokeh's data is read in its order
    return made


@cache
def versions() -> str:
    """Of what the page was made with."""
    others = [f"{package} {metadata.version(package)}" for package in ("numba", "numpy", "bokeh")]
    return ", ".join([f"Python {platform.python_version()}", *others])


def asset(name: str) -> str:
    """The text of a style sheet or a script of ours."""
    return (HERE / "assets" / name).read_text(encoding="utf-8")


def render(template: str, **values: Any) -> str:
    """A page. Data goes into it through the filter ``tojson``, which leaves nothing that could end a script."""
    return (
        environment()
        .get_template(template)
        .render(asset=asset, version=__version__, versions=versions, policy=POLICY, served=SERVED, **values)
    )


def write(target: Path, text: str) -> None:
    """Write a page, whole or not at all. Raises InputError where it cannot be written."""
    try:
        with replacing(target) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except (OSError, ValueError) as error:
        raise cannot_write(target, error) from None
