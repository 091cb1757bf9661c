"""The shell's words: quotes, comments, continued lines, operators, and what is to be expanded in them later.

What a real shell would understand and this one does not (pipes, arithmetic, ...) is named as what it is. In its place
stands a word that is "broken": the rest of the script is read all the same, so that all errors can be told at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cowpath.errors import Gathered, InputError
from cowpath.words import Place, Word

OPERATORS = ("&&", "||", ">>", "<<", "&", ";", "|", ">", "<", "((", "))", "(", ")", "\n")
UNKNOWN_OPERATORS = {
    "|": ("a pipe", "run the commands one by one"),
    "<": ("a redirected input", "only echo VALUE > FILE of a cgroup is redirected"),
    "<<": ("a here document", "only echo VALUE > FILE of a cgroup is redirected"),
    "(": ("a subshell", "write the commands without parentheses"),
    ")": ("a subshell", "write the commands without parentheses"),
    "((": ("arithmetic", "write the number itself, or for i in 1 2 3"),
    "))": ("arithmetic", "write the number itself, or for i in 1 2 3"),
}
BLANKS = " \t\r"
DEEPEST = 8  # $( within $(
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*|[!$])|\{([A-Za-z_][A-Za-z0-9_]*|[!$])\})")
_OTHER_VARIABLE = re.compile(r"\$([0-9@*#?-]|\{[^}\n]*\}?)")


@dataclass(frozen=True)
class Part:
    """A piece of a word: text as it stands, a variable's value, or what ``$(words)`` prints."""

    kind: str  # "text", "variable", "output" or "broken"
    text: str  # the text, or the variable's name
    quoted: bool
    place: Place
    words: tuple[ShellWord, ...] = ()  # of $(...)


@dataclass(frozen=True)
class ShellWord(Word):
    """A word of the script; ``text`` is how it is written, quotes and all."""

    parts: tuple[Part, ...] = ()
    operator: bool = False

    @property
    def broken(self) -> bool:
        """The word holds something that is not understood; the error is told already."""
        return any(part.kind == "broken" for part in self.parts)


def broken(text: str, place: Place) -> ShellWord:
    """A word in the place of what is not understood."""
    return ShellWord(text, place, parts=(Part("broken", "", True, place),))


@dataclass
class _Reader:
    text: str
    file: str
    at: int = 0
    line: int = 1
    line_start: int = 0
    depth: int = 0  # of $(

    @property
    def place(self) -> Place:
        return Place(self.file, self.line, self.at - self.line_start + 1)

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def step(self, count: int = 1) -> str:
        """Go on, and return what was passed."""
        passed = self.peek(count)
        for c in passed:
            self.at += 1
            if c == "\n":
                self.line += 1
                self.line_start = self.at
        return passed

    def operator(self) -> str | None:
        """The operator that stands here, if one does."""
        return next((operator for operator in OPERATORS if self.text.startswith(operator, self.at)), None)


def tokenise(text: str, file: str, errors: Gathered) -> list[ShellWord]:
    """All words and operators of a script; what is not understood is an error, and a broken word."""
    reader = _Reader(text, file)
    tokens: list[ShellWord] = []
    while _skip_blanks(reader):
        place, operator = reader.place, reader.operator()
        if operator is None:
            start = reader.at
            try:
                tokens.append(_word(reader))
            except InputError as error:  # where such a word ends is not known: not before the line does
                errors.add(error)
                reader.step(len(reader.text[reader.at :].split("\n", 1)[0]))
                tokens.append(broken(reader.text[start : reader.at], place))
            continue
        token = ShellWord(operator, place, operator=True)
        if operator in UNKNOWN_OPERATORS:
            what, hint = UNKNOWN_OPERATORS[operator]
            if place.line not in (error.line for error in errors.found):  # the others of a line follow from the first
                errors.add(token.error(f"{what} is not understood here: {operator!r}", hint))
            token = broken(operator, place)
        tokens.append(token)
        reader.step(len(operator))
    return tokens


def _skip_blanks(reader: _Reader) -> bool:
    """Go to the next word or operator; False at the end of the text."""
    while reader.at < len(reader.text):
        if reader.peek(2) == "\\\n":
            reader.step(2)
        elif reader.peek() in BLANKS:
            reader.step()
        elif reader.peek() == "#":
            reader.step(len(reader.text[reader.at :].split("\n", 1)[0]))
        else:
            return True
    return False


