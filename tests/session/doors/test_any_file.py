"""All files that stand for a session: mutated ones, saved ones, and the command line."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cowpath.cli import app
from cowpath.errors import InputError
from cowpath.session.explain import explain_limits

from .reading import SAMPLES, plan

COPIES = 200
RICH = {
    "pod.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
    "  replicas: 2\n  template:\n    spec:\n"
    "      initContainers: [{name: init, image: ls, restartPolicy: Always, resources: {limits: {memory: 1e8}}}]\n"
    "      containers:\n      - name: app\n        command: [ls, -j4]\n        resources: &r\n"
    "          requests: {memory: 32Mi, cpu: 100m}\n          limits: {memory: 64Mi}\n",
    "compose.yaml": "x: &b {mem_limit: '${M:-64m}', image: ls}\nservices:\n  app:\n    <<: *b\n    memswap_limit: 96m\n"
    "    depends_on: {db: {condition: service_completed_successfully}}\n  db:\n    image: sort\n    deploy:\n"
    "      replicas: 2\n      resources: {limits: {memory: 32M}, reservations: {memory: 8M}}\n    command: ls -j4\n",
    "app.service": "[Unit]\nDescription=x\n[Service]\nType=oneshot\nEnvironment=\"A=b c\" D=e\nExecStartPre=-/bin/ls\n"
    "ExecStart=/usr/bin/ls -j %i $A ${D}\nMemoryMax=20%\nMemoryHigh=1.5G\nSlice=batch-low.slice\nOOMPolicy=stop\n",
}  # fmt: skip


def mutated(text: str, rng: random.Random) -> str:
    """A copy of which some letters are gone, doubled, or others."""
    at, length = rng.randrange(len(text)), rng.choice((1, 1, 1, 1, 3, 12, 40))
    other = rng.choice(("", text[at : at + length] * 2, rng.choice(":{}[]&*!|>'\"%-=#\\\n \t019xé\x01~"), "9" * 25))
    return text[:at] + other + text[at + length :]


@pytest.mark.parametrize("name", sorted(RICH))
def test_a_mutated_copy_is_read_or_refused(tmp_path: Path, name: str) -> None:
    """Never anything else; and what can be explained is a session that can be run, or lacks a program."""
    rng, ran = random.Random(name), 0
    texts = [(SAMPLES / name).read_text(), RICH[name]]
    for number in range(COPIES):
        version = ("v1", "v2")[number // 2 % 2]
        file = tmp_path / name
        file.write_text(mutated(texts[number % 2], rng))
        try:
            text = explain_limits(file, interfaces=(version,))
        except InputError:
            continue
        ran += 1
        if ran % 10:
            continue
        (tmp_path / "saved.sh").write_text(text)
        try:
            saved = plan(tmp_path / "saved.sh", version=version)
        except InputError as error:
            assert "unknown command or program" in str(error), error
        else:
            assert saved.groups == plan(file, version=version).groups
    assert ran > COPIES // 25


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200", "NO_COLOR": "1"})


@pytest.mark.parametrize("name", ["pod.yaml", "compose.yaml", "app.service"])
@pytest.mark.parametrize("design", ["linux-3.0", "linux-6.18"])
def test_saved_it_runs_the_same(tmp_path: Path, name: str, design: str) -> None:
    programs = ["--program", "make=ls"] if name == "app.service" else ["--program", "app=ls"]
    saved = tmp_path / "saved.sh"
    done = call("explain-limits", SAMPLES / name, "-d", design, "-o", saved)
    assert done.exit_code == 0, done.output
    runs = [call("run", file, "-d", design, "--json", *programs) for file in (SAMPLES / name, saved)]
    assert [run.exit_code for run in runs] == [0, 0], runs[0].output
    one, other = (json.loads(run.stdout)["runs"][0] for run in runs)
    for each in (one, other):
        del each["wall_s"], each["notes"]
    assert one == other and one["groups"]


def test_a_program_that_nothing_runs(tmp_path: Path) -> None:
    done = call("run", SAMPLES / "pod.yaml", "--program", "app=ls", "--program", "appp=ls")
    assert done.exit_code == 2 and "the session runs no program 'appp' (did you mean app?" in done.output
    done = call("run", SAMPLES / "pod.yaml", "--program", "app=lss")
    assert done.exit_code == 2 and "no such file, recording or program: 'lss' (did you mean ls?" in done.output
    for wrong in ("app", "app=", "=ls", "a b=ls"):
        done = call("run", SAMPLES / "pod.yaml", "--program", wrong)
        assert done.exit_code == 2 and "not NAME=RECORDING" in done.output
    done = call("run", SAMPLES / "pod.yaml", "--program", "app=ls", "--program", "app=sort")
    assert done.exit_code == 2 and "'app' is given twice" in done.output


def test_a_written_program(tmp_path: Path) -> None:
    (tmp_path / "own.prog").write_text("anon m 100\ntouch m 0 100 1 w\nmark\n")
    done = call("run", SAMPLES / "pod.yaml", "--program", f"app={tmp_path / 'own.prog'}", "--json")
    assert done.exit_code == 0, done.output
    groups = json.loads(done.stdout)["runs"][0]["groups"]
    assert [each["jobs_done"] for name, each in groups.items() if name.endswith("app.scope")] == [1]


def test_other_files(tmp_path: Path) -> None:
    script = tmp_path / "s.sh"
    script.write_text("ls\n")
    assert "it stands for no other session" in call("explain-limits", script).output
    assert "where a case belongs (cowpath run" in call("check", "--case", SAMPLES / "pod.yaml").output
    assert "a pod or a compose file, where a design belongs" in call("run", script, "-d", SAMPLES / "pod.yaml").output
    done = call("run", SAMPLES / "pod.yaml", "x")
    assert done.exit_code == 2 and "reads no arguments" in done.output


def test_the_file_itself_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(text := (SAMPLES / "pod.yaml").read_text())
    done = call("explain-limits", file, "-o", file)
    assert done.exit_code == 2 and file.read_text() == text


def test_standard_input() -> None:
    for name in RICH:
        text = (SAMPLES / name).read_text()
        done = CliRunner().invoke(app, ["explain-limits", "-"], input=text)
        assert done.exit_code == 0 and done.output.startswith("# stdin on a machine with cgroup v2"), done.output
