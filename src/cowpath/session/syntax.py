"""The shape of a script: commands, loops, conditions and blocks, with newlines, ``;``, ``&``, ``&&`` and ``||``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from cowpath.errors import Gathered, InputError
from cowpath.session.shell_word import ShellWord
from cowpath.session.simple_command import (
    CASE,
    CONDITION,
    DEEPEST,
    DEEPEST_BLOCKS,
    FUNCTION,
    INNER,
    LOOP,
    NAME,
    STOPS,
    TokenReader,
)
from cowpath.session.tokens import tokenise
from cowpath.session.tree import (
    Block,
    Case,
    Command,
    For,
    Function,
    If,
    Joined,
    Piped,
    Redirect,
    Redirects,
    Script,
    While,
)
from cowpath.words import Place


def read_script(text: str, file: str, errors: Gathered | None = None, fixed: Place | None = None) -> Script:
    """The script's commands in order. What is not understood is put by in ``errors``; without it, InputError is raised.

    A line that is not understood is passed over; a broken command, which names what was lost, stands in its place.
    ``fixed`` is the place of all words, where the text is itself a word of a script (``sh -c TEXT``).
    """
    gathered = Gathered() if errors is None else errors
    script = read_tokens(tokenise(text, file, gathered, fixed), gathered)
    if errors is None:
        gathered.tell()
    return script


def read_tokens(tokens: list[ShellWord], errors: Gathered) -> Script:
    """The commands that these tokens are."""
    reader = _Reader(tokens, errors)
    script = reader.script()
    while (rest := reader.peek()) is not None:
        errors.add(reader.unpaired(rest, *INNER[rest.text]))
        reader.at += 1
        script += reader.script()
    return script


@dataclass
class _Reader(TokenReader):
    """Reads tokens from the first to the last; each method reads what its name says."""

    # --- lists

    def script(self) -> Script:
        """Commands up to a word that ends something around them, or to the end."""
        found: list[Joined] = []
        while True:
            self.skip_lines()
            if self.peek() is None or self.is_word(*STOPS) or self.is_operator(")", ";;"):
                return tuple(found)
            start, depths = self.at, (self.loops, self.blocks)
            try:
                found.append(self.joined())
            except InputError as error:
                self.errors.add(error)
                found.append(self.pass_over(start, depths))
            if not found[-1].background:
                self.skip(";", "\n")

    def joined(self) -> Joined:
        """A command, or several with ``&&`` or ``||`` between them."""
        commands = [self.piped()]
        operators: list[str] = []
        while (operator := self.skip("&&", "||")) is not None:
            self.followed(operator, commands[-1])
            operators.append(operator.text)
            commands.append(self.piped())
        return Joined(tuple(commands), tuple(operators), self.skip("&") is not None)

    def followed(self, operator: ShellWord, before: Command) -> None:
        """A command follows, perhaps in the next line."""
        self.skip_lines()
        if self.peek() is None:
            problem = f"{operator.text!r} without a command after it"
            raise before.word.error(problem, "a command on either side")

    def piped(self) -> Command:
        """A command, or several with ``|`` between them; ``!`` before it."""
        word = self.peek()
        assert word is not None
        negated = False
        while self.is_word("!"):
            negated = not negated
            self.at += 1
            if self.peek() is None or self.is_operator("\n", ";"):
                raise self.wrong(word, "a command is missing after '!'", "! COMMAND")
        commands, pipes = [self.command()], []
        while (pipe := self.skip("|")) is not None:
            self.followed(pipe, commands[-1])
            pipes.append(pipe)
            commands.append(self.command())
        return Piped(word, tuple(commands), tuple(pipes), negated) if pipes or negated else commands[0]

    def command(self) -> Command:
        """A command of any kind."""
        token = self.peek()
        assert token is not None
        if token.operator and not token.redirects and token.text != "(":
            raise self.wrong(token, f"no command before {token.text!r}", "a command, then ;, &, && or ||")
        kinds: dict[str, Callable[[ShellWord], Command]] = {
            "while": self.while_, "until": self.while_, "for": self.for_, "if": self.if_, "case": self.case_,
            "{": self.block, "(": self.block, "function": self.function,
        }  # fmt: skip
        if token.text not in kinds or (token.operator and token.text != "("):
            named = not token.operator and FUNCTION.fullmatch(token.text) is not None
            return self.function(token) if named and self.is_operator("(", ahead=1) else self.simple()
        self.at += 1
        loop = token.text in ("while", "until", "for")
        if loop and self.loops == DEEPEST:
            raise self.wrong(token, f"more than {DEEPEST} loops within each other", f"at most {DEEPEST}")
        if self.blocks == DEEPEST_BLOCKS:
            raise self.wrong(token, f"more than {DEEPEST_BLOCKS} blocks within each other", f"at most {DEEPEST_BLOCKS}")
        self.loops, self.blocks = self.loops + loop, self.blocks + 1
        found = kinds[token.text](token)
        self.loops, self.blocks = self.loops - loop, self.blocks - 1
        return found if isinstance(found, Function) else replace(found, redirects=self.behind(token))

    def behind(self, word: ShellWord) -> Redirects:
        """What may follow the end of a block: redirections, then an operator."""
        redirects: list[Redirect] = []
        while (token := self.peek()) is not None and token.redirects:
            redirects += self.redirection()
        if token is None or token.operator or self.is_word(*STOPS):
            return tuple(redirects)
        end = self.tokens[self.at - 1].text
        hint = {"(": "( ... )", "{": "{ ...; }", "if": CONDITION, "case": CASE}.get(word.text, LOOP)
        raise self.wrong(token, f"';' or a new line is missing after {end!r}: {token.text!r}", hint)

    # --- loops, conditions and blocks

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
        if name is None or NAME.fullmatch(name.text) is None:
            raise self.wrong(name or word, "a variable's name is missing after 'for'", example)
        self.at += 1
        items: list[ShellWord] | None = None
        if self.is_word("in"):
            self.at += 1
            items = []
            while (token := self.peek()) is not None and not token.operator:
                items.append(token)
                self.at += 1
            if self.skip(";", "\n") is None:
                raise self.wrong(token or word, "';' or a new line is missing after the words of 'for'", example)
        else:
            self.skip(";")
        self.skip_lines()
        return For(word, name.text, None if items is None else tuple(items), self.body(word))

    def body(self, word: ShellWord) -> Script:
        """``do ... done``."""
        if not self.is_word("do"):
            raise self.unpaired(self.peek() or word, f"'do' is missing after {word.text!r}", LOOP)
        do = self.peek()
        assert do is not None
        self.at += 1
        body = self.script()
        if not self.is_word("done"):
            raise self.unpaired(self.peek() or word, f"'done' is missing: {word.text!r} has no end", LOOP)
        if not body:
            raise self.wrong(do, "no command between 'do' and 'done'", "while true; do sleep 1; done")
        self.at += 1
        return body

    def if_(self, word: ShellWord) -> If:
        """What follows ``if``."""
        branches: list[tuple[Script, Script]] = []
        before = word
        while before.text != "else":
            condition = self.script()
            if not condition:
                raise self.wrong(before, f"a condition is missing after {before.text!r}", CONDITION)
            if not self.is_word("then"):
                raise self.unpaired(self.peek() or word, f"'then' is missing after {before.text!r}", CONDITION)
            self.at += 1
            branches.append((condition, self.script()))
            if not self.is_word("elif", "else"):
                break
            before = self.tokens[self.at]
            self.at += 1
        if before.text == "else":
            branches.append(((), self.script()))
        if not self.is_word("fi"):
            raise self.unpaired(self.peek() or word, "'fi' is missing: 'if' has no end", CONDITION)
        self.at += 1
        return If(word, tuple(branches))

    def case_(self, word: ShellWord) -> Case:
        """What follows ``case``."""
        subject = self.peek()
        if subject is None or subject.operator:
            raise self.wrong(word, "a word is missing after 'case'", CASE)
        self.at += 1
        self.skip_lines()
        if not self.is_word("in"):
            raise self.wrong(word, f"'in' is missing after 'case {subject.text}'", CASE)
        self.at += 1
        self.skip_lines()
        branches: list[tuple[tuple[ShellWord, ...], Script]] = []
        while not self.is_word("esac"):
            self.skip("(")
            patterns: list[ShellWord] = []
            while (token := self.peek()) is not None and not token.operator:
                patterns.append(token)
                self.at += 1
                if self.skip("|") is None:
                    break
            if not patterns or self.skip(")") is None:
                raise self.unpaired(self.peek() or word, "a pattern and ')' are missing in 'case'", CASE)
            branches.append((tuple(patterns), self.script()))
            if self.skip(";;") is None and not self.is_word("esac"):
                raise self.unpaired(self.peek() or word, "'esac' is missing: 'case' has no end", CASE)
            self.skip_lines()
        self.at += 1
        return Case(word, subject, tuple(branches))

    def block(self, word: ShellWord) -> Block:
        """What follows ``{`` or ``(``."""
        end, body = {"{": "}", "(": ")"}[word.text], self.script()
        if not (self.is_operator(")") if end == ")" else self.is_word("}")):
            raise self.unpaired(
                self.peek() or word, f"{end!r} is missing: {word.text!r} has no end", f"a {end} ends it"
            )
        if not body:
            raise self.wrong(word, f"no command between {word.text!r} and {end!r}", "true does nothing")
        self.at += 1
        return Block(word, body, word.text == "(")

    def function(self, word: ShellWord) -> Function:
        """``NAME() BODY``, or what follows ``function``."""
        name = word if word.text != "function" else self.peek()
        if name is None or name.operator or FUNCTION.fullmatch(name.text) is None:
            raise self.wrong(word, "a name is missing after 'function'", "function f { ...; }")
        self.at += 1
        if self.skip("(") is not None and self.skip(")") is None:
            raise self.wrong(name, f"')' is missing after '{name.text}('", "f() { ...; }")
        self.skip_lines()
        token = self.peek()
        if token is None or token.text not in ("{", "(", "if", "for", "while", "until", "case"):
            raise self.wrong(token or name, f"'{{' is missing after '{name.text}()'", "f() { ...; }")
        return Function(name, name.text, self.command())
