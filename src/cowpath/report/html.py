"""How a page is made: Jinja's templates, which escape whatever comes from outside, and files written whole."""

from __future__ import annotations

import platform
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cowpath import __version__
from cowpath.atomic import replacing
from cowpath.errors import InputError
from cowpath.observe.text import clean, duration, visible

HERE = Path(__file__).parent


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
    return environment().get_template(template).render(asset=asset, version=__version__, versions=versions, **values)


def check_target(target: Path) -> None:
    """Raise InputError, before any work is done, if no file can be written there."""
    try:
        with suppress(_OnlyAskedError), replacing(target):
            raise _OnlyAskedError
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise cannot_write(target, error) from None


class _OnlyAskedError(Exception):
    """Leaves ``replacing`` without a file."""


def write(target: Path, text: str) -> None:
    """Write a page, whole or not at all. Raises InputError where it cannot be written."""
    try:
        with replacing(target) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except (OSError, ValueError) as error:
        raise cannot_write(target, error) from None


def cannot_write(target: Path, error: Exception) -> InputError:
    """What to say of a file that cannot be written."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return InputError(f"cannot write: {reason}", file=target)
