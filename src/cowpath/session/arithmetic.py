"""``$((EXPRESSION))``: whole numbers of 64 bits, with the operators of C that a shell has."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from cowpath.words import Place

TOKEN = re.compile(r"\s*(0[xX][0-9a-fA-F]+|[0-9]+|[A-Za-z_][A-Za-z0-9_]*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%()<>&|^~!?:])")
LEVELS = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", "<=", ">", ">="), ("<<", ">>"), ("+", "-"),
          ("*", "/", "%"))  # fmt: skip
MOST_TOKENS = 1000
DEEPEST = 50


def evaluate(text: str, variable: Callable[[str], str], place: Place) -> int:
    """The value of an expression. Raises InputError at ``place``."""
    return _Reader(_tokens(text, place), variable, place).whole()


def _tokens(text: str, place: Place) -> list[str]:
    found: list[str] = []
    at = 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if match is None or len(found) == MOST_TOKENS:
            raise place.error(f"this arithmetic is not understood: {text[at:].strip()!r}", "$((64 * 1024 + $N))")
        found.append(match[1])
        at = match.end()
    return found


@dataclass
class _Reader:
    tokens: list[str]
    variable: Callable[[str], str]
    place: Place
    at: int = 0
    depth: int = 0

    def next(self, *wanted: str) -> str | None:
        """Pass one of these, if it comes next."""
        if self.at < len(self.tokens) and self.tokens[self.at] in wanted:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def whole(self) -> int:
        value = self.choice() if self.tokens else 0
        if self.at < len(self.tokens):
            raise self.place.error(f"an operator is missing before {self.tokens[self.at]!r}", "$((1 + 2))")
        return value

    def choice(self) -> int:
        """``A ? B : C``."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.place.error("too many brackets within each other", f"at most {DEEPEST}")
        value = self.level(0)
        if self.next("?"):
            yes = self.choice()
            if not self.next(":"):
                raise self.place.error("':' is missing after '?'", "$((A ? B : C))")
            no = self.choice()
            value = yes if value else no
        self.depth -= 1
        return value

    def level(self, number: int) -> int:
        """Operators that bind alike, from left to right."""
        if number == len(LEVELS):
            return self.unary()
        value = self.level(number + 1)
        while (operator := self.next(*LEVELS[number])) is not None:
            value = self.applied(operator, value, self.level(number + 1))
        return value

    def applied(self, operator: str, a: int, b: int) -> int:
        if operator in "/%" and b == 0:
            raise self.place.error("a division by zero", "another number")
        if operator in ("<<", ">>") and not 0 <= b < 64:
            raise self.place.error(f"a shift by {b}", "0 to 63")
        results: dict[str, Callable[[], int]] = {
            "||": lambda: int(bool(a or b)), "&&": lambda: int(bool(a and b)), "|": lambda: a | b, "^": lambda: a ^ b,
            "&": lambda: a & b, "==": lambda: int(a == b), "!=": lambda: int(a != b), "<": lambda: int(a < b),
            "<=": lambda: int(a <= b), ">": lambda: int(a > b), ">=": lambda: int(a >= b), "<<": lambda: a << b,
            ">>": lambda: a >> b, "+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b,
            "/": lambda: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
            "%": lambda: abs(a) % abs(b) * (1 if a >= 0 else -1),
        }  # fmt: skip
        return _of_64_bits(results[operator]())

    def unary(self) -> int:
        """A number, a variable, a bracket, or ``-``, ``+``, ``!``, ``~`` before one."""
        sign = self.next("-", "+", "!", "~")
        if sign:
            self.depth += 1
            if self.depth > DEEPEST:
                raise self.place.error("too many signs", f"at most {DEEPEST}")
            value = self.unary()
            self.depth -= 1
            return _of_64_bits({"-": -value, "+": value, "!": int(not value), "~": ~value}[sign])
        if self.next("("):
            value = self.choice()
            if not self.next(")"):
                raise self.place.error("')' is missing", "$(((1 + 2) * 3))")
            return value
        if self.at == len(self.tokens) or re.match(r"\w", self.tokens[self.at]) is None:
            raise self.place.error("a number is missing in the arithmetic", "$((1 + 2))")
        token = self.tokens[self.at]
        self.at += 1
        return self.number(token if token[0].isdigit() else self.variable(token).strip() or "0")

    def number(self, text: str) -> int:
        """Decimal, 0x hexadecimal or 0 octal, as in C."""
        if re.fullmatch(r"[-+]?(0[xX][0-9a-fA-F]{1,16}|0[0-7]{0,22}|[1-9][0-9]{0,18})", text) is None:
            raise self.place.error(f"{text!r} is not a whole number", "$((1 + 2))")
        digits = text.lstrip("+-")
        base = 16 if digits[:2].lower() == "0x" else 8 if digits[0] == "0" else 10
        return _of_64_bits(int(digits, base) * (-1 if text[0] == "-" else 1))


def _of_64_bits(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)
