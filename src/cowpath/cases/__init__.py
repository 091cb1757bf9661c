"""Cases: small machines whose every interleaving is visited. TOML files, checked when they are loaded."""

from __future__ import annotations

from .case import Case, load, names, of_the_book, read

__all__ = ["Case", "load", "names", "of_the_book", "read"]
