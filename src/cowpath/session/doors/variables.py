"""``${NAME:-WORD}`` in compose files: as docker compose puts variables in, before it reads a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from cowpath.errors import Gathered
from cowpath.words import Place, Word, read_text

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_VARIABLE = re.compile(
    rf"\$(?:(?P<escaped>\$)|(?P<plain>{_NAME})|\{{(?P<braced>{_NAME})(?P<how>:?[-?+])?(?P<word>(?<=[-?+])[^{{}}]*)?\}}|)"
)


def expanded(word: Word, variables: Mapping[str, str]) -> str:
    """The text with its variables' values. Raises InputError for one that is not set, and for what is no variable."""

    def value(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        name = match["plain"] or match["braced"]
        if name is None:
            raise word.error(
                f"not a variable: {word.text[match.start() :][:40]!r}", "${NAME}, ${NAME:-VALUE}; $$ is a $"
            )
        how, other = match["how"] or "", match["word"] or ""
        found = variables.get(name)
        if found == "" and how.startswith(":"):
            found = None
        if how.endswith("+"):
            return "" if found is None else other
        if found is None and how.endswith("-"):
            return other
        if found is None:
            raise word.error(f"variable {name!r} is not set{': ' + other if other else ''}", f"--env {name}=VALUE")
        return found

    return _VARIABLE.sub(value, word.text)


def of_file(file: Path, errors: Gathered) -> dict[str, str]:
    """The variables of a file (``.env``), if it is there. What is no NAME=VALUE in it is put by."""
    found: dict[str, str] = {}
    if not file.is_file():
        return found
    with errors.kept():
        for number, line in enumerate(read_text(file).splitlines(), 1):
            bare = line.strip().removeprefix("export ")
            if not bare or bare.startswith("#"):
                continue
            if (match := re.fullmatch(rf"({_NAME})\s*=\s*(?:'(.*)'|\"(.*)\"|(.*?))(?:\s+#.*)?", bare)) is None:
                raise Place(str(file), number, 1).error(f"not a variable: {bare[:40]!r}", "NAME=VALUE")
            found[match[1]] = match[2] or match[3] or match[4] or ""
    return found
