"""Lessons: TOML files with a text and questions. Packaged ones have numbers; one's own is a file. docs/lessons.md."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from cowpath import cases, designs
from cowpath.cases import Case
from cowpath.checker.properties import names as property_names
from cowpath.designs import Design
from cowpath.errors import InputError
from cowpath.kernels import DEFAULT
from cowpath.kernels.tables import check_keys, near, parse
from cowpath.words import nearest, read_text

from .kinds import Finish, Next, Safe, Waits
from .question import ASLEEP, FIRST_FORK, LAST_FORK, START, VIOLATED_NOW, Question, Where

TEXTS = ("title", "aim", "text", "case", "design", "property")
KEYS = (*TEXTS, "minutes", "questions")
MOMENTS = (START, VIOLATED_NOW, FIRST_FORK, LAST_FORK, f"{ASLEEP} TASK")
HEAD = ("kind", "ask", "case", "design", "property")
KINDS = {  # what a question of each kind may say, beside HEAD
    "next": ("moment",),
    "waits": ("moment", "task"),
    "finish": ("moment", "task"),
    "safe": ("cases", "designs", "properties", "steps"),
}
LISTS = ("cases", "designs", "properties")


@dataclass(frozen=True)
class Lesson:
    """A short text and the questions that go with it."""

    number: int  #: From 1; 0: it is somebody's own.
    source: str
    title: str
    aim: str
    minutes: int
    text: str
    questions: tuple[Question, ...]


def names() -> list[str]:
    """The packaged lessons' files, in their order: ``1-page-lock.toml``."""
    folder = resources.files("cowpath") / "lessons"
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load(name: str) -> Lesson:
    """A packaged lesson by its number, or one's own by its file. Raises InputError."""
    known = names()
    if name in map(str, range(1, len(known) + 1)):
        entry = resources.files("cowpath") / "lessons" / known[int(name) - 1]
        return read(entry.read_text(encoding="utf-8"), entry.name, int(name))
    if name.endswith(".toml"):
        return read(read_text(Path(name)), name)
    raise InputError(f"no lesson {name!r}", hint=f"1 to {len(known)}: cowpath lesson; a file of your own ends in .toml")


def read(text: str, source: str, number: int = 0) -> Lesson:
    """A lesson from the text of its file. Raises InputError that names the file and the key."""
    data = parse(text, source)
    check_keys(data, KEYS, TEXTS, source)
    for key in ("title", "text", "questions"):
        if not data.get(key):
            raise InputError(f"{key} is missing", file=source)
    tables = data["questions"]
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise InputError("questions must be tables", file=source, hint="[[questions]]")
    minutes = data.get("minutes", 10)
    if not isinstance(minutes, int) or isinstance(minutes, bool) or minutes < 1:
        raise InputError(f"minutes = {minutes!r}", file=source, hint="a whole number")
    common = {key: data[key] for key in ("case", "design", "property") if key in data}
    questions = tuple(_question(common | table, at, source) for at, table in enumerate(tables, 1))
    return Lesson(number, source, data["title"], data.get("aim", ""), minutes, data["text"].strip(), questions)


def _question(table: dict[str, Any], number: int, source: str) -> Question:
    try:
        return _of_kind(table, source)
    except InputError as error:
        raise InputError(f"question {number}: {error.problem}", file=error.file or source, hint=error.hint) from None


def _of_kind(table: dict[str, Any], source: str) -> Question:
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"kind = {kind!r}", hint=nearest(str(kind), KINDS, "one of: " + ", ".join(KINDS)))
    own = KINDS[kind]
    check_keys(table, (*HEAD, *own), tuple(key for key in (*HEAD, *own) if key not in (*LISTS, "steps")), source)
    ask = table.get("ask", "")
    if kind == "safe":
        return _safe(table, ask, source)
    where = Where(cases.load(table.get("case", "commit")), designs.load(table.get("design", DEFAULT)),
                  _property(table.get("property", "isolation")), _moment(table.get("moment", LAST_FORK)))  # fmt: skip
    if kind == "next":
        return Next(where, ask)
    if "task" not in table:
        raise InputError("task is missing", hint="whom the question is about")
    return (Waits if kind == "waits" else Finish)(where, ask, table["task"])


def _moment(word: str) -> str:
    if word not in MOMENTS and not word.startswith(ASLEEP + " "):
        raise InputError(f"moment = {word!r}", hint=nearest(word, MOMENTS, "one of: " + ", ".join(MOMENTS)))
    return word


def _property(name: Any) -> str:
    if name not in property_names():
        raise InputError(f"no property {name!r}", hint=near(str(name), property_names()))
    return str(name)


def _safe(table: dict[str, Any], ask: str, source: str) -> Safe:
    found = {key: table.get(key, []) for key in LISTS}
    for key, value in found.items():
        if not isinstance(value, list):
            raise InputError(f"{key} = {value!r}", hint="a list")
    if len(found["designs"]) < 2:
        raise InputError(
            "designs must be two at least", hint=f'["{DEFAULT}", "preallocate"], or tables as a design\'s file has them'
        )
    steps = table.get("steps", True)
    if not isinstance(steps, bool):
        raise InputError(f"steps = {steps!r}", hint="true or false")
    named = found["cases"] or [table.get("case", "commit")]
    properties = found["properties"] or [table.get("property", "isolation")]
    return Safe(tuple(_case(name) for name in named), tuple(_design(each, source) for each in found["designs"]),
                tuple(_property(name) for name in properties), ask, steps)  # fmt: skip


def _case(name: Any) -> Case:
    if not isinstance(name, str):
        raise InputError(f"cases: {name!r}", hint="a case's name")
    return cases.load(name)


def _design(value: Any, source: str) -> Design:
    """A design by its name, or a table as a design's file has it."""
    if isinstance(value, str):
        return designs.load(value)
    if not isinstance(value, dict) or "name" not in value:
        raise InputError(f"designs: {value!r}", hint="a design's name, or a table with name")
    return designs.from_data(value, source, Path(source).parent)
