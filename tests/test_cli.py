"""The command line: help, version, exit statuses, and one clear message for everything that can go wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

import cowpath
from cowpath.cli import app
from cowpath.observe.text import visible

EXAMPLES = Path(__file__).parent.parent / "examples"
SMALL = """cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgexec -g memory:A ls
cat /sys/fs/cgroup/memory/A/memory.failcnt
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})


def process(*arguments: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "cowpath", *arguments], text=True, **options)  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def small(tmp_path: Path) -> str:
    session = tmp_path / "small.sh"
    session.write_text(SMALL)
    return str(session)


def test_version() -> None:
    assert call("-V").output == call("--version").output == f"cowpath {cowpath.__version__}\n"


def loaded_by(*arguments: str) -> set[str]:
    """The packages that a command has imported when it ends, run as plain Python."""
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr))\n"
        "from cowpath.cli import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stderr.splitlines()[-1].split())


OF_REPORTS = {"bokeh", "jinja2", "PIL", "tornado"}
OF_FILES = {"arro3", "asyncio", "google", "perfetto", "polars", "pyarrow"}


def test_version_loads_nothing_heavy() -> None:
    assert not loaded_by("--version") & (OF_REPORTS | OF_FILES | {"numba", "numpy", "pydantic", "rustworkx"})


def test_a_small_run_loads_what_it_uses_only() -> None:
    loaded = loaded_by("run", str(EXAMPLES / "oom-off.sh"), "--until", "1us")
    assert "numpy" in loaded
    assert not loaded & (OF_REPORTS | OF_FILES | {"numba", "rustworkx"})  # plain Python wants no compiler either


def test_a_small_check_does_not_ask_pydantic_what_to_make_of_its_words() -> None:
    words = ("check", "--design", "preallocate", "--case", "cold-page", "--property", "isolation", "--json")
    assert not loaded_by(*words) & (OF_REPORTS | OF_FILES | {"pydantic", "rustworkx"})


def test_a_word_is_what_typer_makes_of_it_whoever_makes_it() -> None:
    """What pydantic is not asked, and what it is: no value, a word, words, letters of another alphabet, a number."""
    command = typer.main.get_command(app).commands["check"]  # type: ignore[attr-defined]
    context = command.make_context("check", ["-d", "linux-3.0", "-d", "h\u00e4", "--memory", "1G", "--states", "3"])
    assert context.params["design"] == ["linux-3.0", "h\u00e4"]
    assert (context.params["memory"], context.params["states"]) == ("1G", 3)
    assert (context.params["path"], context.params["interpreted"], context.params["reduction"]) == (None, None, True)
    assert not context.params["case"] and not context.params["property_"]
    refused = call("check", "--states", "few")
    assert refused.exit_code == 2 and "valid integer" in refused.output


def test_without_polars_only_data_frames_are_missed(small: str) -> None:
    code = (
        "import sys; sys.modules['polars'] = None\n"
        f"import cowpath; result = cowpath.run({small!r}, until='1us'); print(result.verdict); result.faults"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True
    )
    assert done.stdout == "isolated\n"
    assert "InputError: data frames are polars', which is not here (pip install 'cowpath[frames]')" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "compare",
        "costs",
        "step",
        "programs",
        "import",
        "record",
        "warm-up",
        "designs list",
        "designs show",
        "designs diff",
        "designs",
    ],
)
def test_the_help_of_every_command_teaches_with_an_example(command: str) -> None:
    result = call(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Example: cowpath" in result.output


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["nosuch"], ["run", "x.sh", "--cpus", "0"], ["run", "x.sh", "--cpus", "two"],
     ["step", "x", "--count", "0"], ["run", "x.sh", "--nosuch"],
     ["run", "x.sh", "--fail-on", "isolated"], ["run", "x.sh", "--memory", "64Q"],
     ["compare", "x.sh", "--swap", "lots"], ["run", "x.sh", "--until", "soon"],
     ["compare", "x.sh", "--seed", "-1"], ["designs", "diff", "linux-3.0"]],
)  # fmt: skip
def test_bad_options_are_usage_errors(arguments: list[str]) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.stdout == "" and result.stderr.startswith("cowpath: ") and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run s.sh --lgo", "no such option: --lgo (possible options: --log; cowpath run --help)"),
        ("chek", "no such command 'chek' (did you mean 'check'?; cowpath --help)"),
        ("designs shwo", "no such command 'shwo' (did you mean 'show'?; cowpath designs --help)"),
        ("run", "missing argument 'SESSION' (cowpath run --help)"),
        ("compare s.sh --log a.parquet", "no such option: --log (cowpath run has it; cowpath compare --help)"),
    ],
)
def test_usage_errors_have_the_form_of_all_others(words: str, said: str) -> None:
    assert CliRunner().invoke(app, words.split(), prog_name="cowpath").stderr == f"cowpath: {said}\n"


