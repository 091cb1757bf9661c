"""Commands that read text and print text: grep, head, tail, wc, cut, awk, sort, tr, cat. In a pipe, or of a file."""

from __future__ import annotations

import re
from collections.abc import Callable

from cowpath.session.commands import Filter
from cowpath.session.expand import Expanded
from cowpath.session.live import is_live, refuse
from cowpath.session.options import unknown_option
from cowpath.words import Word

HIDE = "> /dev/null"  # at the end of a pipe: its status is that of the filter before it
Result = tuple[str, int]  # what it prints, and its status
READS_ALL = ("cat", "less", "more", "tail", "wc", "sort", "uniq", "tee", "cut", "tr", "awk")  # and always succeeds
AWK = re.compile(
    r'\s*(?:/(?P<pattern>[^/]*)/|\$(?P<column>[0-9]+)\s*==\s*"(?P<value>[^"]*)")?\s*'
    r"\{\s*print\s*(?P<columns>(?:\$[0-9]+(?:\s*,\s*\$[0-9]+)*)?)\s*;?\s*\}\s*"
)


def understood(simple: Expanded) -> tuple[Filter, list[Word]]:
    """A filter, and the files that it names. Raises InputError for what is not understood of it."""
    name, words = simple.name.text, list(simple.words[1:])
    for word in words:
        if is_live(word.text):
            raise refuse(word)
    flags, files = FILTERS[name][0](simple.name, words)
    found = Filter(simple.name, name, flags)
    apply(found, "")  # what it cannot do it says here
    return found, files


def apply(each: Filter, text: str) -> Result:
    """What a filter prints of a text, and its status."""
    return FILTERS[each.name][1](each, text)


