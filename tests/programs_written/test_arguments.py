"""Arguments of written programs, exec, and children that begin in a group."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from cowpath import api
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.unit import Unit
from cowpath.programs.written import compile_written
from cowpath.session.load import load_session
from cowpath.words import Place, Word

WORKER = "mapf data $1 ${2:-8} r shared\nloop i ${2:-8}\n  touch data i 1 1 r\nend\nmark\n"


def unit(text: str, *arguments: str) -> Unit:
    words = tuple(Word(each, Place("s.sh", 1, 1 + at)) for at, each in enumerate(arguments))
    return compile_written(text, "p.prog", "p", words)


def test_arguments_stand_where_their_numbers_are() -> None:
    for given, pages in ((("@f", "16"), 16), (("@f",), 8)):
        found = unit(WORKER, *given).code
        assert [(file.name, file.pages) for file in found.files] == [("f", pages)]
        assert list(found.ops["b"][found.ops["code"] == n.OP_NEXT]) == [pages]
    many = unit("anon m ${11}\nanon b $1${2}\nreadf @file_$3 0 1\n", *"123456789", "10", "11").code
    assert list(many.ops["b"][many.ops["code"] == n.OP_MMAP]) == [11, 12] and many.files[0].name == "file_3"
    assert unit("fork\n  run q $1\nend\n", "@x").calls[0].arguments[0].text == "@x"


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        (WORKER, (), r"p\.prog:1:11: \$1 is not given: the program is started as 'p' \(p ARG1"),
        ("anon m $2\n", ("1",), r"p\.prog:1:8: \$2 is not given: the program is started as 'p 1'"),
        (WORKER, ("@f", "1", "2"), r"s\.sh:1:3: p takes 2 arguments: '2'"),
        ("anon m 1\n", ("1",), r"s\.sh:1:1: p takes no arguments: '1'"),
        (WORKER, ("@f", "many"), r"p\.prog:1:14: 'many' is not a whole number"),
        (WORKER, ("f",), r"p\.prog:1:11: 'f' is not a file"),
        ("anon m $x\n", (), r"p\.prog:1:8: '\$x' is not a whole number"),
    ],
)
def test_what_is_wrong_with_them(text: str, given: tuple[str, ...], told: str) -> None:
    with pytest.raises(InputError, match=told):
        unit(text, *given)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("exec q\nmark\n", "2:1: what follows exec is never reached"),
        ("thread\n  exec q\nend\n", "2:3: exec in a thread"),
        ("exec\n", "1:1: exec needs more words"),
        ("fork a in A\nend\n", "1:8: 'in' is not understood here .into GROUP"),
        ("fork a b\nend\n", "1:8: 'b' is not understood here .into GROUP"),
        ("start a into A\n", "1:7: no task 'a'"),
        ("thread a into A\nend\n", "1:10: too many words"),
    ],
)
def test_wrong_lines(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        unit(text)


def test_any_lines_are_a_program_or_an_input_error() -> None:
    rng = random.Random(5)
    words = ["exec", "fork", "into", "A", "start", "t", "task", "end", "anon", "m", "q", "thread"]
    words += ["$1", "${2:-3}", "$", "${"]
    for _ in range(400):
        text = "\n".join(" ".join(rng.choices(words, k=rng.randint(1, 5))) for _ in range(rng.randint(1, 8)))
        try:
            assert unit(text, *rng.choices(words, k=rng.randint(0, 3))).code.ops["code"][0] == n.OP_EXEC
        except InputError as error:
            assert error.line is not None


PROGRAMS = {
    "worker": WORKER,
    "launcher": "fork one into $1\n  anon a 300\n  touch a 0 300 1 w\n  mark\nend\nwait one\n"
    "task two\n  anon b 100\n  touch b 0 100 1 w\n  mark\nend\nstart two into $1\nwait two\n",
    "before": "anon a 500\ntouch a 0 500 1 w\nexec worker @file 4\n",
    "sleeper": "anon heap 4\ntouch heap 0 4 1 w\nsleep 1s\n",
    "becomes": "anon other 2\nfork c\n  exec sleeper\nend\nexec sleeper\n",
    "writer": "sleep 10ms\nvmw becomes heap\nvmw becomes.c heap 1 2\n",
}


def session(folder: Path, text: str) -> Path:
    for name, lines in PROGRAMS.items():
        (folder / f"{name}.prog").write_text(lines)
    tables = "".join(f'[programs.{name}]\nwritten = "{name}.prog"\n' for name in PROGRAMS)
    (folder / "s.toml").write_text(f"{tables}[bystanders]\nprograms = []\n")
    (folder / "s.sh").write_text(text)
    return folder / "s.sh"


def test_children_that_begin_in_a_group(tmp_path: Path) -> None:
    file = session(tmp_path, "mkdir /sys/fs/cgroup/A\nlauncher A\ncat /sys/fs/cgroup/A/memory.current\n")
    found = api.run(file, "linux-6.18").summary
    group = found["groups"]["A"]
    assert group["jobs_done"] == 2 and 300 <= group["memory.peak"] >> 12 < 360
    for design, told in {
        "linux-4.19": "launcher.prog:1:15: linux-4.19 has no CLONE_INTO_CGROUP .it came with Linux 5.7",
        "linux-3.0": "is of cgroup v2, and linux-3.0 has v1",
    }.items():
        with pytest.raises(InputError, match=told):
            api.run(file, design)
    file = session(tmp_path, "mkdir /sys/fs/cgroup/A\nlauncher AB\n")
    with pytest.raises(InputError, match=r"launcher\.prog:1:15: the session makes no group 'AB'"):
        api.run(file)
    file = session(tmp_path, "mkdir /sys/fs/cgroup/A\nrmdir /sys/fs/cgroup/A\nlauncher A\n")
    assert api.run(file).summary["groups"]["A"]["jobs_done"] == 0  # clone3: ENOENT


def test_exec_takes_the_memory_away(tmp_path: Path) -> None:
    text = "mkdir /sys/fs/cgroup/A\ncgexec -g memory:A before\ncat /sys/fs/cgroup/A/memory.current\n"
    found = api.run(session(tmp_path, text), "linux-6.18").summary
    group = found["groups"]["A"]
    assert group["jobs_done"] == 1 and group["memory.peak"] >> 12 >= 500 and int(found["output"]) < 200 * 4096


def test_regions_are_those_of_the_program_that_a_task_has_become(tmp_path: Path) -> None:
    load_session(session(tmp_path, "becomes &\nwriter\nkill %1\n"))
    (tmp_path / "writer.prog").write_text("vmw becomes other\n")
    with pytest.raises(InputError, match="task 'becomes' has no region 'other'"):
        load_session(tmp_path / "s.sh")
    (tmp_path / "sleeper.prog").write_text("exec becomes\n")
    with pytest.raises(InputError, match="run each other without end"):
        load_session(tmp_path / "s.sh")
