"""Reads the tokens of a simple command: words and redirections. What holds commands is in ``syntax``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cowpath.errors import Gathered, InputError, ToldError
from cowpath.session.shell_word import ShellWord, as_text, broken
from cowpath.session.tree import Joined, Redirect, Simple

DEEPEST = 8  # loops within each other
DEEPEST_BLOCKS = 50  # of all kinds
LOOP, CONDITION, CASE = "while true; do ...; done", "if COMMAND; then ...; fi", "case $X in a) ...;; esac"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
FUNCTION = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*")
NOT_UNDERSTOOD = {"select": "a menu", "coproc": "a co-process"}
INNER = {  # what has its place only within something else
    "do": ("'do' without a loop before it", LOOP), "done": ("'done' without a loop before it", LOOP),
    "in": ("'in' without 'for'", LOOP), "then": ("'then' without 'if' before it", CONDITION),
    "else": ("'else' without 'if' before it", CONDITION), "elif": ("'elif' without 'if' before it", CONDITION),
    "fi": ("'fi' without 'if' before it", CONDITION), "esac": ("'esac' without 'case' before it", CASE),
    "}": ("'}' without '{' before it", "{ ...; }"), ")": ("')' without '(' before it", "( ... )"),
    ";;": ("';;' without 'case' before it", CASE),
}  # fmt: skip
STOPS = tuple(word for word in INNER if word not in ("in", ")", ";;"))


@dataclass
class TokenReader:
    """Reads tokens from the first to the last; each method reads what its name says."""

    tokens: list[ShellWord]
    errors: Gathered
    at: int = 0
    loops: int = 0  # within each other
    blocks: int = 0

    def wrong(self, word: ShellWord, problem: str, hint: str) -> InputError:
        """An error of a line, if it is the first: others may be no more than what follows from that."""
        told = any(error.line == word.place.line for error in self.errors.found)
        return ToldError() if told else word.error(problem, hint)

    def unpaired(self, word: ShellWord, problem: str, hint: str) -> InputError:
        """An error about a beginning or an end, if it is the first of the script: its other may be on a lost line."""
        told = any((error.line or 0) <= (word.place.line or 0) for error in self.errors.found)
        return ToldError() if told else word.error(problem, hint)

    def pass_over(self, start: int, depths: tuple[int, int]) -> Joined:
        """The rest of a line that is not understood, and a command in its place that names its words."""
        (self.loops, self.blocks), self.at = depths, start + 1
        while (token := self.peek()) is not None and not (token.operator and token.text == "\n"):
            self.at += 1
        lost = [token for token in self.tokens[start : self.at] if not token.operator]
        return Joined((Simple((broken("", self.tokens[start].place), *lost)),), (), False)

    # --- the tokens

    def peek(self, ahead: int = 0) -> ShellWord | None:
        """The token that comes next, or some behind it."""
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else None

    def is_word(self, *texts: str) -> bool:
        """One of these words comes next."""
        token = self.peek()
        return token is not None and not token.operator and token.text in texts

    def is_operator(self, *texts: str, ahead: int = 0) -> bool:
        """One of these operators comes next."""
        token = self.peek(ahead)
        return token is not None and token.operator and token.text in texts

    def skip(self, *operators: str) -> ShellWord | None:
        """Pass one of these operators, if it comes next."""
        if not self.is_operator(*operators):
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def skip_lines(self) -> None:
        """Pass empty lines."""
        while self.skip("\n"):
            pass

    # --- simple commands

    def simple(self) -> Simple:
        """A simple command."""
        words: list[ShellWord] = []
        redirects: list[Redirect] = []
        while (token := self.peek()) is not None:
            if words and words[0].text == "[[" and words[-1].text != "]]" and token.text != "\n":
                words.append(replace(token, operator=False, parts=token.parts or (as_text(token),)))
                self.at += 1
            elif token.redirects:
                redirects += self.redirection()
            elif token.operator:
                break
            else:
                words.append(token)
                self.at += 1
        if token is not None and token.text == "(":
            raise self.wrong(token, "a subshell is not understood here: '('", "f() { ...; } on its own, or quotes: '('")
        if not words:
            return Simple((), tuple(redirects))
        first = words[0].text
        if first in NOT_UNDERSTOOD:
            raise self.wrong(words[0], f"{NOT_UNDERSTOOD[first]} is not understood here: {first!r}", LOOP)
        if first in INNER:
            raise self.unpaired(words[0], *INNER[first])
        return Simple(tuple(words), tuple(redirects))

    def redirection(self) -> list[Redirect]:
        """An operator that redirects, and its file; ``&> FILE`` is two."""
        token, file = self.tokens[self.at], self.peek(1)
        if file is None or file.operator:
            raise self.wrong(token, f"a file is missing after {token.text!r}", "echo VALUE > FILE")
        self.at += 2
        digits = re.match("[0-9]*", token.text)
        assert digits is not None
        kind = token.text[digits.end() :]
        stream = int(digits[0]) if digits[0] else int(kind[0] != "<")
        if stream > 2 or kind in ("<<<", "<&"):
            what = "a string as input" if kind == "<<<" else f"stream {stream}" if stream > 2 else "a copied input"
            raise self.wrong(token, f"{what} is not understood here: {token.text!r}", "> FILE, 2> FILE, 2>&1, < FILE")
        if kind == ">&" and file.text in ("1", "2"):
            return [Redirect(token, stream, None, int(file.text))]
        if kind in ("&>", "&>>", ">&"):
            return [Redirect(token, 1, file), Redirect(token, 2, None, 1)]
        return [Redirect(token, stream, file)]
