"""The guide's pages as what can be run: commands with their output, files, Python.

The conventions. In a ``console`` block a line ``$ COMMAND`` is a command (``\\`` at its end continues it); what follows
is what it prints, where a line ``...`` stands for any text. ``# ... status N`` behind a command says with what it ends.
A block whose first line is ``# NAME.suffix`` is a file of that name, for the page's later commands. All other
``python`` blocks are run; ``print(...)  # TEXT`` says what is printed. A block that begins with the path of a file of
this repository is a quote from it.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")))
FENCE = re.compile(r"^( *)```(\S*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w[\w-]*\.\w+)\n")
STATUS = re.compile(r"status (\d+)")
PRINTS = re.compile(r"^print\(.*\)  # (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The name of the file that the block is, if it is one."""
        named = FILE.match(self.text)
        return named[1] if named and self.language != "console" else None


@dataclass(frozen=True)
class Command:
    """A command that a page shows."""

    words: tuple[str, ...]
    status: int
    output: str

    @property
    def text(self) -> str:
        """The command on one line."""
        return shlex.join(self.words)


@cache
def blocks(page: str) -> list[Block]:
    """All blocks of a page, in its order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [Block(language, text) for _, language, text in FENCE.findall(text)]


def commands(block: Block) -> list[Command]:
    """The commands of a ``console`` block."""
    lines = block.text.replace("\\\n", " ").splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("$ ")]
    found = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        words = shlex.split(lines[start][2:], comments=True)
        said = STATUS.search(lines[start].partition(" # ")[2])
        output = "\n".join(lines[start + 1 : end])
        found.append(Command(tuple(words), int(said[1]) if said else 0, output))
    return found


def commands_of(page: str) -> list[Command]:
    """All commands of a page, in its order."""
    return [command for block in blocks(page) if block.language == "console" for command in commands(block)]


def python(page: str) -> str:
    """The page's Python, as one program."""
    return "\n".join(b.text for b in blocks(page) if b.language == "python" and b.file is None and not is_quote(b))


def is_quote(block: Block) -> bool:
    """A quote from a file of this repository: its first line is the file's path."""
    first = block.text.partition("\n")[0]
    return first.startswith("# ") and (ROOT / first[2:]).is_file()


def missing(shown: str, printed: str) -> str | None:
    """The first part of what a page shows that is not printed, in its turn; lines may be broken in other places."""
    rest = " ".join(printed.split())
    for part in re.split(r"(?<!\S)\.\.\.(?!\S)", shown):
        wanted = " ".join(part.split())
        before, found, rest = rest.partition(wanted) if wanted else ("", "", rest)
        if wanted and not found:
            return f"{wanted}\n--- is not printed, but\n{before}"
    return None
