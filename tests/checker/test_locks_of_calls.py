"""Calls wait for the locks that Linux 3.0's wait for: docs/model.md has them in a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath import checking

TRIED = Path(__file__).parents[1] / "data" / "tried"
MACHINE = """
path = "{path}"
outside = [{outside}]
{files}
[groups.A]
limit = {limit}
killer = false
[tasks.attacker]
group = "A"
before = \"\"\"
anon heap 1
touch heap 0 1 1 w
mlock heap
{before}
\"\"\"
does = "{does}"
"""
WRITER = {"path": "write", "files": "[files.log]\npages = 2\nwarm = false", "does": "writef @log 0 1"}
LOOKS = {
    "path": "lookup",
    "files": '[files."etc/"]\nwarm = false\n[files."tmp/"]\nwarm = false',
    "does": "stat @etc/passwd",
}
COPIES = {
    "path": "file_cow",
    "files": "[files.lib]\npages = 1",
    "before": "mapf lib @lib 1 rw private",
    "does": "touch lib 0 1 1 w",
}


def verdict(folder: Path, victim: str, machine: dict[str, str], *, design: str = "linux-3.0",
            name: str = "isolation", limit: int = 1, before: str = "", more: str = "") -> tuple[str, str]:  # fmt: skip
    """A task of A waits for memory in the middle of a call, one outside makes another: the verdict, and the chain."""
    text = MACHINE.format(**{"before": "", **machine}, limit=limit, outside="")
    text += f'[tasks.victim]\nbefore = """\n{before}\n"""\ndoes = """\n{victim}\n"""\n{more}'
    (folder / "c.toml").write_text(text)
    (result,) = checking.check(design, folder / "c.toml", properties=name).results
    return result.verdict, " ".join(result.chain)


@pytest.mark.parametrize("design", ["linux-3.0", "linux-3.1"])
def test_fsync_waits_behind_the_writers_i_mutex(design: str) -> None:
    """vfs_fsync_range: once the pages are written, ->fsync is called with the i_mutex."""
    for case in (TRIED / "case-fsync.toml", "fsync"):
        (bad,) = checking.check(design, case, properties="isolation").results
        assert (bad.verdict, bad.depth) == ("violated", 11) and bad.certified
        assert "victim waits for the i_mutex of log, held by attacker in A" in bad.chain[0]


@pytest.mark.parametrize("design", ["linux-3.0", "linux-3.1"])
def test_a_look_up_holds_the_directorys_i_mutex_while_its_block_is_charged(design: str) -> None:
    (bad,) = checking.check(design, "lookup", properties="isolation").results
    assert (bad.verdict, bad.depth) == ("violated", 11) and bad.certified
    assert "victim waits for the i_mutex of etc/, held by attacker in A" in bad.chain[0]


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        ("fsync @log", "violated"),
        ("lseek @log end", "violated"),  # generic_file_llseek
        ("writef @log 1 1", "violated"),
        ("truncate @log 0", "violated"),
        ("readf @log 1 1", "proved"),
        ("fadv @log dontneed", "proved"),
    ],
)
def test_who_waits_behind_a_writer(tmp_path: Path, victim: str, expected: str) -> None:
    """write(2) holds the i_mutex while it charges; a read does not want it."""
    assert verdict(tmp_path, victim, WRITER)[0] == expected


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        ("stat @etc/hosts", "violated"),
        ("stat @etc/passwd", "violated"),  # nobody has found it yet
        ("creat @etc/new", "violated"),
        ("readdir @etc/", "violated"),
        ("stat @tmp/hosts", "proved"),
        ("creat @tmp/new", "proved"),
        ("readdir @tmp/", "proved"),
    ],
)
def test_who_waits_behind_a_look_up(tmp_path: Path, victim: str, expected: str) -> None:
    """Everybody in that directory, nobody elsewhere."""
    assert verdict(tmp_path, victim, LOOKS)[0] == expected


@pytest.mark.parametrize(
    ("victim", "expected"),
    [("stat @etc/passwd", "proved"), ("creat @etc/passwd", "violated"), ("stat @etc/group", "violated")],
)
def test_the_dcache_finds_a_name_without_the_i_mutex(tmp_path: Path, victim: str, expected: str) -> None:
    """A second look-up of a name takes no lock, whatever has become of the block; open(O_CREAT) always takes it."""
    text = 'setup = ["reclaim", "reclaim"]\n' + MACHINE.format(
        **{"before": "", **LOOKS, "does": "stat @etc/hosts"}, limit=1, outside=""
    )
    text += f'[tasks.victim]\nbefore = "stat @etc/passwd"\ndoes = "{victim}"\n'
    (tmp_path / "c.toml").write_text(text)
    (result,) = checking.check("linux-3.0", tmp_path / "c.toml", properties="isolation").results
    assert result.verdict == expected


def test_a_killed_reader_of_a_directory_does_not_wait_on(tmp_path: Path) -> None:
    """vfs_readdir: mutex_lock_killable; a look-up's wait is not."""
    for victim, expected in (("readdir @etc/", "proved"), ("stat @etc/hosts", "violated")):
        text = MACHINE.format(**{"before": "", **LOOKS}, limit=1, outside='"kill victim"')
        (tmp_path / "c.toml").write_text(text + f'[tasks.victim]\ndoes = "{victim}"\n')
        (result,) = checking.check("linux-3.0", tmp_path / "c.toml", properties="killable").results
        assert result.verdict == expected, victim


