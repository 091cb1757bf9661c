"""The model in plain Python: what comes out is the same, nothing is said of it, and it is chosen where it is sooner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cowpath import checking

from ..slow import some_nightly

ROOT = Path(__file__).parents[2]
STEPS = ROOT / "examples" / "steps"
CASES = ("commit", "fork-cow", "page-table", "truncate-while-waiting", "write")


def python(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_DISABLE_JIT"} | variables
    line = [sys.executable, *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)


def cowpath(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "cowpath", *words, **variables)


def without_seconds(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in each.items() if name != "wall_s"} for each in results]


@pytest.mark.parametrize("case", some_nightly(CASES, nightly=["fork-cow", "page-table"]))
def test_the_same_verdicts_schedules_and_counts_and_nothing_on_stderr(case: str) -> None:
    """Of a case on two designs: one with waits in the locks, one without."""
    designs = ["linux-3.0", "preallocate"]
    done = cowpath("check", "--interpreted", "-d", designs[0], "-d", designs[1], "-c", case, "--json")
    assert done.stderr == ""
    plain, compiled = json.loads(done.stdout), json.loads(json.dumps(checking.check(designs, case).summary))
    assert without_seconds(plain.pop("results")) == without_seconds(compiled.pop("results"))
    assert plain == compiled


@pytest.mark.parametrize("options", [{"states": 100}, {"memory": 1 << 20}, {"reduction": False}])
def test_the_same_where_it_gives_up_and_without_reduction(options: dict[str, Any]) -> None:
    words = [f"--{name}={value}" if name != "reduction" else "--no-reduction" for name, value in options.items()]
    done = cowpath("check", "--interpreted", "-d", "linux-3.0", "-c", "fork-cow", "--json", *words)
    compiled = json.loads(json.dumps(checking.check("linux-3.0", "fork-cow", **options).summary))["results"]
    assert without_seconds(json.loads(done.stdout)["results"]) == without_seconds(compiled)


def test_numba_is_not_even_imported(tmp_path: Path) -> None:
    code = (
        "import sys, cowpath\ncowpath.interpret()\n"
        "print(cowpath.check('linux-3.0', 'commit', properties='isolation').verdict, 'numba' in sys.modules)"
    )
    done = python("-c", code, COWPATH_CACHE=str(tmp_path / "cache"))
    assert (done.stdout, done.stderr) == ("violated False\n", "")
    assert not (tmp_path / "cache").exists()


def test_a_page_too(tmp_path: Path) -> None:
    """What is drawn is gathered from arrays of records, whose elements have no attributes of their own."""
    (tmp_path / "s.sh").write_text("ls -la /tmp\n")
    page = tmp_path / "s.html"
    done = cowpath("run", tmp_path / "s.sh", "--until", "1ms", "--report", page, COWPATH_INTERPRETED="1")
    assert done.returncode == 0, done.stderr
    assert page.stat().st_size > 0


def test_a_session_too() -> None:
    """The clock's machine has room for millions of pages: of those, only what is touched is looked at."""
    code = (
        "import cowpath\nsummary = cowpath.run('examples/commit.sh', 'linux-3.0', until='2ms').summary\n"
        "del summary['wall_s']\nprint(summary)"
    )
    plain, compiled = python("-c", code, COWPATH_INTERPRETED="1"), python("-c", code, COWPATH_INTERPRETED="0")
    assert plain.stdout == compiled.stdout != ""
    assert plain.stderr == ""


# --- which way is chosen
WHICH = (  # as the command's own process, but that it tells at its end
    "import sys\nfrom cowpath import cli\nfrom cowpath.cli import ways\n{more}\n"
    "try:\n    cli.main()\nfinally:\n"
    "    from cowpath.kernel.compiled import INTERPRETED\n"
    "    print('interpreted' if INTERPRETED else 'compiled')"
)
CHECK = ("check", "-d", "linux-3.0", "-c", "commit", "-p", "isolation", "--json")


def chosen(*words: str | Path, more: str = "", **variables: str) -> tuple[str, str]:
    """Which way a command has run, and what it said on stderr."""
    done = python("-c", WHICH.format(more=more), *words, **variables)
    return done.stdout.splitlines()[-1], done.stderr


def test_plain_python_where_nothing_is_compiled(tmp_path: Path) -> None:
    """A kernel that has just been changed, and a first time."""
    assert chosen(*CHECK, COWPATH_CACHE=str(tmp_path / "cache")) == ("interpreted", "")
    assert not (tmp_path / "cache").exists()  # it was done before compiling was worth it


