"""The guide's pages: those of ``docs/`` in the repository, which a wheel carries too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cowpath import shipped
from cowpath.errors import InputError
from cowpath.words import nearest

FRONT = "index"  # the page that says which there are
SECTION = re.compile(r"^## (.+)\n((?:(?!## ).*\n?)*)", re.MULTILINE)
LINK = re.compile(r"^- \[([^]]*)\]\((\w[\w-]*)\.md\)(?:: (.*))?$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """A page as the front page names it."""

    name: str  # check, of check.md
    title: str
    about: str


def contents(front: str) -> dict[str, list[Page]]:
    """The sections of the front page, each with its pages in order."""
    return {caption: [Page(name, title, about) for title, name, about in LINK.findall(section)]
            for caption, section in SECTION.findall(front)}  # fmt: skip


def text_of(name: str) -> str:
    """A page's text, in Markdown, by its name or by a link to it (``check``, ``docs/check.md``, ``check.md#what``).

    Raises InputError for a name that is no page's, and where none were shipped.
    """
    folder = shipped.folder("docs", f"{FRONT}.md")
    if folder is None:
        raise InputError("the guide is not here: it was not installed", hint="from a wheel or the repository it is")
    known = sorted(each.stem for each in folder.glob("*.md"))
    file = Path(name.partition("#")[0])
    bare = file.name.removesuffix(".md") if file.parent in (Path(), Path("docs")) else name
    if bare not in known:
        raise InputError(f"no such page: {name!r}", hint=nearest(bare, known, "cowpath guide lists them"))
    return (folder / f"{bare}.md").read_text(encoding="utf-8")