def test_fadvise_begins_to_write_and_so_waits_for_a_dirty_pages_lock(tmp_path: Path) -> None:
    """filemap_flush of 3.0's POSIX_FADV_DONTNEED locks each dirty page; a clean one is only tried."""
    dirty = "writef @lib 0 1"
    assert verdict(tmp_path, "fadv @lib dontneed", COPIES)[0] == "proved"
    assert verdict(tmp_path, "fadv @lib dontneed", COPIES, before=dirty)[0] == "violated"
    assert verdict(tmp_path, "fadv @lib dontneed", COPIES, before=dirty, design="linux-3.1")[0] == "proved"


def test_map_populate_charges_with_the_mmap_sem_for_writing(tmp_path: Path) -> None:
    """mmap_region calls make_pages_present: who reads that process' /proc waits without a writer in between."""
    machine = {"path": "mmap_populate", "files": "", "does": "anonpop more 1"}
    bad, chain = verdict(tmp_path, "readproc attacker", machine, design="linux-3.1")
    assert bad == "violated" and "victim waits for mmap_sem (to read), held by attacker in A" in chain
    assert verdict(tmp_path, "readproc attacker", {**machine, "path": "mmap", "does": "anon more 1"})[0] == "proved"


@pytest.mark.parametrize(
    ("victim", "expected"),
    [("readproc all", "violated"), ("readproc all cmdline", "violated"), ("readproc all exe", "violated"),
     ("readproc all status", "proved"), ("readproc attacker stat", "proved"), ("readproc all statm", "proved")],
)  # fmt: skip
def test_which_files_of_proc_want_the_mmap_sem(tmp_path: Path, victim: str, expected: str) -> None:
    """Those that look into the address space; the counters of stat, statm and status are read without it."""
    assert verdict(tmp_path, victim, {"path": "mmap_populate", "files": "", "does": "anonpop more 1"})[0] == expected


@pytest.mark.parametrize("victim", ["munmap lib", "exit 0", "mapf lib @lib 1 r private"])
def test_what_was_mlocked_is_locked_once_more_before_it_goes(tmp_path: Path, victim: str) -> None:
    """munlock_vma_pages_range: lock_page of each page, with munmap, mmap and exit; not where nothing is mlocked."""
    before = "mapf lib @lib 1 r private\ntouch lib 0 1 1 r"
    assert verdict(tmp_path, victim, COPIES, before=before)[0] == "proved"
    bad, chain = verdict(tmp_path, victim, COPIES, before=before + "\nmlock lib")
    assert bad == "violated" and "victim waits for the page lock of lib page 0, held by attacker in A" in chain
    assert verdict(tmp_path, victim, COPIES, before=before + "\nmlock lib", design="linux-3.1")[0] == "proved"
