"""The shell's words: quotes, comments, continued lines, operators.

What a real shell would understand and this one does not (pipes, variables, loops, ...) is named as what it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cowpath.words import Place, Word

OPERATORS = ("&&", "||", ">>", "<<", "&", ";", "|", ">", "<", "(", ")", "\n")
UNKNOWN_OPERATORS = {
    "||": ("'||' (or else)", "use && or ; or a line for each command"),
    "|": ("a pipe", "run the commands one by one"),
    "<": ("a redirected input", "only echo VALUE > FILE of a cgroup is redirected"),
    "<<": ("a here document", "only echo VALUE > FILE of a cgroup is redirected"),
    "(": ("a subshell", "write the commands without parentheses"),
    ")": ("a subshell", "write the commands without parentheses"),
}
KEYWORDS = {
    "while": "a loop", "until": "a loop", "for": "a loop", "do": "a loop", "done": "a loop", "select": "a loop",
    "if": "a condition", "then": "a condition", "else": "a condition", "elif": "a condition", "fi": "a condition",
    "case": "a condition", "esac": "a condition", "[": "a condition", "[[": "a condition", "test": "a condition",
    "function": "a function", "{": "a block", "}": "a block", "!": "a negation",
}  # fmt: skip
LOOP_HINT = "loops belong into a written program: see docs/sessions.md"
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]|\{[^}\n]*\}|\()")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class ShellWord(Word):
    """A word of the script. ``variable`` is set where the whole word is ``$!`` ("!") or ``$NAME`` ("NAME")."""

    variable: str | None = None
    operator: bool = False
    quoted: bool = False


@dataclass
class _Reader:
    text: str
    file: str
    at: int = 0
    line: int = 1
    line_start: int = 0
    tokens: list[ShellWord] = field(default_factory=list)

    @property
    def place(self) -> Place:
        return Place(self.file, self.line, self.at - self.line_start + 1)

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            if self.peek() == "\n":
                self.line += 1
                self.line_start = self.at + 1
            self.at += 1


def tokenise(text: str, file: str) -> list[ShellWord]:
    """All words and operators of a script. Raises InputError for what is not understood."""
    reader = _Reader(text, file)
    while reader.at < len(text):
        if reader.peek(2) == "\\\n":
            reader.step(2)
        elif reader.peek() in " \t\r":
            reader.step()
        elif reader.peek() == "#":
            reader.step(len(text[reader.at :].split("\n", 1)[0]))
        elif not _operator(reader):
            reader.tokens.append(_word(reader))
    return reader.tokens


def _operator(reader: _Reader) -> bool:
    """Read an operator if there is one here."""
    for operator in OPERATORS:
        if reader.text.startswith(operator, reader.at):
            word = ShellWord(operator, reader.place, operator=True)
            if operator in UNKNOWN_OPERATORS:
                what, hint = UNKNOWN_OPERATORS[operator]
                raise word.error(f"{what} is not understood here: {operator!r}", hint)
            reader.tokens.append(word)
            reader.step(len(operator))
            return True
    return False


def _word(reader: _Reader) -> ShellWord:
    """Read a word up to a blank or an operator."""
    place, start = reader.place, reader.at
    parts: list[str] = []
    variable: str | None = None
    quoted = False
    while reader.at < len(reader.text):
        c = reader.peek()
        if c in " \t\r" or any(reader.text.startswith(o, reader.at) for o in OPERATORS):
            break
        if reader.peek(2) == "\\\n":
            reader.step(2)
        elif c == "\\":
            parts.append(reader.peek(2)[1:])
            quoted = True
            reader.step(2)
        elif c == "'":
            parts.append(_single_quoted(reader))
            quoted = True
        elif c == '"':
            parts.append(_double_quoted(reader))
            quoted = True
        elif c == "`":
            raise reader.place.error("a command substitution is not understood here: '`'", "write the value itself")
        else:
            parts.append(c)
            reader.step()
    raw = reader.text[start : reader.at]
    variable = _variable(raw, place, quoted)
    return ShellWord("".join(parts), place, variable=variable, quoted=quoted)


def _single_quoted(reader: _Reader) -> str:
    place = reader.place
    end = reader.text.find("'", reader.at + 1)
    if end < 0:
        raise place.error("a quote is not closed: '", "a second ' ends it")
    inside = reader.text[reader.at + 1 : end]
    reader.step(end + 1 - reader.at)
    return inside


def _double_quoted(reader: _Reader) -> str:
    place = reader.place
    parts: list[str] = []
    reader.step()
    while (c := reader.peek()) != '"':
        if not c:
            raise place.error('a quote is not closed: "', 'a second " ends it')
        if c == "`":
            raise reader.place.error("a command substitution is not understood here: '`'", "write the value itself")
        if c == "\\" and reader.peek(2)[1:] in ('"', "\\", "$", "`", "\n"):
            parts.append(reader.peek(2)[1:].replace("\n", ""))
            reader.step(2)
        else:
            parts.append(c)
            reader.step()
    reader.step()
    return "".join(parts)


def _variable(raw: str, place: Place, quoted: bool) -> str | None:
    """``$!`` or ``$NAME`` if that is all of the word; another variable is an error."""
    bare = re.sub(r"'[^']*'|\\.", lambda m: " " * len(m[0]), raw)  # no variables within single quotes
    match = _VARIABLE.search(bare)
    if match is None:
        return None
    whole = raw[1:-1] if quoted and raw[0] == raw[-1] == '"' else raw
    name = match[1].strip("{}")
    if whole == match[0] and (name == "!" or _NAME.fullmatch(name)):
        return name
    if _assignment(raw):
        return None  # NAME=$!: the parser takes it
    at = place.after(match.start())
    if match[1] == "(":
        raise at.error("a command substitution is not understood here: '$('", "write the value itself")
    if match[0] == "$$":
        raise at.error("the shell itself cannot be moved or named yet: '$$'", "cgexec -g memory:A COMMAND starts in A")
    raise at.error(
        f"a variable is not understood here: {match[0]!r}", "only $! and NAME=$! are known, as the word of wait or kill"
    )


def _assignment(raw: str) -> bool:
    return re.fullmatch(r'[A-Za-z_][A-Za-z0-9_]*="?\$!"?', raw) is not None