def test_compiled_code_where_it_is_at_hand() -> None:
    checking.check("linux-3.0", "commit", properties="isolation")  # now it is
    assert chosen(*CHECK) == ("compiled", "")
    assert chosen(*CHECK, "--interpreted") == ("interpreted", "")
    assert chosen(*CHECK, COWPATH_INTERPRETED="1") == ("interpreted", "")


def test_with_steps_of_ones_own_it_is_another_kernel() -> None:
    mine = ("--steps", STEPS / "pte_alloc.py", "-d", STEPS / "under-lock.toml", "-c", "page-table", "-p", "isolation")
    assert chosen("check", *mine) == ("interpreted", "")


def test_what_takes_longer_begins_again_once_the_kernel_is_compiled() -> None:
    """Here nothing is at hand at first, and the other process is done before the case is."""
    more = (
        "import os, subprocess\nfrom cowpath.kernel.jit import chosen\n"
        "chosen.at_hand = lambda *_: False\nways.HEAD_START_S = ways.BETWEEN_LOOKS_S = 0.01\n"
        "ways._compile = lambda: subprocess.Popen(['true'])\n"
        "print('begins')"
    )
    # the kernel comes with ``chosen``: it has to find its mind made up
    more = "import os\nos.environ.setdefault('COWPATH_INTERPRETED', 'auto')\n" + more
    done = python("-c", WHICH.format(more=more), "check", "-d", "linux-3.0", "-c", "fork-cow", "--json")
    *_, last = done.stdout.splitlines()
    assert (last, done.stderr) == ("compiled", "")
    assert done.stdout.count("begins") == 2 and done.stdout.count('"most_states"') == 1


def test_what_is_compiled_meanwhile_ends_with_the_command(tmp_path: Path) -> None:
    more = (
        "import subprocess\nways.HEAD_START_S = 0.01\n"
        "def compile_():\n"
        "    global compiler\n    compiler = subprocess.Popen(['sleep', '600'])\n    return compiler\n"
        "ways._compile = compile_\n"
        "import atexit\natexit.register(lambda: print(compiler.poll()))"
    )
    done = python("-c", WHICH.format(more=more), *CHECK, COWPATH_CACHE=str(tmp_path / "cache"))
    assert done.stdout.splitlines()[-2:] == ["interpreted", "-15"], done.stderr


def test_what_is_read_from_a_pipe_cannot_begin_again(tmp_path: Path) -> None:
    """``-d <(sed ...)``: a command that began again would find nothing in it."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    code = (
        "import os; from cowpath.cli import ways; ways._alone = True\n"
        f"ways.choose(None, [], ['-d', {str(tmp_path)!r} + '/' + NAME]); print(os.environ.get('COWPATH_INTERPRETED'))"
    )
    for name, chosen_ in (("pipe", "None"), ("file", "auto"), ("nothing", "auto")):
        assert python("-c", f"NAME = {name!r}\n{code}").stdout == f"{chosen_}\n"


def test_too_late_in_a_process() -> None:
    code = (
        "import cowpath, cowpath.engine.loop\n"
        "try:\n    cowpath.interpret()\nexcept cowpath.InputError as error:\n    print(error)\n"
    )
    said = python("-c", code, COWPATH_INTERPRETED="0").stdout
    assert "compiled in this process already" in said and "COWPATH_INTERPRETED=1" in said


# --- the machine that it works on
def test_a_view_reads_and_writes_the_machines_bytes() -> None:
    from cowpath.kernel.state import EXPLORE, new_machine

    k = new_machine(EXPLORE)
    plain = k.plain
    plain.state.tasks[2].frames[1].pc = 7
    k.state.groups[1].res.limit = 1 << 40
    k.state.slots[3] = 5
    assert k.state.tasks[2].frames[1].pc == 7
    assert plain.state.groups[1].res.limit == 1 << 40 and plain.state.slots[3] == 5
    assert plain.state.tasks[2] is plain.state.tasks[2] and len(plain.state.tasks) == EXPLORE.tasks


def test_what_a_machine_has_not_is_an_error() -> None:
    from cowpath.kernel.state import EXPLORE, new_machine

    plain = new_machine(EXPLORE).plain
    for wrong in (
        lambda: plain.state.tasks[EXPLORE.tasks],
        lambda: plain.state.tasks[-1],
        lambda: plain.state.slots[EXPLORE.slots],
        lambda: plain.state.slots[-1],
        lambda: plain.state.slots.__setitem__(-1, 0),
    ):
        with pytest.raises(IndexError):
            wrong()
    with pytest.raises(AttributeError, match="nosuch"):
        _ = plain.state.nosuch
    with pytest.raises(AttributeError, match="nosuch"):
        plain.state.nosuch = 1