def test_a_switch_takes_no_word_and_numbers_are_called_n() -> None:
    told = call("run", "--help").output
    assert "<" not in told.replace("<=", "")
    groups = [line.split("─")[1].strip() for line in told.splitlines() if line.startswith("╭")]
    assert groups == ["Arguments", "Options", "The machine", "The run", "The session", "What comes of it"]


@pytest.mark.parametrize(
    ("words", "proposed"),
    [("cowpath run --design pte-", "pte-alloc-under-lock pte-prealloc"), ("cowpath check -p isol", "isolation"),
     ("cowpath check -c high-ap", "high-append"), ("cowpath ru", "run")],
)  # fmt: skip
def test_the_shell_completes_names(words: str, proposed: str) -> None:
    asked = {"_COWPATH_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run([sys.executable, "-m", "cowpath"], env=os.environ | asked, capture_output=True, text=True)
    assert done.stdout.split() == proposed.split(), done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nosuch.sh"], ["nosuch.sh"]),
        (["run", "{small}", "--design", "linux-3.00"], ["linux-3.00", "linux-3.0"]),
        (["run", "{small}", "--log", "/no/such/folder/log.parquet"], ["/no/such/folder/log.parquet"]),
        (
            ["run", "{small}", "--trace", "/no/such/folder/x.pftrace"],
            ["x.pftrace: cannot write the trace"],
        ),
        (["run", "{small}", "--costs", "nosuch.toml"], ["nosuch.toml"]),
        (["run", "{small}", "--swap", "5G"], ["--swap", "5368709120 bytes", "0 (none) to 4G"]),
        (["step", "{small}", "--swap", "-1"], ["'-1' is not a size"]),
        (["designs", "show", "preallocte"], ["preallocte", "preallocate"]),
        (["designs", "diff", "linux-3.0", "nosuch"], ["nosuch"]),
        (["import", "nosuch-folder", "out.rec"], ["nosuch-folder"]),
        (["programs", "nosuch.sh"], ["nosuch.sh"]),
    ],
)
def test_bad_input_is_one_clear_message(small: str, arguments: list[str], words: list[str]) -> None:
    result = call(*(argument.format(small=small) for argument in arguments))
    assert result.exit_code == 2
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr
    assert result.stderr.startswith("cowpath: ") and "Traceback" not in result.stderr


def test_a_message_cannot_give_the_terminal_orders() -> None:
    assert visible("a\x1b[2J\nb") == "a\\x1b[2J\nb"
    assert "\x1b" not in call("run", "\x1b[2J.sh").stderr


def test_designs_are_listed_shown_and_compared() -> None:
    listed = call("designs").output
    assert listed == call("designs", "list").output
    for name in ("linux-3.0", "preallocate", "charge-after-map", "charge-after-unlock", "unlock-charge-relock"):
        assert name in listed
    assert "file_cow" in call("designs", "show", "preallocate").output
    assert "file_cow" in call("designs", "diff", "linux-3.0", "preallocate").output
    assert call("designs", "diff", "linux-3.0", "linux-3.0").output == "They do the same.\n"


