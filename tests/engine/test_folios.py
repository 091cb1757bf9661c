"""Folios of several pages: which ones come into the page cache, and that each is charged, locked and freed as one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.truth.played import Played, S

from cowpath.kernel import names as n

DATA = Path(__file__).parents[1] / "data" / "truth" / "readahead-6.18.txt"
PAGES = 4096
COLD = f"[files.f]\nwarm = false\npages = {PAGES}\n"
IN_A = "cgcreate -g memory:A\ncgexec -g memory:A t\n"


class Sequence:
    """Accesses to a cold file, and what a real kernel did."""

    def __init__(self, name: str, window: int) -> None:
        self.name, self.window = name, window
        self.accesses: list[str] = []
        self.minor = self.major = 0
        self.folios: dict[int, int] = {}  # first page -> pages

    def add(self, line: str) -> None:
        access, faults, added = (part.strip() for part in line.split("|"))
        self.accesses.append(access)
        minor, major = map(int, faults.split())
        self.minor, self.major = self.minor + minor, self.major + major
        for first, after, order in (map(int, part.split(":")) for part in added.split()):
            self.folios.update(dict.fromkeys(range(first, after, 1 << order), 1 << order))


def sequences() -> list[Sequence]:
    found: list[Sequence] = []
    for line in DATA.read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            _, name, window = line.split()
            found.append(Sequence(name, int(window)))
        elif not line.startswith("#"):
            found[-1].add(line)
    return found


def folios(played: Played, file: str = "f") -> dict[int, int]:
    """By a folio's first page: how many it has."""
    which = [each.name for each in played.plan.files].index(file)
    used = int(played.k.state.n_pages)
    rows, books = played.k.state["pages"][:used], played.k.books["pages"][:used]
    mine = (rows["file"] == which) & (rows["refs"] > 0)
    return {int(index): 1 + int(tails) for index, tails in zip(rows["index"][mine], books["tails"][mine], strict=True)}


def play(tmp_path: Path, program: str, kernel: str = "linux-6.18", session: str = IN_A, **more: str) -> Played:
    more = {"machine": "readahead = 32", "files": COLD if "@f" in program else ""} | more
    return Played(tmp_path, session, {"t": f"{program}\nsleep 1000s"}, kernel, **more).run(20 * S)


@pytest.mark.parametrize("measured", sequences(), ids=lambda each: f"{each.name}-{each.window}")
def test_what_is_read_ahead_is_what_linux_6_18_reads(tmp_path: Path, measured: Sequence) -> None:
    played = play(tmp_path, "\n".join(measured.accesses), machine=f"readahead = {measured.window}")
    assert folios(played) == measured.folios
    books = played.k.books.tasks[played.tasks("t")[0]]
    assert (int(books.minflt), int(books.majflt)) == (measured.minor, measured.major)


def test_a_kernel_without_large_folios_has_pages(tmp_path: Path) -> None:
    played = play(tmp_path, "readf @f 0 4096 16", "linux-6.12")
    assert set(folios(played).values()) == {1}
    assert int(played.books("A").pgpgin) == PAGES


def test_a_folio_is_charged_once_and_counts_once(tmp_path: Path) -> None:
    played = play(tmp_path, "readf @f 0 4096 16")
    found = folios(played)
    assert sum(found.values()) == PAGES and max(found.values()) == 32
    books = played.books("A")
    assert int(books.cache) == PAGES
    assert int(books.pgpgin) == len(found)


def test_a_window_that_meets_what_is_there_goes_on_page_by_page(tmp_path: Path) -> None:
    """The folio that could not be inserted was charged, and counts in pgpgin and pgpgout all the same."""
    played = play(tmp_path, "readf @f 20 1 1\nmapf m @f 4096 r shared\ntouch m 16 1 1 r")
    assert folios(played) == dict.fromkeys(range(32), 1)
    books = played.books("A")
    assert (int(books.pgpgin), int(books.pgpgout)) == (33, 1)


def test_truncation_within_a_folio_splits_it(tmp_path: Path) -> None:
    played = play(tmp_path, "writef @f 0 64 64\nfsync @f\ntruncate @f 40", files="[files.f]\nwarm = false\npages = 0\n")
    assert folios(played) == dict.fromkeys(range(40), 1)
    assert int(played.books("A").cache) == 40


