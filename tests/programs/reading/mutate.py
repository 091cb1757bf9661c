"""Copies of a text with something wrong in them, by a seed."""

from __future__ import annotations

import random


def mutated(content: bytes, seed: int) -> bytes:
    """A copy with a few bytes changed, lines dropped, doubled or swapped, rubbish put in, or its end cut off."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 3)):
        content = chance.choice(WAYS)(content, chance)
    return content


def truncated(content: bytes, seed: int) -> bytes:
    """Its beginning: it ends anywhere but at a line's end."""
    chance = random.Random(seed)
    places = [at for at in (chance.randrange(1, len(content)) for _ in range(100)) if content[at - 1 : at] != b"\n"]
    return content[: places[0]]


def _flip(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 200)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _digits(content: bytes, chance: random.Random) -> bytes:
    """Other digits in some places: numbers stay numbers."""
    changed = bytearray(content)
    for _ in range(200):
        at = chance.randrange(len(changed))
        if chr(changed[at]).isdigit():
            changed[at] = ord(chance.choice("0123456789"))
    return bytes(changed)


def _lines(content: bytes, chance: random.Random) -> bytes:
    """Lines dropped, doubled, moved, glued to the next, made very long."""
    lines = content.splitlines(keepends=True)
    for _ in range(chance.randint(1, 20)):
        at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
        way = chance.randrange(5)
        if way == 0 and len(lines) > 1:
            del lines[at]
        elif way == 1:
            lines.insert(to, lines[at])
        elif way == 2:
            lines[at], lines[to] = lines[to], lines[at]
        elif way == 3:
            lines[at] = lines[at].rstrip(b"\n")
        else:
            lines[at] = lines[at].rstrip(b"\n") + b"9" * 1000 + b"\n"
    return b"".join(lines)


def _rubbish(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + chance.randbytes(chance.randint(1, 5000)) + content[at:]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, len(content) + 1)] or b"?"


WAYS = (_flip, _digits, _lines, _rubbish, _cut)