def _split(name: Word, words: list[Word], with_value: str, without: str) -> tuple[list[tuple[str, Word]], list[Word]]:
    """Options ("-n 5", "-n5", "-vi"), and the other words."""
    found: list[tuple[str, Word]] = []
    rest: list[Word] = []
    words = list(words)
    while words:
        word = words.pop(0)
        if word.text == "--":
            return found, rest + words
        if not word.text.startswith("-") or word.text == "-":
            rest.append(word)
            continue
        letters = word.text[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in without:
                found.append((letter, word))
            elif letter in with_value and (letters or words):
                found.append((letter, Word(letters, word.place) if letters else words.pop(0)))
                letters = ""
            else:
                raise unknown_option(name, word, tuple(f"-{each}" for each in without + with_value))
    return found, rest


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


# --- grep ------------------------------------------------------------------------------------------
def _grep_words(name: Word, words: list[Word]) -> tuple[tuple[str, ...], list[Word]]:
    found, rest = _split(name, words, "em", "vicqEFwxoh")
    patterns = [value.text for letter, value in found if letter == "e"]
    if not patterns:
        if not rest:
            raise name.error(f"{name.text} needs a pattern", "grep oom_kill memory.events")
        patterns = [rest.pop(0).text]
    flags = "".join(sorted({letter for letter, _ in found if letter not in "em"}))
    if name.text == "egrep":
        flags += "E"
    most = next((value.text for letter, value in found if letter == "m"), "")
    return (flags, most, *patterns), rest


def _grep(each: Filter, text: str) -> Result:
    flags, most, *patterns = each.arguments
    whole = "|".join(_pattern(each.word, pattern, flags) for pattern in patterns)
    if "w" in flags:
        whole = rf"(?<!\w)(?:{whole})(?!\w)"
    if "x" in flags:
        whole = f"^(?:{whole})$"
    try:
        expression = re.compile(whole, re.IGNORECASE if "i" in flags else 0)
    except re.error:
        raise each.word.error(f"this pattern is not understood: {' '.join(patterns)!r}", "grep -F TEXT") from None
    lines = [line for line in text.splitlines() if (expression.search(line) is not None) != ("v" in flags)]
    lines = lines[: int(most)] if most.isdigit() else lines
    status = int(not lines)
    if "q" in flags:
        return "", status
    if "c" in flags:
        return f"{len(lines)}\n", status
    if "o" in flags:
        lines = [match[0] for line in lines for match in expression.finditer(line) if match[0]]
    return "".join(f"{line}\n" for line in lines), status


def _pattern(word: Word, pattern: str, flags: str) -> str:
    """grep's pattern as Python writes it: without -E the signs of -E stand for themselves, unless there is a \\."""
    if "F" in flags:
        return re.escape(pattern)
    if "[[:" in pattern or re.search(r"\\[0-9<>bBwWsS'`]", pattern):
        raise word.error(f"this pattern is not understood: {pattern!r}", "grep -F TEXT")
    if "E" in flags:
        return f"(?:{pattern})"
    return "(?:" + re.sub(r"\\([+?(){}|])|([+?(){}|])", lambda m: m[1] or "\\" + m[2], pattern) + ")"


# --- head, tail, wc --------------------------------------------------------------------------------
def _counted_words(name: Word, words: list[Word]) -> tuple[tuple[str, ...], list[Word]]:
    words = [Word(f"-n{word.text[1:]}", word.place) if re.fullmatch("-[0-9]+", word.text) else word for word in words]
    found, rest = _split(name, words, "nc", "q")
    unit, count = "n", Word("10", name.place)
    for letter, value in found:
        if letter in "nc":
            unit, count = letter, value
    signs = r"\+?" if name.text == "tail" else ""
    if re.fullmatch(signs + "[0-9]{1,9}", count.text) is None:
        raise count.error(f"{count.text!r} is not a number of lines", f"{name.text} -n 5")
    return (unit, count.text), rest


def _head(each: Filter, text: str) -> Result:
    unit, count = each.arguments
    return (text[: int(count)] if unit == "c" else "".join(_lines(text)[: int(count)])), 0


def _tail(each: Filter, text: str) -> Result:
    unit, count = each.arguments
    pieces = list(text) if unit == "c" else _lines(text)
    number = int(count)
    first = max(0, number - 1) if count.startswith("+") else max(0, len(pieces) - number)
    return "".join(pieces[first:]), 0


def _wc_words(name: Word, words: list[Word]) -> tuple[tuple[str, ...], list[Word]]:
    found, rest = _split(name, words, "", "lwc")
    if len(found) != 1:
        raise name.error("wc shows one number here", "wc -l, wc -w, wc -c")
    return (found[0][0],), rest


def _wc(each: Filter, text: str) -> Result:
    counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text.encode())}
    return f"{counts[each.arguments[0]]}\n", 0


# --- columns ---------------------------------------------------------------------------------------
def _cut_words(name: Word, words: list[Word]) -> tuple[tuple[str, ...], list[Word]]:
    found, rest = _split(name, words, "df", "")
    values = {letter: word.text for letter, word in found}
    if re.fullmatch("[1-9][0-9]{0,2}", values.get("f", "")) is None or len(values.get("d", "\t")) != 1:
        raise name.error("cut shows one column here", "cut -d ' ' -f 2")
    return (values.get("d", "\t"), values["f"]), rest


def _cut(each: Filter, text: str) -> Result:
    separator, column = each.arguments
    found = []
    for line in text.splitlines():
        columns = line.split(separator)
        found.append(line if len(columns) == 1 else (columns + [""] * int(column))[int(column) - 1])
    return "".join(f"{line}\n" for line in found), 0


def _awk_words(name: Word, words: list[Word]) -> tuple[tuple[str, ...], list[Word]]:
    found, rest = _split(name, words, "F", "")
    separator = found[-1][1].text if found else ""
    if not rest or AWK.fullmatch(rest[0].text) is None or len(separator) > 1:
        raise (rest[0] if rest else name).error(
            "this program of awk is not understood", "awk '{print $2}', awk '/oom_kill/ {print $2}', with -F:"
        )
    return (separator, rest[0].text), rest[1:]


