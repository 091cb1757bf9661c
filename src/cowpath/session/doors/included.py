"""The services of a compose file, with those of the files that it includes (compose-spec: include.md, services.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cowpath.errors import Gathered, InputError
from cowpath.session.doors import variables
from cowpath.session.doors.yaml_text import Source, Value, documents
from cowpath.words import Word, nearest, read_text

TOP = ("services", "version", "name", "networks", "volumes", "configs", "secrets", "include", "models")
ELSEWHERE = re.compile(r"[a-z]+://|git@|oci:", re.IGNORECASE)
DEEPEST = 20  # files that include each other


@dataclass(frozen=True)
class ComposeFile(Source):
    """Where a value stands: also the folder that relative paths begin at, and the variables of ``${NAME}``."""

    folder: Path = Path()
    variables: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(file: str, errors: Gathered, folder: Path, known: Mapping[str, str]) -> ComposeFile:
        """One whose texts are expanded with these variables."""
        return ComposeFile(file, errors, lambda word: variables.expanded(word, known), folder, known)


def services_of(top: Value, source: ComposeFile, above: tuple[Path, ...]) -> dict[str, Value]:
    """All services by their names. ``above``: the files that include this one, and itself. What is wrong is put by."""
    keys = Value(top.node, source, top.key).mapping()
    for name, value in keys.items():
        if name not in TOP and not name.startswith("x-"):
            source.errors.add(value.key.error(f"unknown key {name!r}", nearest(name, TOP, "x-NAME is your own")))
    found = keys["services"].mapping() if "services" in keys else {}
    for each in keys["include"].items() if "include" in keys else ():
        with source.errors.kept():
            for name, value in _included(each, source, above).items():
                if name in found:
                    raise each.error(f"include: there is a service {name!r} already", "another name for one of them")
                found[name] = value
    return found


def services_in(word: Word, source: Source) -> dict[str, Value]:
    """The services of the file that a word of a compose file names, without those that it includes: to be extended."""
    assert isinstance(source, ComposeFile)
    path = file_at(word, source)
    other = ComposeFile.of(str(path), source.errors, path.parent, source.variables)
    keys = Value(top_of(path, other).node, other, word).mapping()
    return keys["services"].mapping() if "services" in keys else {}


def file_at(word: Word, source: ComposeFile) -> Path:
    """The file that a word of a compose file names. Raises InputError where there is none."""
    if ELSEWHERE.match(word.text):
        raise word.error(f"not read from elsewhere: {word.text!r}", "a file of this machine")
    path = source.folder / word.text
    if not path.is_file():
        raise word.error(f"no such file: {path}", "a path that begins in the folder of this file")
    return path


def top_of(path: Path, source: Source) -> Value:
    """The one document of a file. Raises InputError."""
    found = documents(read_text(path), source)
    if len(found) != 1:
        raise InputError("not one document in it", file=source.file, hint="services: {app: {image: app}}")
    return found[0]


def _included(each: Value, source: ComposeFile, above: tuple[Path, ...]) -> dict[str, Value]:
    """The services of one entry of ``include``."""
    parts = each.mapping(("path", "project_directory", "env_file")) if each.is_mapping else {"path": each}
    if "path" not in parts:
        raise each.error("include: no path", "include: [{path: other.yaml}]")
    words = _texts(parts["path"])
    if len(words) != 1:
        raise parts["path"].error("include: files that override each other are not read", "one path an entry")
    path = file_at(words[0], source)
    if path.resolve() in above or len(above) > DEEPEST:
        raise words[0].error(f"{path} includes itself", "another file")
    folder = path.parent
    if "project_directory" in parts:
        folder = source.folder / parts["project_directory"].word().text
    files = [file_at(word, source) for word in _texts(parts["env_file"])] if "env_file" in parts else [folder / ".env"]
    known = dict(_pairs(files, source.errors)) | dict(source.variables)
    inner = ComposeFile.of(str(path), source.errors, folder, known)
    return services_of(top_of(path, inner), inner, (*above, path.resolve()))


def _texts(value: Value) -> list[Word]:
    """A text, or a list of them."""
    return value.texts() if value.is_list else [value.word()]


def _pairs(files: list[Path], errors: Gathered) -> Iterator[tuple[str, str]]:
    """Their variables; of two with one name the later one counts."""
    for file in files:
        yield from variables.of_file(file, errors).items()
