"""The shell's words: quotes, comments, continued lines, operators, and what is to be expanded in them later.

What a real shell would understand and this one does not (here documents, ...) is named as what it is. In its place
stands a word that is "broken": the rest of the script is read all the same, so that all errors can be told at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cowpath.errors import Gathered, InputError
from cowpath.session.shell_word import OPERATORS, Part, ShellWord, Within, broken
from cowpath.words import Place

REDIRECTION = re.compile(r"&>>?|[0-9]*(?:<<<|<<-?|<&|<>|<|>>|>&|>\||>)")
UNKNOWN_OPERATORS = {
    "<<": ("a here document", "echo VALUE > FILE, a line each"),
    "<<-": ("a here document", "echo VALUE > FILE, a line each"),
    "((": ("arithmetic", "$((1 + 2)) is a value; for i in 1 2 3"),
    "|&": ("a pipe of both streams", "2>&1 |"),
    "<>": ("a file for reading and writing", "echo VALUE > FILE"),
}
BLANKS = " \t\r"
DEEPEST = 8  # $( within $(
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*|[!$?#@*0-9])|\{([A-Za-z_][A-Za-z0-9_]*|[!$?#@*]|[0-9]+)\})")
_LENGTH = re.compile(r"\$\{#([A-Za-z_][A-Za-z0-9_]*|[0-9]+)\}")
_CHANGED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*|[0-9]+)(:[-+=?]|[-+=?]|%%|%|##|#)")
_OTHER_VARIABLE = re.compile(r"\$(-|\{[^}\n]*\}?)")


@dataclass
class _Reader:
    text: str
    file: str
    errors: Gathered
    at: int = 0
    line: int = 1
    line_start: int = 0
    depth: int = 0  # of $(
    fixed: Place | None = None  # of a text that stands within one word of the script

    @property
    def place(self) -> Place:
        if self.fixed is not None:
            return Within(self.fixed.file, self.fixed.line, self.fixed.column, self.at)
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
        """The operator that stands here, if one does, but for one that redirects."""
        if self.peek(2) == "&>":
            return None
        return next((operator for operator in OPERATORS if self.text.startswith(operator, self.at)), None)

    def ends_a_word(self) -> bool:
        """A blank, an operator or the end of the text stands here."""
        c = self.peek()
        return not c or c in BLANKS or c in "<>" or self.peek(2) == "&>" or self.operator() is not None


def tokenise(text: str, file: str, errors: Gathered, fixed: Place | None = None) -> list[ShellWord]:
    """All words and operators of a script; what is not understood is an error, and a broken word.

    ``fixed`` is the place of all of them, where the text is a word of another script.
    """
    return _tokens(_Reader(text, file, errors, fixed=fixed))


def _tokens(reader: _Reader, until: str | None = None) -> list[ShellWord]:
    """The tokens to the end, or to the ``)`` that ends ``$(``."""
    tokens: list[ShellWord] = []
    open_brackets = 0
    while _skip_blanks(reader):
        place, operator = reader.place, reader.operator()
        if operator is None and (match := REDIRECTION.match(reader.text, reader.at)) is not None:
            operator = match[0]
        if operator is None:
            start = reader.at
            try:
                tokens.append(_word(reader))
            except InputError as error:  # where such a word ends is not known: not before the line does
                reader.errors.add(error)
                reader.step(len(reader.text[reader.at :].split("\n", 1)[0]))
                tokens.append(broken(reader.text[start : reader.at], place))
            continue
        if until is not None and operator == until and not open_brackets:
            return tokens
        open_brackets += (operator == "(") - (operator == ")")
        token = ShellWord(operator, place, operator=True)
        if operator in UNKNOWN_OPERATORS:
            what, hint = UNKNOWN_OPERATORS[operator]
            if place.line not in (error.line for error in reader.errors.found):  # the others of a line follow from it
                reader.errors.add(token.error(f"{what} is not understood here: {operator!r}", hint))
            token = broken(operator, place)
        tokens.append(token)
        reader.step(len(operator))
        if operator in ("<<", "<<-"):
            _without_document(reader)
    return tokens


def _without_document(reader: _Reader) -> None:
    """The lines of a here document, which are no commands, are taken out; the others keep their numbers."""
    match = re.compile(r"\s*['\"]?(\w+)['\"]?[^\n]*\n").match(reader.text, reader.at)
    if match is None:
        return
    end = re.compile(rf"^\t*{match[1]}$", re.MULTILINE).search(reader.text, match.end())
    stop = len(reader.text) if end is None else end.end()
    lines = "\n" * reader.text.count("\n", match.end(), stop)
    reader.text = reader.text[: match.end()] + lines + reader.text[stop:]


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
    while not reader.ends_a_word():
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
        elif c == "`":
            parts.found.append(_backticks(reader, quoted=False))
        else:
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
        elif c == "`":
            parts.found.append(_backticks(reader, quoted=True))
        else:
            parts.text(reader.step(), True, here)
    reader.step()


def _backticks(reader: _Reader, quoted: bool) -> Part:
    """The old way to write ``$(...)``; here without others of its kind within."""
    place, end = reader.place, reader.text.find("`", reader.at + 1)
    if end < 0:
        raise place.error("a quote is not closed: `", "$(...) is the newer way")
    inner = reader.step(end + 1 - reader.at)[1:-1]
    return Part("output", inner.split(" ")[0], quoted, place, tuple(tokenise(inner, reader.file, reader.errors, place)))


def _dollar(reader: _Reader, parts: _Parts, quoted: bool) -> None:
    """``$NAME``, ``${NAME}``, ``${NAME:-WORD}``, ``$!``, ``$$``, ``$(...)``, ``$((...))``; or only a dollar sign."""
    place = reader.place
    if reader.peek(3) == "$((":
        parts.found.append(_arithmetic(reader, quoted))
    elif reader.peek(2) == "$(":
        parts.found.append(_substitution(reader, quoted))
    elif match := _VARIABLE.match(reader.text, reader.at):
        reader.step(len(match[0]))
        parts.found.append(Part("variable", match[1] or match[2], quoted, place))
    elif match := _LENGTH.match(reader.text, reader.at):
        reader.step(len(match[0]))
        parts.found.append(Part("variable", match[1], quoted, place, operator="length"))
    elif match := _CHANGED.match(reader.text, reader.at):
        reader.step(len(match[0]))
        parts.found.append(Part("variable", match[1], quoted, place, (_behind(reader, place, quoted),), match[2]))
    elif match := _OTHER_VARIABLE.match(reader.text, reader.at):
        raise place.error(
            f"a variable is not understood here: {match[0]!r}",
            "variables are $NAME, ${NAME}, ${NAME:-WORD}, $1, $#, $@, $?, $! and $$",
        )
    else:
        parts.text(reader.step(), quoted, place)


def _behind(reader: _Reader, whole: Place, quoted: bool) -> ShellWord:
    """WORD of ``${NAME:-WORD}``, and the bracket behind it."""
    place, start, parts = reader.place, reader.at, _Parts()
    while (c := reader.peek()) != "}":
        here = reader.place
        if not c or c == "\n":
            raise whole.error("a bracket is not closed: ${", "a } ends it")
        if c == "$":
            _dollar(reader, parts, quoted)
        elif c == "'" and not quoted:
            parts.text(_single_quoted(reader), True, here)
        elif c == '"':
            _double_quoted(reader, parts)
        elif c == "\\":
            parts.text(reader.step(2)[1:], True, here)
        elif c == "`":
            parts.found.append(_backticks(reader, quoted))
        else:
            parts.text(reader.step(), quoted, here)
    word = ShellWord(reader.text[start : reader.at], place, parts=tuple(parts.found))
    reader.step()
    return word


def _arithmetic(reader: _Reader, quoted: bool) -> Part:
    """``$((EXPRESSION))``, in which variables and ``$(...)`` may stand as between double quotes."""
    place, parts, brackets = reader.place, _Parts(), 0
    reader.step(3)
    start = reader.at
    while brackets or reader.peek(2) != "))":
        c, here = reader.peek(), reader.place
        if not c or c == "\n":
            raise place.error("a bracket is not closed: $((", "$((1 + 2))")
        if c == "$":
            _dollar(reader, parts, quoted=True)
            continue
        brackets += (c == "(") - (c == ")")
        parts.text(reader.step(), True, here)
    word = ShellWord(reader.text[start : reader.at], place, parts=tuple(parts.found))
    reader.step(2)
    return Part("arithmetic", word.text, quoted, place, (word,))


def _substitution(reader: _Reader, quoted: bool) -> Part:
    """``$(...)``: which commands' output can be known shows the expansion."""
    place = reader.place
    if reader.depth == DEEPEST:
        raise place.error("a command substitution is not understood here: '$('", f"at most {DEEPEST} within each other")
    reader.step(2)
    reader.depth += 1
    words = _tokens(reader, until=")")
    reader.depth -= 1
    if reader.peek() != ")":
        raise place.error("a bracket is not closed: $(", "$(nproc)")
    reader.step()
    return Part("output", words[0].text if words else "", quoted, place, tuple(words))
