"""Sizes as those read them who are not the kernel: systemd, docker, Kubernetes, dd, stress-ng.

Every reader raises InputError, without a place. Sizes are bytes.
"""

from __future__ import annotations

import re
from fractions import Fraction

from cowpath.errors import InputError

_NUMBER = r"[0-9]{1,20}(?:\.[0-9]{1,20})?"
_SYSTEMD = re.compile(rf"({_NUMBER})([BKMGTPE]?)")
_DOCKER = re.compile(rf"({_NUMBER}) ?(?:([kmgtp])i?)?b?", re.IGNORECASE)
_KUBERNETES = re.compile(r"([0-9]{0,20}\.?[0-9]{0,20})(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][-+]?[0-9]{1,2})?")
_DD = re.compile(r"([0-9]{1,18})(c|w|b|[kKMGTP]B?|[KMGTP]iB)?")
_STRESS = re.compile(r"([0-9]{1,18})([bkmgtp]?)", re.IGNORECASE)
_POWERS = "kmgtpe"


def systemd(text: str, memory: int) -> int | None:
    """MemoryMax= and its kin; None is "infinity". A part of the machine's ``memory`` with "%"; else a number with K, M,
    G, T, P or E (binary), which may have a point, or several of them (src/basic/parse-util.c: parse_size).
    """
    if text == "infinity":
        return None
    if match := re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,2})?)%", text):
        return int(Fraction(match[1]) * memory / 100)
    total, rest = 0, text.strip()
    while match := _SYSTEMD.match(rest):
        total += int(Fraction(match[1]) * (1 << 10 * _power(match[2].replace("B", ""))))
        rest = rest[match.end() :].lstrip()
        if not rest:
            return total
    raise InputError(
        f"{text!r} is not a size to systemd", hint="a number with K, M, G or T (64M, 1.5G), a part (20%), or infinity"
    )


def docker(text: str) -> int:
    """-m, --memory-swap, mem_limit: a number with b, k, m, g, t, in any case, all binary (go-units: RAMInBytes)."""
    match = _DOCKER.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is not a size to docker", hint="a number with b, k, m or g: 64m")
    return int(Fraction(match[1]) * (1 << 10 * _power(match[2] or "")))


def quantity(text: str) -> Fraction:
    """A quantity of Kubernetes (apimachinery: resource.Quantity): 64Mi is binary, 64M decimal, 1e6 and 64000k too; 500m
    are 500 thousandths.
    """
    match = _KUBERNETES.fullmatch(text)
    if match is None or not re.search("[0-9]", match[1]):
        raise InputError(f"{text!r} is not a quantity", hint="64Mi (binary), 64M (decimal), 1e6")
    suffix = match[2] or ""
    if suffix.endswith("i"):
        factor = Fraction(1 << 10 * _power(suffix[0]))
    elif suffix[:1] in ("e", "E") and len(suffix) > 1:
        factor = Fraction(10) ** int(suffix[1:])
    else:
        powers = {"": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
        factor = Fraction(10) ** powers[suffix]
    return Fraction(match[1]) * factor


def kubernetes(text: str) -> int:
    """A quantity of bytes; parts of a byte are rounded up: "64m" are 64 thousandths of a byte."""
    value = quantity(text)
    return -(-value.numerator // value.denominator)


def dd(text: str) -> int:
    """bs=, and what counts in it: c 1, w 2, b 512, K or KiB 1024, kB 1000, and so on; factors with x (coreutils)."""
    size = 1
    for factor in text.split("x"):
        match = _DD.fullmatch(factor)
        if match is None:
            raise InputError(f"{text!r} is not a size to dd", hint="4k, 1M (binary), 1MB (decimal), 2x512")
        size *= int(match[1]) * _dd_unit(match[2] or "")
    return size


def _dd_unit(unit: str) -> int:
    if unit in ("", "c", "w", "b"):
        return {"": 1, "c": 1, "w": 2, "b": 512}[unit]
    power = _power(unit[0])
    return 1000**power if unit.endswith("B") and "i" not in unit else 1 << 10 * power


def stress(text: str, memory: int) -> int:
    """--vm-bytes: a number with b, k, m, g, t, in any case, all binary; or a part of the machine's memory with "%"."""
    if match := re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%", text):
        return int(Fraction(match[1]) * memory / 100)
    match = _STRESS.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is not a size to stress-ng", hint="a number with b, k, m or g: 64M; or 80%")
    return int(match[1]) << 10 * _power(match[2].replace("b", "").replace("B", ""))


def _power(letter: str) -> int:
    """K is 1, M is 2, ..."""
    return _POWERS.index(letter.lower()) + 1 if letter else 0
