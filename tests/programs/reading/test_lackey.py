"""lackey's text: all uses of pages are in the recording, and the machine's rule adds none."""

from __future__ import annotations

import random
from collections import OrderedDict
from pathlib import Path

import pytest

import cowpath
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.importer import import_recording
from cowpath.programs.reading.lackey import KEPT, read_lackey
from cowpath.programs.recording import ALL_KNOWN, write

PAGES = 3 * KEPT
HEAD = ["==7== Lackey, an example Valgrind tool\n", "==7== Command: ./loop 3\n", "==7== \n"]


def text(accesses: list[tuple[str, int]], head: bool = True) -> list[str]:
    """Lines for accesses (kind, page), whole with their end."""
    lines = [f"{kind:<2} {page:05x}010,8\n" if kind == "I" else f" {kind} {page:05x}010,8\n" for kind, page in accesses]
    fetched = sum(kind == "I" for kind, _ in accesses)
    return [*(HEAD if head else []), *lines, f"==7==   guest instrs:  {fetched:,}\n", "==7== Exit code:       0\n"]


def rounds(count: int) -> list[tuple[str, int]]:
    """Each of PAGES pages written to, one after another, so many times."""
    return [("S", 0x1000 + page) for _ in range(count) for page in range(PAGES)]


def misses(pages: list[int], size: int) -> int:
    """Of an LRU list of this size."""
    kept: OrderedDict[int, None] = OrderedDict()
    count = 0
    for page in pages:
        count += page not in kept
        kept[page] = None
        kept.move_to_end(page)
        if len(kept) > size:
            kept.popitem(last=False)
    return count


def test_what_is_left_out_moves_no_page_by_more_than_so_many_in_a_list() -> None:
    chance = random.Random(1)
    accesses = [("L", 0x1000 + int(chance.expovariate(1 / KEPT))) for _ in range(20_000)]
    left = (read_lackey(text(accesses), "x").tables.faults["addr"] >> 12).tolist()
    assert len(left) < len(accesses) * 0.6
    pages = [page for _, page in accesses]
    for size in (KEPT + 1, 2 * KEPT, 3 * KEPT, 5 * KEPT):
        assert misses(pages, size + KEPT) <= misses(left, size) <= misses(pages, size - KEPT)


def test_kinds_and_what_reaches_into_the_next_page() -> None:
    lines = [*HEAD, "I  0401aff9,8\n", " L 1fff000ff9,8\n", " L 1fff000758,8\n", " M 1fff000758,8\n", *text([], False)]
    reading = read_lackey(lines, "x")
    faults = [(hex(row["addr"]), int(row["err"])) for row in reading.tables.faults]
    assert faults == [
        ("0x401a000", 0x14), ("0x401b000", 0x14), ("0x1fff000000", 4), ("0x1fff001000", 4), ("0x1fff000000", 6),
    ]  # fmt: skip
    assert reading.tables.command == ("./loop", "3")


def test_whole_and_not() -> None:
    lines = text([("I", 1), ("S", 2)])
    assert read_lackey(lines, "x").account.all_gaps() == []
    assert "counted 1 instructions, and 2" in read_lackey([lines[3], *lines], "x").account.all_gaps()[0]
    assert "1 lines were not understood" in read_lackey(["rubbish\n", *lines], "x").account.all_gaps()[0]
    assert "cut off" in read_lackey(lines[:-1], "x").account.all_gaps()[-1]
    with pytest.raises(InputError, match="no access"):
        read_lackey(HEAD, "x")


def run(source: Path, reuse: float, design: str = "linux-6.18") -> int:
    """The faults of the recording in a group that has room for half of the loop's pages; the rest goes to swap."""
    place = source.parent
    write(import_recording(source), place / "loop.recording")
    table, session = place / "mine.toml", place / "mine.sh"
    table.write_text('[machine]\nswap = "8M"\n[programs.loop]\nrecording = "loop.recording"\nabout = "it"\n')
    limit = PAGES * 4096 // 2
    session.write_text(f"cgcreate -g memory:A\ncgset -r memory.limit_in_bytes={limit} A\ncgexec -g memory:A loop\n")
    result = cowpath.run(session, table=table, reuse=reuse, design=design)
    return int(result.summary["groups"]["A"]["faults"])


def test_the_model_uses_the_recorded_uses_and_no_others(tmp_path: Path) -> None:
    source = tmp_path / "loop.txt"
    source.write_text("".join(text(rounds(1))))
    once = run(source, reuse=0)
    source.write_text("".join(text(rounds(4))))
    recording = import_recording(source)
    touches = recording.ops[recording.ops["code"] == n.OP_TOUCH]
    assert len(touches) == 4 * PAGES and set(touches["b"].tolist()) == {ALL_KNOWN}
    again = run(source, reuse=0)
    assert again > once + PAGES  # of each round nearly all pages have gone to swap: an LRU list of half of them
    assert run(source, reuse=100) == again
