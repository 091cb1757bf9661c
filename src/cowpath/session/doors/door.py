"""Which files stand for a session, and the session that each stands for."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from cowpath.errors import Gathered, InputError
from cowpath.kinds import DOORS, kind_of
from cowpath.session.doors import compose, kubelet, pods, service, unit_file, variables
from cowpath.session.doors.around import Around
from cowpath.session.doors.included import ComposeFile
from cowpath.session.doors.written import Written
from cowpath.session.doors.yaml_text import Source, documents
from cowpath.words import Place, Word

UNIT = re.compile(r"^\[(Unit|Service)\][ \t]*$", re.MULTILINE)
YAML = re.compile(r"^(apiVersion|kind|services)[ \t]*:", re.MULTILINE)
JSON = re.compile(r"\s*\{\s*\"(apiVersion|kind|services)\"")  # as kubectl and docker compose print it
YAML_HINT = "a pod (apiVersion, kind, spec), or a compose file (services)"


def is_door(path: Path, text: str) -> bool:
    """By the file's ending; without one (standard input), by what it holds."""
    kind = kind_of(path, text)
    if JSON.match(text) and path.suffix in ("", ".json"):
        return True
    return kind in DOORS or (kind is None and not path.suffix and bool(UNIT.search(text) or YAML.search(text)))


def session_of(path: Path, text: str, shown: str, around: Around) -> Written:
    """The session that a file stands for. ``shown`` is its name in messages. Raises InputError for all that is wrong.

    A unit's drop-ins and slices are read from beside it, and what a compose file includes or extends.
    """
    written, errors = Written(), Gathered()
    if kind_of(path, text) == "a unit" or (not path.suffix and UNIT.search(text)):
        unit = unit_file.read_unit(path, text, shown, errors)
        service.write(unit, written, around, errors)
    else:
        _of_yaml(path, text, Source(shown, errors), written, around)
    errors.tell()
    written.finish(f"{shown} on a machine with cgroup {around.version}, by cowpath explain-limits")
    return written


def _of_yaml(path: Path, text: str, source: Source, written: Written, around: Around) -> None:
    """A pod, or several; or a compose file."""
    found = documents(text, source)
    if not found:
        raise InputError("there is nothing in it", file=source.file, hint=YAML_HINT)
    top = {key for value in found if value.is_mapping for key in value.mapping()}
    if top & {"services", "include"} and "kind" not in top:
        beside = variables.of_file(path.parent / ".env", source.errors) if path.suffix else {}
        known = {**beside, **around.environment}
        file = ComposeFile.of(source.file, source.errors, path.parent, known)
        compose.write(found, file, path, written, replace(around, environment=known))
        return
    if not top & {"kind", "apiVersion"}:
        raise found[0].error("neither a pod nor a compose file", YAML_HINT)
    read = pods.read_pods(found, written)
    if not read and not source.errors:
        word = Word("", Place(source.file, 1))
        raise word.error("nothing in it runs", f"one of {', '.join(pods.TEMPLATES)}")
    if not source.errors:
        kubelet.write(read, written, around)
