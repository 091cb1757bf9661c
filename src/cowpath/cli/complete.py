"""What the shell proposes when Tab is pressed: names that are packaged. Files it proposes by itself."""

from __future__ import annotations

from collections.abc import Callable


def names_of(listed: Callable[[], list[str]]) -> Callable[[str], list[str]]:
    """What to propose of these names for the letters that have been typed."""
    return lambda incomplete: [name for name in listed() if name.startswith(incomplete)]


def designs() -> list[str]:
    """Kernels and packaged designs."""
    from cowpath import designs

    return list(designs.names())


def examples() -> list[str]:
    """The examples."""
    from cowpath import examples

    return list(examples.files())


def guide() -> list[str]:
    """The guide's pages."""
    from cowpath.errors import InputError
    from cowpath.guide import FRONT, contents, text_of

    try:
        return [page.name for pages in contents(text_of(FRONT)).values() for page in pages]
    except InputError:  # it was not installed
        return []


def cases() -> list[str]:
    """Packaged cases."""
    from cowpath import cases

    return list(cases.names())


def properties() -> list[str]:
    """Packaged properties."""
    from cowpath.checker import properties

    return list(properties.names())