def test_write_makes_folios_as_large_as_the_call(tmp_path: Path) -> None:
    played = play(tmp_path, "writef @f 0 256 256\nwritef @f 256 7 7", files="[files.f]\nwarm = false\npages = 0\n")
    assert folios(played) == {0: 256, 256: 4, 260: 2, 262: 1}
    assert int(played.books("A").pgpgin) == 4


def test_write_with_large_folios_sleeps_once_over_the_mark(tmp_path: Path) -> None:
    """256 pages are one charge, which is paid for once; without large folios each batch that was passed is. Its buffer
    heads and nodes come from the stock, as in high21: that is another batch's rest, paid for before the call.
    """
    session = (
        "cgcreate -g memory:A\ncgexec -g memory:A t &\nsleep 1\necho 8388608 > /sys/fs/cgroup/A/memory.high\nsleep 30\n"
    )
    program = "anon a 3074\ntouch a 0 3073 1 w\nsleep 4s\ntouch a 3073 1 1 w\nwritef @w 0 256 256"
    sleeps = {}
    for kernel in ("linux-6.12", "linux-6.18"):
        files = "[files.w]\nwarm = false\npages = 0\n"
        played = Played(tmp_path, session, {"t": f"{program}\nsleep 1000s"}, kernel, files=files).run(30 * S)
        sleeps[kernel] = played.sleeps("t", n.W_THROTTLE)
    assert len(sleeps["linux-6.18"]) == 1 + 1
    assert len(sleeps["linux-6.12"]) > 1 + 1


def test_random_advice_reads_single_pages(tmp_path: Path) -> None:
    played = play(tmp_path, "mapf m @f 4096 r shared\nmadv m random\ntouch m 1000 1 1 r\ntouch m 3000 1 1 r")
    assert folios(played) == {1000: 1, 3000: 1}


HUGE = "anonthp a 2048\ntouch a 0 2048 1 w"


def test_a_huge_page_is_one_fault_and_one_charge(tmp_path: Path) -> None:
    played = play(tmp_path, HUGE)
    books = played.books("A")
    assert (int(books.pgfault), int(books.pgpgin), int(books.rss)) == (4, 4, 2048)
    assert int(books.thp_fault_alloc) == 4
    assert played.stat("A")["anon_thp"] == 2048 * 4096


def test_only_where_a_whole_table_is_mapped_and_empty(tmp_path: Path) -> None:
    played = play(tmp_path, "anon a 1024\ntouch a 3 1 1 w\nmadv a hugepage\ntouch a 4 1 1 w\ntouch a 600 1 1 w")
    assert int(played.books("A").pgfault) == 3
    assert int(played.books("A").rss) == 2 + 512


def test_a_huge_page_that_does_not_fit_falls_back(tmp_path: Path) -> None:
    session = f"cgcreate -g memory:A\necho {1 << 20} > /sys/fs/cgroup/A/memory.max\ncgexec -g memory:A t\n"
    played = play(tmp_path, "anonthp a 512\ntouch a 0 100 1 w", session=session)
    books = played.books("A")
    assert int(books.rss) == 100
    assert (int(books.thp_fault_fallback), int(books.thp_fault_fallback_charge)) == (1, 1)
    assert played.events("A")["oom_kill"] == 0


def test_unmapping_a_part_keeps_the_charge_until_all_is_gone(tmp_path: Path) -> None:
    """Linux splits it when memory is short (deferred_split)."""
    assert int(play(tmp_path, f"{HUGE}\nmunmap a 0 500").books("A").rss) == 2048
    assert int(play(tmp_path, f"{HUGE}\nmunmap a 0 512").books("A").rss) == 1536


def test_a_copy_of_a_huge_page_is_a_page(tmp_path: Path) -> None:
    played = play(tmp_path, f"{HUGE}\nfork c\ntouch a 0 10 1 w\nsleep 1000s\nend\nsleep 5s")
    assert int(played.books("A").rss) == 2048 + 10


def test_swapping_splits_huge_pages(tmp_path: Path) -> None:
    session = f"cgcreate -g memory:A\necho {4 << 20} > /sys/fs/cgroup/A/memory.max\ncgexec -g memory:A t\n"
    played = play(tmp_path, HUGE, session=session, machine='readahead = 32\nswap = "64M"')
    books = played.books("A")
    assert int(books.swap) >= 1024 and int(books.rss) + int(books.swap) >= 2048
    assert played.tasks("t")