@dataclass
class _Parts:
    """The parts of a word so far; neighbouring texts become one."""

    found: list[Part] = field(default_factory=list)

    def text(self, text: str, quoted: bool, place: Place) -> None:
        if "\0" in text:
            raise place.error("a zero byte in the script", "take it out")
        last = self.found[-1] if self.found else None
        if last is not None and last.kind == "text" and last.quoted == quoted:
            self.found[-1] = Part("text", last.text + text, quoted, last.place)
        else:
            self.found.append(Part("text", text, quoted, place))


def _word(reader: _Reader) -> ShellWord:
    """Read a word up to a blank or an operator."""
    place, start, parts = reader.place, reader.at, _Parts()
    while reader.at < len(reader.text) and reader.peek() not in BLANKS and reader.operator() is None:
        c, here = reader.peek(), reader.place
        if reader.peek(2) == "\\\n":
            reader.step(2)
        elif c == "\\":
            parts.text(reader.step(2)[1:], True, here)
        elif c == "'":
            parts.text(_single_quoted(reader), True, here)
        elif c == '"':
            _double_quoted(reader, parts)
        elif c == "$":
            _dollar(reader, parts, quoted=False)
        else:
            _no_backtick(reader)
            parts.text(reader.step(), False, here)
    return ShellWord(reader.text[start : reader.at], place, parts=tuple(parts.found))


def _single_quoted(reader: _Reader) -> str:
    end = reader.text.find("'", reader.at + 1)
    if end < 0:
        raise reader.place.error("a quote is not closed: '", "a second ' ends it")
    return reader.step(end + 1 - reader.at)[1:-1]


def _double_quoted(reader: _Reader, parts: _Parts) -> None:
    place = reader.place
    reader.step()
    parts.text("", True, place)
    while (c := reader.peek()) != '"':
        here = reader.place
        if not c:
            raise place.error('a quote is not closed: "', 'a second " ends it')
        if c == "$":
            _dollar(reader, parts, quoted=True)
        elif c == "\\" and reader.peek(2)[1:] in ('"', "\\", "$", "`", "\n"):
            parts.text(reader.step(2)[1:].replace("\n", ""), True, here)
        else:
            _no_backtick(reader)
            parts.text(reader.step(), True, here)
    reader.step()


def _no_backtick(reader: _Reader) -> None:
    if reader.peek() == "`":
        raise reader.place.error(
            "a command substitution is not understood here: '`'", "write the value itself; only $(seq 1 5) is known"
        )


def _dollar(reader: _Reader, parts: _Parts, quoted: bool) -> None:
    """``$NAME``, ``${NAME}``, ``$!``, ``$$``, ``$(seq ...)``; or a dollar sign that is only one."""
    place = reader.place
    if reader.peek(3) == "$((":
        raise place.error("arithmetic is not understood here: '$(('", "write the number itself")
    if reader.peek(2) == "$(":
        parts.found.append(_substitution(reader, quoted))
    elif match := _VARIABLE.match(reader.text, reader.at):
        reader.step(len(match[0]))
        parts.found.append(Part("variable", match[1] or match[2], quoted, place))
    elif match := _OTHER_VARIABLE.match(reader.text, reader.at):
        raise place.error(
            f"a variable is not understood here: {match[0]!r}", "variables are $NAME, ${NAME}, $! and $$; NAME=VALUE"
        )
    else:
        parts.text(reader.step(), quoted, place)


def _substitution(reader: _Reader, quoted: bool) -> Part:
    """``$(seq ...)``: no other command's output is known before the run."""
    place = reader.place
    error: InputError = place.error(
        "a command substitution is not understood here: '$('", "write the value itself; only $(seq 1 5) is known"
    )
    if reader.depth == DEEPEST:
        raise error
    reader.step(2)
    reader.depth += 1
    words: list[ShellWord] = []
    while _skip_blanks(reader) and not (operator := reader.operator() or "").startswith(")"):
        if operator:
            raise error
        words.append(_word(reader))
    reader.depth -= 1
    if reader.peek() != ")" or not words or words[0].text != "seq":
        raise error
    reader.step()
    return Part("output", "seq", quoted, place, tuple(words))
