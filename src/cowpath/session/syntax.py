"""The shape of a script: simple commands and loops, joined by newlines, ``;``, ``&``, ``&&`` and ``||``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cowpath.errors import Gathered, InputError, ToldError
from cowpath.session.tokens import ShellWord, broken, tokenise

DEEPEST = 8  # loops within each other
LOOP = "while true; do ...; done"
SEQUENCE_HINT = "commands run one after the other; && stops at the first that fails"
NOT_UNDERSTOOD = {
    "select": "a menu", "if": "a condition", "then": "a condition", "else": "a condition", "elif": "a condition",
    "fi": "a condition", "case": "a condition", "esac": "a condition", "[": "a condition", "[[": "a condition",
    "test": "a condition", "function": "a function", "{": "a block", "}": "a block", "!": "a negation",
}  # fmt: skip
ENDS = ("then", "else", "elif", "fi", "esac", "}")  # of what is named where it begins
INNER = {"do": "'do' without a loop before it", "done": "'done' without a loop before it", "in": "'in' without 'for'"}


@dataclass(frozen=True)
class Simple:
    """A simple command: its words, and where its output goes."""

    words: tuple[ShellWord, ...]
    output: ShellWord | None  # FILE of "> FILE"

    @property
    def word(self) -> ShellWord:
        """The first word."""
        return self.words[0]


@dataclass(frozen=True)
class For:
    """``for NAME in ITEMS; do BODY; done``."""

    word: ShellWord
    name: str
    items: tuple[ShellWord, ...]
    body: Script


@dataclass(frozen=True)
class While:
    """``while CONDITION; do BODY; done``, or ``until``."""

    word: ShellWord
    condition: Script
    body: Script
    until: bool


Command = Simple | For | While


@dataclass(frozen=True)
class Joined:
    """Commands with ``&&`` or ``||`` between them, and whether the shell waits for them."""

    commands: tuple[Command, ...]
    operators: tuple[str, ...]  # one less than commands
    background: bool


Script = tuple[Joined, ...]


def read_script(text: str, file: str, errors: Gathered | None = None) -> Script:
    """The script's commands in order. What is not understood is put by in ``errors``; without it, InputError is raised.

    A line that is not understood is passed over; a broken command, which names what was lost, stands in its place.
    """
    gathered = Gathered() if errors is None else errors
    reader = _Reader(tokenise(text, file, gathered), gathered)
    script = reader.script()
    while (rest := reader.peek()) is not None:
        gathered.add(reader.unpaired(rest, INNER[rest.text]))
        reader.at += 1
        script += reader.script()
    if errors is None:
        gathered.tell()
    return script


class _Reader:
    """Reads tokens from the first to the last; each method reads what its name says."""

    def __init__(self, tokens: list[ShellWord], errors: Gathered) -> None:
        self.tokens = tokens
        self.errors = errors
        self.at = 0
        self.depth = 0

    def wrong(self, word: ShellWord, problem: str, hint: str) -> InputError:
        """An error of a line, if it is the first: others may be no more than what follows from that."""
        told = any(error.line == word.place.line for error in self.errors.found)
        return ToldError() if told else word.error(problem, hint)

    def unpaired(self, word: ShellWord, problem: str) -> InputError:
        """An error about loops and their ends, if it is the first of the script: its other may stand on a lost line."""
        return ToldError() if self.errors else word.error(problem, LOOP)

    def pass_over(self, start: int, depth: int) -> Joined:
        """The rest of a line that is not understood, and a command in its place that names its words."""
        self.depth, self.at = depth, start + 1
        while (token := self.peek()) is not None and not (token.operator and token.text == "\n"):
            self.at += 1
        lost = [token for token in self.tokens[start : self.at] if not token.operator]
        words = (broken("", self.tokens[start].place), *lost)
        return Joined((Simple(words, None),), (), False)

    def peek(self) -> ShellWord | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def is_word(self, *texts: str) -> bool:
        """One of these words comes next."""
        token = self.peek()
        return token is not None and not token.operator and token.text in texts

    def is_operator(self, *texts: str) -> bool:
        """One of these operators comes next."""
        token = self.peek()
        return token is not None and token.operator and token.text in texts

    def skip(self, *operators: str) -> ShellWord | None:
        """Pass one of these operators, if it comes next."""
        if not self.is_operator(*operators):
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def script(self) -> Script:
        """Commands up to a ``do`` or ``done`` that is none of theirs, or to the end."""
        found: list[Joined] = []
        while True:
            while self.skip("\n"):
                pass
            if self.peek() is None or self.is_word("do", "done"):
                return tuple(found)
            start, depth = self.at, self.depth
            try:
                found.append(self.joined())
            except InputError as error:
                self.errors.add(error)
                found.append(self.pass_over(start, depth))
            if not found[-1].background:
                self.skip(";", "\n")

    def joined(self) -> Joined:
        """A command, or several with ``&&`` or ``||`` between them."""
        commands = [self.command()]
        operators: list[str] = []
        while (operator := self.skip("&&", "||")) is not None:
            while self.skip("\n"):
                pass
            if self.peek() is None:
                raise commands[-1].word.error(
                    f"{operator.text!r} without a command after it", "a command on either side"
                )
            operators.append(operator.text)
            commands.append(self.command())
        return Joined(tuple(commands), tuple(operators), self.skip("&") is not None)

    def command(self) -> Command:
        """A simple command or a loop."""
        token = self.peek()
        assert token is not None
        if token.operator and token.text not in (">", ">>"):
            raise self.wrong(token, f"no command before {token.text!r}", "a command, then ;, &, && or ||")
        if self.is_word("while", "until", "for"):
            self.at += 1
            if self.depth == DEEPEST:
                raise self.wrong(token, f"more than {DEEPEST} loops within each other", f"at most {DEEPEST}")
            self.depth += 1
            loop = self.for_(token) if token.text == "for" else self.while_(token)
            self.depth -= 1
            self.after_loop()
            return loop
        return self.simple()

    def while_(self, word: ShellWord) -> While:
        """What follows ``while``."""
        condition = self.script()
        if not condition:
            raise self.wrong(word, f"a condition is missing after {word.text!r}", LOOP)
        return While(word, condition, self.body(word), word.text == "until")

    def for_(self, word: ShellWord) -> For:
        """What follows ``for``."""
        example = "for i in 1 2 3; do ...; done"
        name = self.peek()
        if name is None or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name.text) is None:
            raise self.wrong(name or word, "a variable's name is missing after 'for'", example)
        self.at += 1
        if not self.is_word("in"):
            raise self.wrong(word, f"'in' is missing after 'for {name.text}'", example)
        self.at += 1
        items = []
        while (token := self.peek()) is not None and not token.operator:
            items.append(token)
            self.at += 1
        if self.skip(";", "\n") is None:
            raise self.wrong(token or word, "';' or a new line is missing after the words of 'for'", example)
        while self.skip("\n"):
            pass
        return For(word, name.text, tuple(items), self.body(word))

    def body(self, word: ShellWord) -> Script:
        """``do ... done``."""
        if not self.is_word("do"):
            raise self.unpaired(self.peek() or word, f"'do' is missing after {word.text!r}")
        do = self.peek()
        assert do is not None
        self.at += 1
        body = self.script()
        if not self.is_word("done"):
            raise self.unpaired(self.peek() or word, f"'done' is missing: {word.text!r} has no end")
        if not body:
            raise self.wrong(do, "no command between 'do' and 'done'", "while true; do sleep 1; done")
        self.at += 1
        return body

    def after_loop(self) -> None:
        """Only an operator may follow ``done``."""
        token = self.peek()
        if token is None or (token.operator and token.text not in (">", ">>")):
            return
        if token.operator:
            raise self.wrong(token, "a loop's output cannot be redirected", "only echo VALUE > FILE of a cgroup is")
        raise self.wrong(token, f"';' or a new line is missing after 'done': {token.text!r}", LOOP)

    def simple(self) -> Simple:
        """A simple command."""
        words: list[ShellWord] = []
        output: ShellWord | None = None
        while (token := self.peek()) is not None:
            if not token.operator:
                words.append(token)
            elif token.text in (">", ">>"):
                self.at += 1
                file = self.peek()
                if file is None or file.operator:
                    raise self.wrong(token, f"a file is missing after {token.text!r}", "echo VALUE > FILE")
                if output is not None:
                    raise self.wrong(token, "a second redirection in one command", "one echo VALUE > FILE a command")
                output = file
            else:
                break
            self.at += 1
        if not words:
            assert output is not None
            raise self.wrong(output, "a redirection without a command", "echo VALUE > FILE")
        first = words[0].text
        if first in NOT_UNDERSTOOD:
            if first in ENDS and self.errors:
                raise ToldError
            raise self.wrong(words[0], f"{NOT_UNDERSTOOD[first]} is not understood here: {first!r}", SEQUENCE_HINT)
        if first in INNER:
            raise self.unpaired(words[0], INNER[first])
        return Simple(tuple(words), output)
