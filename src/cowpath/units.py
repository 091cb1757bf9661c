"""Sizes and times as people write them: "64M", "1.5G", "5ms".

K, M, G and T are binary, as in the kernel's ``memparse``. Sizes are bytes, times are nanoseconds; both are ``int``.
Every reader raises ``InputError`` without a place: who knows the place adds it (``words.Place.of``).
"""

from __future__ import annotations

import re
from fractions import Fraction

from cowpath.errors import InputError
from cowpath.kernel import names as n

UNLIMITED_BYTES = (1 << 63) - 1  # what the kernel shows where there is no limit

_SIZE = re.compile(r"([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:([KMGTkmgt])(?:i?B|i)?|B)?")
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]{1,16}|0[0-7]*|[1-9][0-9]{0,19})([KMGTPEkmgtpe]?)")
_TIME = re.compile(r"([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(ns|us|ms|s|m|min|h)?")
_SHIFT = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_NS = {"ns": 1, "us": 1000, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "min": 60 * 10**9, "h": 3600 * 10**9}
_LONGEST_NS = 10**18  # 31 years: sums of such times still fit into 64 bits


def parse_size(text: str) -> int:
    """Bytes: "4096", "64M", "64MiB", "1.5G". Parts of a byte are cut off."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is not a size", hint="a number with K, M, G or T: 64M")
    size = int(Fraction(match[1]) * (1 << _SHIFT[(match[2] or "").upper()]))
    if size > UNLIMITED_BYTES:
        raise InputError(f"{text!r} is too large for a size", hint="at most 8388607T")
    return size


def memparse(text: str) -> int | None:
    """Bytes as the kernel reads them (lib/cmdline.c), which is what a file of a group takes; None for its EINVAL.

    A whole number, decimal, 0x hexadecimal or 0 octal (``simple_strtoull``), and one letter, and nothing behind it.
    T, P and E are read since 3.18.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    digits = match[1]
    base = 16 if digits[:2].lower() == "0x" else 8 if digits[0] == "0" else 10
    return int(digits, base) << (10 * ("kmgtpe".index(match[2].lower()) + 1) if match[2] else 0)


def parse_limit(text: str) -> int:
    """A memory limit in pages, read as strictly as the kernel does (``res_counter_memparse_write_strategy``).

    Bytes are rounded up to pages. "-1", "max" and what is too large for the kernel's counter are ``UNLIMITED``.
    """
    if text in ("-1", "max"):
        return n.UNLIMITED
    size = memparse(text)
    if size is None:
        raise InputError(
            f"{text!r} is not a limit", hint="the kernel reads a whole number with K, M, G or T: 64M; -1: no limit"
        )
    return pages(size)


def pages(size: int) -> int:
    """How many pages hold this many bytes; at most ``UNLIMITED``."""
    return min(-(-size // n.PAGE_SIZE), n.UNLIMITED)


def parse_time(text: str) -> int:
    """Nanoseconds: "5ms", "1.5s", "200us", "10ns", "2m" (minutes), "1h"; a plain number is seconds."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is not a time", hint="a number with ns, us, ms, s, m or h: 5ms")
    time = int(Fraction(match[1]) * _NS[match[2] or "s"])
    if time > _LONGEST_NS:
        raise InputError(f"{text!r} is too long a time", hint="at most 1000000000s")
    return time
