"""A command whose words are taken as meant, or refused: no option silently wins over another, and no word is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

from cowpath.cli import ways
from cowpath.cli.helped import Helped
from cowpath.errors import InputError
from cowpath.examples import found
from cowpath.kinds import ARGUMENTS, USES, kind_of

ASKS = ("-h", "--help")


class Command(Helped, TyperCommand):
    """A command of cowpath."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words. Raises InputError for an option that is given twice, and for a word that is no option's."""
        given: dict[str, Any] = {}
        if args and not any(ask in args for ask in ASKS):
            given, extra, order = self.make_parser(ctx).parse_args(args=list(args))
            self.check_once(ctx, order, given)
            if extra:
                raise self.misplaced(extra[0])
            self.check_arguments(given)
        if any(param.name == "interpreted" for param in self.params):
            ways.choose(given.get("interpreted"), given.get("steps") or [], args)
        return super().parse_args(ctx, args)

    def check_arguments(self, given: dict[str, Any]) -> None:
        """A session that does not read its arguments is given none: the word was meant as something else."""
        words, session = given.get("arguments"), given.get("session")
        if not words or session is None:
            return
        file = found(Path(str(session)))
        if kind_of_file(str(file)) == "a session" and ARGUMENTS.search(file.read_text(encoding="utf-8")) is None:
            raise self.misplaced(words[0])

    def check_once(self, ctx: Any, order: list[Any], given: dict[str, Any]) -> None:
        """An option that takes one value stands there once, or says twice the same."""
        for option, count in Counter(order).items():
            if count == 1 or option.param_type_name != "option" or option.multiple:
                continue
            if option.is_flag and not option.secondary_opts:
                continue
            name = max(option.opts, key=len)
            hint = "it takes one"
            if name == "--design" and self.name == "run":
                hint = "compare takes several: cowpath compare SESSION -d D1 -d D2"
            raise InputError(f"{name} is given {count} times", hint=hint)

    def misplaced(self, word: str) -> InputError:
        """What to say of a word that the command has no place for."""
        options = {name for param in self.params for name in getattr(param, "opts", ())}
        for option, names in kinds().items():
            if word in names and option in options:
                return InputError(f"a word too many: {word!r}", hint=f"{option} {word}")
        kind = kind_of_file(word)
        if kind is not None and kind in USES:
            return InputError(f"a word too many: {word!r} is {kind}", hint=USES[kind].format(file=word))
        return InputError(f"a word too many: {word!r}", hint=f"cowpath {self.name} --help")


def kind_of_file(name: str) -> str | None:
    """What a file is; None where there is none that can be read."""
    path = Path(name)
    try:
        return kind_of(name, path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError):
        return None


def kinds() -> dict[str, list[str]]:
    """What a plain word may have been meant as: options, each with the names that it takes."""
    from cowpath import cases, designs
    from cowpath.checker import properties
    from cowpath.kernel.steps import PATH_NAMES

    return {
        "--design": designs.names(), "--case": cases.names(), "--property": properties.names(),
        "--path": list(PATH_NAMES),
    }  # fmt: skip
