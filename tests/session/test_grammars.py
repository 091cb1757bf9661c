"""Sizes by the grammar of who reads them, arithmetic, and commands that read text."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from cowpath.errors import InputError
from cowpath.session import condition, filters, sizes
from cowpath.session.arithmetic import evaluate
from cowpath.session.expand import Expanded
from cowpath.units import memparse
from cowpath.words import Place, Word

PLACE = Place("s.sh", 1, 1)
MEMORY = 1 << 30
SYSTEMD, STRESS = partial(sizes.systemd, memory=MEMORY), partial(sizes.stress, memory=MEMORY)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (memparse, "64M", 64 << 20), (memparse, "65536k", 64 << 20), (memparse, "0x4000000", 64 << 20),
        (memparse, "0100", 64), (memparse, "1e", 1 << 60), (memparse, "64Mi", None), (memparse, "64MB", None),
        (memparse, "1.5G", None), (memparse, "M", None), (memparse, "08", None), (memparse, " 1", None),
        (SYSTEMD, "64M", 64 << 20), (SYSTEMD, "1.5G", 3 << 29), (SYSTEMD, "20%", MEMORY // 5),
        (SYSTEMD, "1G 512M", 3 << 29),
        (SYSTEMD, "infinity", None), (SYSTEMD, "100B", 100),
        (sizes.docker, "64m", 64 << 20), (sizes.docker, "64MB", 64 << 20), (sizes.docker, "64MiB", 64 << 20),
        (sizes.docker, "1.5g", 3 << 29), (sizes.docker, "100b", 100), (sizes.docker, "7", 7),
        (sizes.kubernetes, "64Mi", 64 << 20), (sizes.kubernetes, "64M", 64_000_000),
        (sizes.kubernetes, "1e6", 1_000_000),
        (sizes.kubernetes, "0.5Gi", 1 << 29), (sizes.kubernetes, "1500m", 2),
        (sizes.kubernetes, "128974848", 128974848),
        (sizes.dd, "1M", 1 << 20), (sizes.dd, "1MB", 1_000_000), (sizes.dd, "4k", 4096), (sizes.dd, "2x512", 1024),
        (sizes.dd, "1MiB", 1 << 20), (sizes.dd, "8b", 4096),
        (STRESS, "64M", 64 << 20), (STRESS, "1g", 1 << 30), (STRESS, "50%", MEMORY // 2), (STRESS, "4096b", 4096),
    ],
)  # fmt: skip
def test_sizes(read: Callable[[str], int | None], text: str, value: int | None) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [(SYSTEMD, "64Mi"), (SYSTEMD, "64MB"), (SYSTEMD, ""), (sizes.docker, "64Mx"), (sizes.docker, "M"),
     (sizes.kubernetes, "64MB"), (sizes.kubernetes, "."), (sizes.kubernetes, "64mi"), (sizes.dd, "1X"),
     (sizes.dd, ""), (STRESS, "64Q"), (STRESS, "64MiB")],
)  # fmt: skip
def test_what_is_no_size(read: Callable[[str], int | None], text: str) -> None:
    with pytest.raises(InputError):
        read(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1 + 2 * 3", 7), ("(1+2)*3", 9), ("-7/2", -3), ("-7%3", -1), ("1<<20", 1 << 20), ("0x10+010", 24), ("!0", 1),
     ("N*2", 10), ("1?2:3", 2), ("2>1&&0||1", 1), ("~0", -1), ("", 0), ("9223372036854775807+1", -(1 << 63))],
)  # fmt: skip
def test_arithmetic(text: str, value: int) -> None:
    assert evaluate(text, {"N": "5"}.__getitem__, PLACE) == value


@pytest.mark.parametrize("text", ["1+", "1 2", "(1", "1/0", "1<<99", "x$", "1?2", "08", "(" * 99 + "1" + ")" * 99])
def test_wrong_arithmetic(text: str) -> None:
    with pytest.raises(InputError):
        evaluate(text, {"x": "1"}.__getitem__, PLACE)


EVENTS = "low 0\nhigh 5\nmax 12\noom 1\noom_kill 1\n"


@pytest.mark.parametrize(
    ("command", "out", "status"),
    [
        ("grep oom", "oom 1\noom_kill 1\n", 0), ("grep -c oom", "2\n", 0), ("grep -q nosuch", "", 1),
        ("grep -v o", "high 5\nmax 12\n", 0), ("grep -E ^(low|max)", "low 0\nmax 12\n", 0), ("grep -w oom",
        "oom 1\n", 0),
        ("grep -F .", "", 1), ("grep -o [0-9]*$", "0\n5\n12\n1\n1\n", 0), ("grep a+", "", 1), ("grep -m 1 o",
        "low 0\n", 0),
        ("head -2", "low 0\nhigh 5\n", 0), ("head -n 1", "low 0\n", 0), ("tail -1", "oom_kill 1\n", 0),
        ("tail -n +4", "oom 1\noom_kill 1\n", 0), ("wc -l", "5\n", 0), ("cut -d o -f 2",
        "w 0\nhigh 5\nmax 12\n\n\n", 0),
        ("awk {print$2}", "0\n5\n12\n1\n1\n", 0), ("awk /^max/{print$2,$1}", "12 max\n", 0),
        ('awk $1=="oom"{print$2}', "1\n", 0), ("sort -k 2 -n -r", "max 12\nhigh 5\noom_kill 1\noom 1\nlow 0\n", 0),
        ("tr -d 0123456789", "low \nhigh \nmax \noom \noom_kill \n", 0), ("uniq", EVENTS, 0),
    ],
)  # fmt: skip
def test_filters(command: str, out: str, status: int) -> None:
    words = [Word(text, PLACE) for text in command.split()]
    found, files = filters.understood(Expanded(tuple(words)))
    assert not files and filters.apply(found, EVENTS) == (out, status)


@pytest.mark.parametrize(
    ("words", "status"),
    [(("3", "-gt", "2"), 0), (("3", "-lt", "2"), 1), (("a", "=", "a"), 0), (("-z", ""), 0), (("-n", ""), 1), ((), 1),
     (("!", "x"), 1), (("x", "-eq", "1"), 2), (("1", "-eq", "1", "-a", "2", "-gt", "3"), 1), (("", "-o", "x"), 0)],
)  # fmt: skip
def test_conditions(words: tuple[str, ...], status: int) -> None:
    if words == ("", "-o", "x"):
        with pytest.raises(InputError):  # POSIX leaves three words with -o open
            condition.status(words)
        return
    assert condition.status(words) == status
