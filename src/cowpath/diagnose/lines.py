"""Lines of a kernel's log without what journals, syslogs, dmesg and consoles put before them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_BYTES = 1 << 20
LINES_BETWEEN = 20_000  # two words of how far it is
LONGEST = 4096  # letters of one line that are looked at: printk's own are shorter (LOG_LINE_MAX)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that the kernel has printed.

    ``number`` is its place in the file, from 1. ``caller`` is who printed it, where the log says (CONFIG_PRINTK_CALLER:
    ``T123``, ``C0``); else "". ``sure`` is false for a line that has no sign of the kernel's before it.
    """

    number: int
    text: str
    caller: str = ""
    sure: bool = True


ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
# "Jan 12 06:25:01 host kernel: ", "2024-01-12T06:25:01.000+01:00 host kernel: ", "janv. 12 06:25:01 host systemd[1]: "
SYSLOG = re.compile(
    r"(?:\S{1,12}\s+\d{1,2}\.?\s+\d\d:\d\d:\d\d(?:[.,]\d+)?|\d{1,2}\.?\s+\S{1,12}\s+\d\d:\d\d:\d\d|"
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*|\d{10}\.\d+)\s+\S+\s+([\w./@\\-]+)(?:\[(\d+)\])?:\s?"
)
LEVEL = re.compile(r"<\d{1,3}>|[a-z]+\s*:[a-z]+\s*:\s?|\d+,\d+,\d+,[^;]{0,64};")  # <3>, dmesg -x, /dev/kmsg
STAMP = re.compile(
    r"\[\s*(?:\d+\.\d+|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}|\d{4}-\d\d-\d\d[T ][\d:.,+-]+)\s*\]\s?"
)
CALLER = re.compile(r"\[\s*([TC]\d+)\]\s?")
DELTA = re.compile(r"<\s*\d*\.\d+>\s?")  # dmesg -d


def raw_lines(stream: BinaryIO, told: Callable[[int], None] | None = None) -> Iterator[bytes]:
    """The lines of a file, those that are longer than anything of the kernel's in pieces; ``told`` how many bytes."""
    read = 0
    for number, line in enumerate(iter(lambda: stream.readline(MOST_BYTES), b"")):
        read += len(line)
        if told is not None and number % LINES_BETWEEN == 0:
            told(read)
        yield line


def lines_of(number: int, raw: bytes) -> Iterable[Line]:
    """What the kernel has said in a line of a file: nothing where another program has logged it."""
    if raw.startswith(b"{"):
        return of_json(number, raw)
    found = of_text(number, raw[:LONGEST].decode("utf-8", "replace").rstrip("\r\n"))
    return () if found is None else (found,)


def of_text(number: int, text: str) -> Line | None:
    """One line of text; None if another program has logged it."""
    if "\x1b" in text or (text and not text.isprintable()):
        text = ESCAPES.sub("", text)
    at, sure, caller = 0, False, ""
    logged = SYSLOG.match(text)
    if logged is not None:
        if logged[1] != "kernel":
            return None
        at, sure = logged.end(), True
    for sign in (LEVEL, STAMP, DELTA):
        match = sign.match(text, at)
        if match is not None:
            at, sure = match.end(), True
    match = CALLER.match(text, at)
    if match is not None:
        at, caller = match.end(), match[1]
    return Line(number, text[at:], caller, sure)


def of_json(number: int, raw: bytes) -> Iterator[Line]:
    """One object of ``journalctl -o json``: the kernel's message, which may have several lines."""
    if b'"kernel"' not in raw:  # neither its transport nor its name
        return
    try:
        entry = json.loads(raw)
    except (ValueError, RecursionError):  # a line that is cut off
        return
    if not isinstance(entry, dict) or "kernel" not in (entry.get("_TRANSPORT"), entry.get("SYSLOG_IDENTIFIER")):
        return
    message = entry.get("MESSAGE")
    if isinstance(message, list):  # what is no UTF-8 is a list of bytes
        message = bytes(part for part in message if isinstance(part, int) and 0 <= part < 256).decode(
            "utf-8", "replace"
        )
    if isinstance(message, str):
        for text in message[: 16 * LONGEST].splitlines():
            found = of_text(number, text[:LONGEST])
            if found is not None:
                yield Line(number, found.text, found.caller, True)
