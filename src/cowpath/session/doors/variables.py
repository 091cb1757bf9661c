"""``${NAME:-WORD}`` in compose files: as docker compose puts variables in, before it reads a value."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cowpath.words import Word

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
