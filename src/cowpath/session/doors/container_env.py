"""The environment of a compose file's service: what a script that its container runs may ask for."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from cowpath.session.doors import variables
from cowpath.session.doors.included import ComposeFile, file_at
from cowpath.session.doors.yaml_text import Value
from cowpath.session.sh_c import is_shell
from cowpath.words import Word

ASKED = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


def with_environment(words: list[Word], layers: Sequence[Mapping[str, Value]]) -> list[Word]:
    """The words of a command; a script of ``sh -c`` begins with the variables that it asks for.

    ``layers``: the service's own keys, then those of what it extends. Raises InputError.
    """
    known: dict[str, str] = {}
    for layer in reversed(layers):
        for key, read in (("env_file", _of_files), ("environment", _written)):
            if key in layer and not layer[key].is_null:
                known |= read(layer[key])
    if not words or not is_shell(tuple(words)):
        return words
    at = next((at for at, word in enumerate(words) if at and not word.text.startswith("-")), None)
    if at is None:
        return words
    script = words[at]
    asked = [name for name in dict.fromkeys(ASKED.findall(script.text)) if name in known]
    sets = "".join(f"{name}={shlex.quote(known[name])}; " for name in asked)
    return [*words[:at], Word(sets + script.text, script.place), *words[at + 1 :]]


def _written(value: Value) -> dict[str, str]:
    """``environment``: a mapping, or a list of NAME=VALUE. Without a value it is the caller's, if he has one."""
    if value.is_mapping:
        pairs = [(name, None if each.is_null else each.word().text) for name, each in value.mapping().items()]
    else:
        parts = [word.text.partition("=") for word in value.texts()]
        pairs = [(name, text if equals else None) for name, equals, text in parts]
    outside = _file_of(value).variables
    found = {name: outside.get(name) if text is None else text for name, text in pairs}
    return {name: text for name, text in found.items() if text is not None}


def _of_files(value: Value) -> dict[str, str]:
    """``env_file``: a file, or a list of them, each by its name or as {path, required, format}."""
    found: dict[str, str] = {}
    for each in value.items() if value.is_list else [value]:
        parts = each.mapping(("path", "required", "format")) if each.is_mapping else {"path": each}
        if "path" not in parts:
            raise each.error("env_file: no path", "env_file: [{path: app.env}]")
        word, source = parts["path"].word(), _file_of(value)
        optional = "required" in parts and not parts["required"].truth()
        if not optional or (source.folder / word.text).is_file():
            found |= variables.of_file(file_at(word, source), source.errors)
    return found


def _file_of(value: Value) -> ComposeFile:
    assert isinstance(value.source, ComposeFile)
    return value.source
