"""YAML with the place of every word, for messages. Mappings and lists are looked into only as far as is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import yaml

from cowpath.errors import Gathered, InputError
from cowpath.words import Place, Word, nearest

MERGE = "<<"
MOST_MERGES = 100  # of one mapping
YES, NO = ("true", "yes", "on"), ("false", "no", "off")  # YAML 1.1


@dataclass(frozen=True)
class Source:
    """A file that is read, where errors are put by, and what is done to every text of it (compose: ``${NAME}``)."""

    file: str
    errors: Gathered
    expand: Callable[[Word], str] = lambda word: word.text


@dataclass(frozen=True)
class Value:
    """A value of the file. ``key`` is the word that names it; of a list's item, the list's."""

    node: yaml.Node
    source: Source
    key: Word

    @property
    def place(self) -> Place:
        """Where it begins."""
        mark = self.node.start_mark
        return Place(self.source.file, mark.line + 1, mark.column + 1)

    @property
    def is_null(self) -> bool:
        """``KEY:`` without anything, null or ~."""
        return bool(self.node.tag == "tag:yaml.org,2002:null")

    @property
    def is_list(self) -> bool:
        """A list, of items."""
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        """A mapping, of keys and values."""
        return isinstance(self.node, yaml.MappingNode)

    def error(self, problem: str, hint: str | None = None) -> InputError:
        """An error at its place."""
        return self.place.error(problem, hint)

    def mapping(self, known: Iterable[str] | None = None) -> dict[str, Value]:
        """Its keys and values; null has none. A key that is not ``known``, or is there twice, is put by as an error.

        Raises InputError for what is no mapping.
        """
        if self.is_null:
            return {}
        if not self.is_mapping:
            raise self.error(f"{self.key.text}: not a mapping", "KEY: VALUE, a line each, indented below it")
        found: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for key, value in self._pairs(self.node, [MOST_MERGES]):
            if key is None:
                for name, each in value.mapping().items():
                    merged.setdefault(name, each)
            elif key.text in found:
                self.source.errors.add(key.error(f"{key.text!r} stands there twice", "once"))
            else:
                found[key.text] = value
        if known is not None:
            self._check(found, list(known))
        return {**merged, **found}

    def _pairs(self, node: yaml.Node, left: list[int]) -> Iterator[tuple[Word | None, Value]]:
        """Keys and values; without a key, a mapping that is merged in (``<<: *base``)."""
        for key, value in node.value:
            place = Place(self.source.file, key.start_mark.line + 1, key.start_mark.column + 1)
            if not isinstance(key, yaml.ScalarNode):
                self.source.errors.add(place.error("a key that is no text", "KEY: VALUE"))
            elif key.value != MERGE:
                word = Word(key.value, place)
                yield word, Value(value, self.source, word)
            else:
                for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    left[0] -= 1
                    if left[0] < 0 or not isinstance(each, yaml.MappingNode):
                        self.source.errors.add(place.error("what is merged is no mapping", "<<: *NAME"))
                        return
                    plain = [(k, v) for k, v in each.value if getattr(k, "value", None) != MERGE]
                    inner = [(k, v) for k, v in each.value if getattr(k, "value", None) == MERGE]
                    mark = each.start_mark, each.end_mark
                    yield None, Value(yaml.MappingNode(each.tag, plain, *mark), self.source, self.key)
                    yield from self._pairs(yaml.MappingNode(each.tag, inner, *mark), left)

    def _check(self, found: dict[str, Value], known: list[str]) -> None:
        """Whether all keys are known."""
        for name, value in found.items():
            if name not in known:
                hint = nearest(name, known, f"known: {', '.join(known)}" if len(known) < 9 else None)
                self.source.errors.add(value.key.error(f"{self.key.text}: unknown key {name!r}", hint))

    def items(self) -> list[Value]:
        """The items of a list; null has none. Raises InputError for what is no list."""
        if self.is_null:
            return []
        if not self.is_list:
            raise self.error(f"{self.key.text}: not a list", "- ITEM, a line each, or [ITEM, ITEM]")
        return [Value(node, self.source, self.key) for node in self.node.value]

    def word(self) -> Word:
        """A text or a number, as a word. Raises InputError for what is neither."""
        if not isinstance(self.node, yaml.ScalarNode) or self.is_null:
            raise self.error(f"{self.key.text}: not a text or a number", f"{self.key.text}: VALUE")
        text = str(self.node.value)
        if self.node.tag == "tag:yaml.org,2002:int":
            text = self._number(text)
        word = Word(text, self.place)
        return Word(self.source.expand(word), self.place)

    def _number(self, text: str) -> str:
        """0x4000000 and 1_000 are numbers to YAML, and reach who reads them as such."""
        try:
            number = yaml.constructor.SafeConstructor().construct_yaml_int(self.node)
            return str(number)
        except ValueError:
            raise self.error(f"{self.key.text}: not a number: {text[:40]!r}", "decimal digits") from None

    def truth(self) -> bool:
        """true or false. Raises InputError."""
        text = self.word().text.lower()
        if text not in (*YES, *NO):
            raise self.error(f"{self.key.text}: neither true nor false: {text!r}", "true or false")
        return text in YES

    def count(self, most: int) -> int:
        """A whole number from 0 on. Raises InputError."""
        text = self.word().text
        if not (text.isascii() and text.isdecimal()) or len(text) > 9 or int(text) > most:
            raise self.error(f"{self.key.text}: {text!r}", f"a whole number from 0 to {most}")
        return int(text)

    def texts(self) -> list[Word]:
        """A list of texts, or numbers. Raises InputError for a list of something else."""
        return [item.word() for item in self.items()]


def documents(text: str, source: Source) -> list[Value]:
    """The documents of a file that are not empty. Raises InputError for what is not YAML."""
    found = []
    top = Word("the document", Place(source.file, 1))
    try:
        for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
            if node is not None:
                found.append(Value(node, source, top))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
        hint = "YAML: KEY: VALUE, indented with blanks, texts with a colon in quotes"
        place = Place(source.file, line, column)
        raise place.error(f"not YAML: {error.problem or error.context}", hint) from None
    except yaml.reader.ReaderError as error:
        line, column = text.count("\n", 0, error.position) + 1, error.position - text.rfind("\n", 0, error.position)
        place = Place(source.file, line, column)
        raise place.error(
            f"not YAML: a character that cannot be shown: {text[error.position]!r}", "take it out"
        ) from None
    except yaml.YAMLError as error:
        raise InputError(f"not YAML: {' '.join(str(error).split())}", file=source.file) from None
    except RecursionError:
        raise InputError("not read: nested too deep", file=source.file) from None
    return [value for value in found if not value.is_null]