def test_programs_are_listed() -> None:
    output = call("programs").output
    assert "make" in output and "ls" in output


def test_run_shows_the_sessions_output_and_the_tables(small: str) -> None:
    result = call("run", small)
    assert result.exit_code == 0, result.output
    for words in ("Verdicts", "isolated", "Group A", "failcnt"):
        assert words in result.output


def test_json_is_one_object_and_the_same_every_time(small: str) -> None:
    first, second = (json.loads(call("run", small, "--json", "--seed", "7").stdout) for _ in range(2))
    for made in (first, second):
        assert made["version"] == cowpath.__version__ and made["session"] == "small.sh"
        assert made["runs"][0].pop("wall_s") > 0
    assert first == second
    run = first["runs"][0]
    assert run["design"] == "linux-3.0" and run["seed"] == 7 and run["verdict"] == "isolated"
    assert {"faults", "p50_ns", "p99_ns", "p999_ns", "max_ns", "blocked_ns"} <= run["bystanders"].keys()
    assert {"memory.failcnt", "memory.memsw.failcnt", "oom_kills", "jobs_done"} <= run["groups"]["A"].keys()
    assert {"longest_hold_ns", "holder"} <= run["page_lock"].keys()
    assert {"allocations", "charges"} == run["wasted"].keys()
    assert {
        "group_verdicts",
        "chain",
        "retries",
        "major_faults",
        "faults",
        "steps",
        "virtual_ns",
        "output",
    } <= run.keys()


def test_compare_has_a_row_per_design_and_fail_on_tells() -> None:
    session = str(EXAMPLES / "oom-off.sh")
    designs = ["--design", "linux-3.0", "--design", "preallocate"]
    result = call("compare", session, *designs, "--fail-on", "stuck")
    assert result.exit_code == 1, result.output
    assert "stuck" in result.output and "isolated" in result.output and "waits for the page lock of" in result.output
    assert call("compare", session, "--design", "preallocate", "--fail-on", "stalled").exit_code == 0


def test_a_log_is_written_and_the_same_every_time(small: str, tmp_path: Path) -> None:
    logs = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    for log in logs:
        assert call("run", small, "--log", str(log)).exit_code == 0
    assert logs[0].read_bytes() == logs[1].read_bytes()


def test_step_shows_steps(small: str) -> None:
    result = call("step", small, "--count", "5", "--task", "ls")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 5
    assert all(" ls[" in line for line in result.stdout.splitlines())


@pytest.mark.parametrize("option", ["--log", "--trace"])
def test_ctrl_c_leaves_no_half_written_file(tmp_path: Path, option: str) -> None:
    running = process(
        "run",
        str(EXAMPLES / "commit.sh"),
        "--until",
        "1000s",
        option,
        str(tmp_path / "file"),
        "--copies",
        "50",
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert errors.splitlines()[-1] == "cowpath: interrupted" and "Traceback" not in errors
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_ctrl_c_in_code_that_is_made_from_text(tmp_path: Path) -> None:
    """As data classes are, while a command still imports what it needs: it ends as after any other Ctrl-C."""
    steps = tmp_path / "steps.py"
    steps.write_text("exec('import os, signal; os.kill(os.getpid(), signal.SIGINT)')\n", encoding="utf-8")
    command = [sys.executable, "-m", "cowpath", "run", str(EXAMPLES / "oom-off.sh"), "--steps", str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "cowpath: interrupted\n")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["run", "{small}", "--json"]])
def test_a_full_disk_behind_stdout(small: str, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        running = process(*(a.format(small=small) for a in arguments), stdout=full, stderr=subprocess.PIPE)
        _, errors = running.communicate(timeout=120)
    assert running.returncode == 2
    assert errors.strip() == "cowpath: No space left on device"


def test_a_reader_that_has_gone() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    running = process("--version", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    _, errors = running.communicate(timeout=60)
    assert (running.returncode, errors) == (141, "")