def _awk(each: Filter, text: str) -> Result:
    separator, program = each.arguments
    match = AWK.fullmatch(program)
    assert match is not None
    printed = []
    wanted = [int(number) for number in re.findall("[0-9]+", match["columns"])] or [0]
    pattern = _pattern(each.word, match["pattern"], "E") if match["pattern"] is not None else ""
    for line in text.splitlines():
        columns = [line, *(line.split(separator) if separator else line.split())]
        columns += [""] * 1000
        if pattern and re.search(pattern, line) is None:
            continue
        if match["column"] is not None and columns[min(int(match["column"]), 999)] != match["value"]:
            continue
        printed.append(" ".join(columns[min(number, 999)] for number in wanted))
    return "".join(f"{line}\n" for line in printed), 0


# --- the rest --------------------------------------------------------------------------------------
def _sort_words(name: Word, words: list[Word]) -> tuple[tuple[str, ...], list[Word]]:
    found, rest = _split(name, words, "k", "nru")
    keys = [value for letter, value in found if letter == "k"]
    for key in keys:
        if re.fullmatch("[1-9][0-9]?(,[1-9][0-9]?)?[nr]{0,2}", key.text) is None:
            raise key.error(f"this key of sort is not understood: {key.text!r}", "sort -k 2 -n -r")
    flags = "".join(letter for letter, _ in found if letter != "k") + "".join(
        re.sub("[0-9,]", "", k.text) for k in keys
    )
    return (flags, keys[0].text.rstrip("nr").partition(",")[0] if keys else ""), rest


def _sort(each: Filter, text: str) -> Result:
    flags, column = each.arguments

    def key(line: str) -> tuple[float, str, str]:
        shown = " ".join(line.split()[int(column) - 1 :]) if column else line
        number = re.match(r"\s*-?[0-9]+(\.[0-9]+)?", shown)
        return (float(number[0]) if number else 0.0, "", line) if "n" in flags else (0.0, shown, line)

    lines = sorted(text.splitlines(), key=key, reverse="r" in flags)
    return "".join(f"{line}\n" for line in (dict.fromkeys(lines) if "u" in flags else lines)), 0


def _none_words(name: Word, words: list[Word]) -> tuple[tuple[str, ...], list[Word]]:
    _, rest = _split(name, words, "", "")
    return (), rest


def _uniq(each: Filter, text: str) -> Result:
    lines = text.splitlines()
    return "".join(f"{b}\n" for a, b in zip([None, *lines], lines, strict=False) if a != b), 0


def _tr_words(name: Word, words: list[Word]) -> tuple[tuple[str, ...], list[Word]]:
    found, rest = _split(name, words, "", "d")
    texts = [word.text.replace("\\n", "\n").replace("\\t", "\t") for word in rest]
    if len(texts) != (1 if found else 2) or any("-" in each or "[" in each for each in texts):
        raise name.error("tr takes letters here, and no ranges", "tr -d '\\n', tr '\\n' ' '")
    return ("d" if found else "", *texts), []


def _tr(each: Filter, text: str) -> Result:
    deletes, old, *new = each.arguments
    into = (new[0] + new[0][-1:] * len(old))[: len(old)] if new else ""
    table = str.maketrans("", "", old) if deletes else str.maketrans(old, into)
    return text.translate(table), 0


def _same(each: Filter, text: str) -> Result:
    return text, 0


Words = Callable[[Word, list[Word]], tuple[tuple[str, ...], list[Word]]]
FILTERS: dict[str, tuple[Words, Callable[[Filter, str], Result]]] = {
    "grep": (_grep_words, _grep), "egrep": (_grep_words, _grep), "head": (_counted_words, _head),
    "tail": (_counted_words, _tail), "wc": (_wc_words, _wc), "cut": (_cut_words, _cut), "awk": (_awk_words, _awk),
    "sort": (_sort_words, _sort), "uniq": (_none_words, _uniq), "tr": (_tr_words, _tr), "cat": (_none_words, _same),
    HIDE: (_none_words, _same), "less": (_none_words, _same), "more": (_none_words, _same),
}  # fmt: skip
