"""The shape of a script: simple commands, joined by newlines, ``;``, ``&&`` and ``&``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cowpath.session.tokens import KEYWORDS, LOOP_HINT, ShellWord, tokenise


@dataclass(frozen=True)
class Simple:
    """A simple command: its words, where its output goes, and what joins it to the next."""

    words: tuple[ShellWord, ...]
    output: ShellWord | None  # FILE of "> FILE"
    background: bool  # ended by "&"
    and_next: bool  # joined to the next by "&&"

    @property
    def name(self) -> ShellWord:
        """The first word."""
        return self.words[0]


def read_commands(text: str, file: str) -> list[Simple]:
    """The script's simple commands in order. Raises InputError for what is not understood."""
    commands: list[Simple] = []
    words: list[ShellWord] = []
    output: ShellWord | None = None
    tokens = [*tokenise(text, file)]
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if not token.operator:
            words.append(token)
        elif token.text in (">", ">>"):
            if at == len(tokens) or tokens[at].operator:
                raise token.error(f"a file is missing after {token.text!r}", "echo VALUE > FILE")
            if output is not None:
                raise token.error("a second redirection in one command", "one echo VALUE > FILE a command")
            output = tokens[at]
            at += 1
        else:
            _end(commands, words, output, token)
            words, output = [], None
    if words or output:
        commands.append(_simple(words, output, background=False, and_next=False))
    elif commands and commands[-1].and_next:
        raise commands[-1].name.error("'&&' without a command after it", "a command on either side")
    return commands


def _end(commands: list[Simple], words: list[ShellWord], output: ShellWord | None, token: ShellWord) -> None:
    """A separator: the command in hand is complete."""
    if not words and output is None:
        if token.text == "\n":
            return  # an empty line, or one that goes on after "&&"
        raise token.error(f"no command before {token.text!r}", "a command, then ;, & or &&")
    command = _simple(words, output, background=token.text == "&", and_next=token.text == "&&")
    if command.background and commands and commands[-1].and_next:
        raise token.error(
            "a list with '&&' in the background is not understood here", "put & after a command that stands alone"
        )
    commands.append(command)


def _simple(words: list[ShellWord], output: ShellWord | None, *, background: bool, and_next: bool) -> Simple:
    if not words:
        assert output is not None
        raise output.error("a redirection without a command", "echo VALUE > FILE")
    first = words[0]
    if not first.quoted and first.text in KEYWORDS:
        what = KEYWORDS[first.text]
        hint = LOOP_HINT if what == "a loop" else "commands run one after the other; && stops at the first that fails"
        raise first.error(f"{what} is not understood here: {first.text!r}", hint)
    for word in words:
        if word.variable and first.text not in ("wait", "kill"):
            raise word.error(f"a variable is not understood here: {word.text!r}", "variables name tasks: wait $NAME")
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*\(\)", first.text):
        raise first.error("a function is not understood here", "commands run one after the other")
    return Simple(tuple(words), output, background, and_next)
