"""Steps and locks of one's own: one file, no fork. Each test is a process: the kernel is put together once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = "from cowpath.kernel import own\n\n"
STEPS = ROOT / "examples" / "steps"


def cowpath(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command, in plain Python: the cases are tiny."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "COLUMNS": "200"} | variables
    line = [sys.executable, "-m", "cowpath", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)


def verdicts(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, int]]:
    results = json.loads(done.stdout)["results"]
    return {each["design"]: (each["verdict"], len(each["schedule"])) for each in results}


def checked(steps: str, *designs: str, case: str = "page-table") -> dict[str, tuple[str, int]]:
    chosen = [word for design in designs for word in ("--design", str(STEPS / design))]
    return verdicts(cowpath("check", "--steps", STEPS / steps, *chosen, "-c", case, "-p", "isolation", "--json"))


def test_the_worked_example_as_a_file() -> None:
    found = checked("pte_alloc.py", "under-lock.toml", "before-lock.toml")
    assert found["own-pte-under-lock"] == ("violated", 13)
    assert found["own-pte-first"][0] == "proved"


def test_a_lock_in_a_file_of_ones_own_and_its_dead_lock() -> None:
    """The mutex is in the records, the wait-for graph, the lock order and the words, by one entry of the table."""
    done = cowpath(
        "check", "--steps", STEPS / "fault_mutex.py", "--design", STEPS / "fault-mutex.toml", "-c", "commit",
        "-p", "isolation", "-p", "lock-order", "-p", "no-leak", "--json",
    )  # fmt: skip
    results = {each["property"]: each for each in json.loads(done.stdout)["results"]}
    assert results["isolation"]["verdict"] == "violated" and len(results["isolation"]["schedule"]) == 13
    assert "victim waits for the fault_mutex of lib, held by attacker in A" in done.stdout
    assert results["lock-order"]["verdict"] == results["no-leak"]["verdict"] == "proved"


def test_a_lock_that_is_taken_against_the_order_is_found(tmp_path: Path) -> None:
    """A mutex with a place after the page lock's may not be held by who takes that."""
    steps = (STEPS / "fault_mutex.py").read_text().replace("order=25", "order=35")
    (tmp_path / "fault_mutex.py").write_text(steps)
    done = cowpath(
        "check", "--steps", tmp_path / "fault_mutex.py", "--design", STEPS / "fault-mutex.toml", "-c", "commit",
        "-p", "lock-order", "--json",
    )  # fmt: skip
    assert json.loads(done.stdout)["results"][0]["verdict"] == "violated"


def test_without_the_file_there_is_no_such_step() -> None:
    done = cowpath("check", "--design", STEPS / "under-lock.toml", "-c", "page-table")
    assert done.returncode == 2
    assert "under-lock.toml" in done.stderr and "'own_pte_alloc'" in done.stderr


def test_the_environment_may_name_the_file() -> None:
    done = cowpath(
        "check", "-d", STEPS / "under-lock.toml", "-c", "page-table", "-p", "isolation", "--json",
        COWPATH_STEPS=str(STEPS / "pte_alloc.py"),
    )  # fmt: skip
    assert verdicts(done) == {"own-pte-under-lock": ("violated", 13)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("from cowpath.kernel import own\n\n@own.step()\ndef charge(k, t):\n    return 0\n", ":3: a step's function"),
        (
            "from cowpath.kernel import own\n\n@own.step()\ndef step_charge(k, t):\n    return 0\n",
            ":3: there is a step",
        ),
        ("from cowpath.kernel import own\n\n@own.step(take=1)\ndef step_x(k, t):\n    return 0\n", "'take' is nothing"),
        ("from cowpath.kernel import own\n\n@own.step()\ndef step_x(k):\n    return 0\n", "def step_x(k, t)"),
        ("import nowhere_at_all\n", ":1: ModuleNotFoundError"),
        ("def broken(:\n", ":1: SyntaxError"),
        ("x = 1\ny = x / 0\n", ":2: ZeroDivisionError"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(text)
    done = cowpath("check", "--steps", mine, "-d", "linux-3.0", "-c", "commit")
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_a_file_that_is_not_there() -> None:
    done = cowpath("run", "--steps", "nowhere.py", "examples/oom-off.sh")
    assert done.returncode == 2 and "nowhere.py: cannot read the steps" in done.stderr


def test_too_late_in_a_process() -> None:
    code = (
        "import cowpath, cowpath.engine.loop\n"
        "try:\n    cowpath.use_steps('examples/steps/pte_alloc.py')\n"
        "except cowpath.InputError as error:\n    print(error)\n"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=ROOT, check=True
    )
    assert "before the first run or check" in done.stdout and "COWPATH_STEPS" in done.stdout


ALONE = """extends = "preallocate"
[paths]
file_cow = ["bad", "anon_vma_prepare", "alloc_page", "charge", "find_page", "lock_page", "copy_page", "map_page",
            "unlock_page", "put_page"]
"""


def first_step(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Check a design that begins with a step of one's own."""
    (folder / "bad.py").write_text(
        f"from cowpath.kernel import names as n, own\n\n\n@own.step(fault=True)\ndef step_bad(k, t):\n    {line}\n"
    )
    (folder / "bad.toml").write_text(ALONE)
    return cowpath(
        "check", "--steps", folder / "bad.py", "-d", folder / "bad.toml", "-c", "commit", "-p", "isolation"
    )  # fmt: skip


@pytest.mark.parametrize("answer", ["n.FAIL_SIGBUS", "77", "n.SLEEP", "n.AGAIN", "n.RETRY"])
def test_a_step_that_nobody_gets_past_proves_nothing(tmp_path: Path, answer: str) -> None:
    done = first_step(tmp_path, f"return {answer}")
    assert done.returncode == 4 and "proved, but vacuous: file_cow never gets past step 1 in " in done.stdout


@pytest.mark.parametrize("line", ["return nosuch", "raise ValueError", "k.state.tasks[1000].group = 1"])
def test_what_a_step_raises_is_one_line(tmp_path: Path, line: str) -> None:
    done = first_step(tmp_path, line)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"cowpath: {tmp_path / 'bad.py'}:6: ")
