"""Program tables: what they say, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowpath.errors import InputError
from cowpath.session.load import list_programs, load_session
from cowpath.session.parser import BUILT_IN, SAYING, TABLE
from cowpath.session.plan import MachineSettings
from cowpath.session.programs import make_jobs
from cowpath.session.table import Table, load_tables, read_table
from cowpath.words import Place, Word


def write(folder: Path, **files: str) -> Path:
    """Files in a folder; s.sh is there always."""
    (folder / "s.sh").write_text("true\n")
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder / "s.sh"


def test_everything_that_a_table_may_say(tmp_path: Path) -> None:
    session = write(
        tmp_path,
        s_toml="""
        [machine]
        cpus = 2
        memory = "1.5G"
        until = "65s"
        settle = "5ms"
        swap = "256M"
        swappiness = 20
        reuse = 0.5
        readahead = 32
        copies = 3
        cold = true
        costs = "slow"
        [bystanders]
        programs = ["p", "p"]
        [programs.p]
        written = "p.prog"
        about = "a victim"
        [files.lib]
        pages = 4
        """,
        p_prog="fork c\nmapf m @lib 2 r private\nend\n",
    )
    plan = load_session(session)
    assert plan.settings == MachineSettings(
        cpus=2, memory=3 << 29, swap=256 << 20, swappiness=20, until=65 * 10**9, reuse=0.5, readahead=32, costs="slow"
    )
    assert [(plan.comms[s.comm], s.bystander) for s in plan.starts] == [
        ("p", True), ("p", True), ("sh", False), ("kswapd0", False), ("flush-8:0", False),
    ]  # fmt: skip
    assert plan.kthreads == (3, 4)
    assert plan.slots == ("p", "p.c", "p.2", "p.2.c")
    assert (plan.files[0].pages, plan.files[0].warm) == (4, False)
    assert plan.ops["a"][plan.starts[plan.shell].entry] == 5_000_000  # the shell's first sleep
    warmer = load_session(session, cold=False, bystanders=["p"], settle=0, settings=MachineSettings(cpus=4))
    assert (len(warmer.starts), warmer.files[0].warm, warmer.settings.cpus, warmer.settings.readahead) == (
        4,
        True,
        4,
        32,
    )


def test_an_included_table_gives_what_is_not_said(tmp_path: Path) -> None:
    write(tmp_path, s_toml='include = "b.toml"\nmachine.cpus = 4\n', b_toml='machine = {cpus = 2, memory = "1G"}\n')
    assert read_table(tmp_path / "s.toml").settings == MachineSettings(cpus=4, memory=1 << 30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[machine]\ncpu = 2", "s.toml:2:1: unknown key in [machine]: 'cpu' (did you mean cpus? known: cpus, memory,"),
        ("[machine]\ncpus = 99", "s.toml:2:1: cpus is out of range: 99 (from 1 to 32)"),
        ("[machine]\ncpus = true", "s.toml:2:1: cpus has a wrong value: True (it must be a number)"),
        ('[machine]\nmemory = "64Q"', "s.toml:2:1: '64Q' is not a size"),
        ('[machine]\nswap = "5G"', "s.toml:2:1: swap is out of range: 5368709120 bytes (0 (none) to 4G)"),
        ('[machine]\nswap = "lots"', "s.toml:2:1: 'lots' is not a size"),
        ("[machine]\nswappiness = 101", "s.toml:2:1: swappiness is out of range: 101 (from 0 to 100)"),
        ("[programs.p]\nabout = 'x'", "s.toml:1:11: [programs.p] needs one of written, recording, build"),
        ("[programs.p]\nwriten = 'x'", "s.toml:2:1: unknown key in [programs.p]: 'writen' (did you mean written?"),
        ("[files.x]\npages = -1", "s.toml:2:1: pages is out of range: -1"),
        ("[bystanders]\nprograms = [1]", "s.toml:2:1: not a program's name: 1"),
        ("[bystanders]\nprograms = ['lss']", "s.toml:2:14: unknown command or program: 'lss' (did you mean ls?"),
        ("a = ", "s.toml: not a TOML file: Invalid value"),
        ("include = 's.toml'", "s.toml:1:12: tables include each other without end"),
        ("include = 'x.toml'", "s.toml:1:12: no such file: 'x.toml'"),
        (
            "[programs.ls]\nrecording = 'lss'\n[bystanders]\nprograms = ['ls']",
            "s.toml:1:11: no such recording: 'lss' (did you mean",
        ),
        (
            "[programs.p]\nwritten = 'p.prog'\n[bystanders]\nprograms = ['p']",
            "s.toml:1:11: the program 'p' is missing: ",
        ),
    ],
)
def test_errors(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        load_session(write(tmp_path, s_toml=text))
    assert str(caught.value).replace(f"{tmp_path}/", "", 1).startswith(expected)


def test_sessions_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bytes.sh").write_bytes(b"\xff\xfe")
    (tmp_path / "zero.sh").write_bytes(b"true\0")
    for name, problem in (
        ("none.sh", "cannot be read: No such file"),
        (".", "cannot be read: Is a directory"),
        ("bytes.sh", "not a text file"),
        ("zero.sh", "not a text file"),
        ("\0", "cannot be read"),
    ):
        with pytest.raises(InputError, match=problem):
            load_session(tmp_path / name)


@given(st.text(alphabet="[]{}=\"'.\n\t ,#abcdefgmachineprogramsfiles0123456789-_\\", max_size=60))
def test_any_text_is_a_table_or_an_input_error(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.toml"
        path.write_text(text)
        try:
            assert isinstance(read_table(path), Table)
        except InputError as error:
            assert str(path) in str(error)


@pytest.mark.parametrize(
    ("arguments", "jobs", "ignored"),
    [
        ("-j", None, ""),
        ("", 1, ""),
        ("-j4", 4, ""),
        ("-j 4 all", 4, "all"),
        ("-s -j -C src CC=gcc", None, "-s -C src CC=gcc"),
        ("--jobs=8 -k", 8, "-k"),
        ("-j all", None, "all"),
    ],
)
def test_makes_arguments(arguments: str, jobs: int | None, ignored: str) -> None:
    words = tuple(Word(text, Place("s.sh", 1, 1)) for text in arguments.split())
    assert make_jobs(words) == (jobs, ignored.split())


@pytest.mark.parametrize("arguments", ["-x", "-j0", "-j 99999", "--jobz", "-C"])
def test_what_make_does_not_take(arguments: str) -> None:
    with pytest.raises(InputError):
        make_jobs(tuple(Word(text, Place("s.sh", 1, 1)) for text in arguments.split()))


def test_the_list_of_programs(tmp_path: Path) -> None:
    assert {"make", "ls", "bash", "ps", "grep", "shell"} <= {row.name for row in list_programs()}
    session = write(tmp_path, s_toml="[programs.ls]\nwritten = 'p.prog'")
    ls = next(row for row in list_programs(session) if row.name == "ls")
    assert (ls.kind, ls.table) == ("written", str(tmp_path / "s.toml"))
    assert load_tables(session).programs["make"].kind == "build"


@pytest.mark.parametrize("name", sorted({*TABLE, *SAYING} - {*BUILT_IN}))
@pytest.mark.parametrize("end", ["", " &"], ids=["waited for", "in the background"])
def test_a_program_of_the_sessions_table_goes_before_a_command_of_the_same_name(
    tmp_path: Path, name: str, end: str
) -> None:
    session = write(
        tmp_path,
        s_toml=f'[bystanders]\nprograms = []\n[programs."{name}"]\nwritten = "own.prog"\n',
        own_prog="fork own\nmapf m @lib 2 r private\nend\n",
    )
    session.write_text(f"{name}{end}\n")
    plan = load_session(session)
    assert {file.name for file in plan.files} == {"lib"} and name in plan.comms
