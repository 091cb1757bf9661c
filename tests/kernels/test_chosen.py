"""Every result says of which kernel it is and why; what is not modelled is named with what is the nearest to it."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cowpath import designs
from cowpath.cli import app
from cowpath.errors import InputError
from cowpath.kernel.steps import OF_THE_KERNEL, STEPS
from cowpath.kernels import DEFAULT, chosen, profile, provenance
from cowpath.kernels.chosen import choose_kernel

EVERY = profile.names()
PACKAGE = Path(profile.__file__).parents[1]
SHORT = ("--bystander", "", "--until", "5ms")


def out(*words: str) -> str:
    """What a command prints that ends well."""
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return str(result.output)


def notes(*words: str) -> list[str]:
    """The notes in what a command prints as JSON; what compiles says so on stderr."""
    found: list[str] = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)["notes"]
    return found


# --- which one, where nobody has said it -----------------------------------------------------------
def test_names_of_v1_and_none_get_the_default() -> None:
    assert choose_kernel(True, False) == chosen.Chosen(DEFAULT, "default: the session uses v1 names only")
    either = "default: the session uses no name that only one version of cgroups has"
    assert choose_kernel(False, False) == chosen.Chosen(DEFAULT, either)


def test_names_of_v2_get_the_newest_kernel_that_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "names", lambda: ["linux-3.0", "linux-6.1", "linux-6.18", "linux-3.1"])
    found = choose_kernel(False, True)
    assert found.name == "linux-6.18" and "v2" in found.why


def test_a_mix_is_an_error() -> None:
    with pytest.raises(InputError, match="names of cgroup v1 and of cgroup v2"):
        choose_kernel(True, True)


# --- what is said of it ---------------------------------------------------------------------------
def test_how_a_design_has_its_kernel(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('extends = "preallocate"\n')
    loaded = [designs.load(name) for name in ("linux-3.0", "preallocate", tmp_path / "mine.toml", "linux-3.1")]
    assert [each.how_chosen for each in loaded] == ["named", "preallocate extends it", "mine extends it", "named"]
    assert designs.kernel_lines(loaded) == [
        "kernel: linux-3.0 (named; preallocate and mine extend it)", "kernel: linux-3.1 (named)",
    ]  # fmt: skip
    assert designs.kernel_told(loaded[1]) == {"name": "linux-3.0", "chosen": "preallocate extends it"}
    saved = designs.from_data(designs.to_data(loaded[0]), "found.json: design")
    assert saved.how_chosen == "named", "a schedule's copy of a kernel is the kernel"


def test_a_run_says_its_kernel(tmp_path: Path) -> None:
    session = tmp_path / "s.sh"
    session.write_text("mkdir /cgroup/memory/A\n")
    why = "default: the session uses v1 names only"
    assert f"kernel: linux-3.0 ({why})" in out("run", str(session), *SHORT)
    [run] = json.loads(out("run", str(session), *SHORT, "--json"))["runs"]
    assert run["kernel"] == {"name": "linux-3.0", "chosen": why} and run["notes"] == []
    two = out("compare", str(session), *SHORT, "-d", "linux-3.0", "-d", "preallocate")
    assert "kernel: linux-3.0 (named; preallocate extends it)" in two


def test_a_check_says_its_kernels() -> None:
    words = ("check", "-c", "cold-page", "-p", "killable", "-d", "linux-3.1", "-d", "preallocate")
    text = out(*words)
    assert "kernel: linux-3.1 (named)" in text and "kernel: linux-3.0 (preallocate extends it)" in text
    found = json.loads(out(*words, "--json"))
    assert found["notes"] == [] and found["kernels"] == [
        {"design": "linux-3.1", "name": "linux-3.1", "chosen": "named"},
        {"design": "preallocate", "name": "linux-3.0", "chosen": "preallocate extends it"},
    ]


def test_what_is_made_with_a_kernel_that_lacks_something_says_so() -> None:
    for name in EVERY:
        notes = profile.load(name).notes
        assert len(notes) == bool(profile.load(name).missing)
        told = json.loads(out("check", "-c", "cold-page", "-p", "killable", "-d", name, "--json"))["notes"]
        assert told == notes
        text = out("check", "-c", "cold-page", "-p", "killable", "-d", name), out("designs", "show", name)
        for note in notes:
            assert note.startswith(f"{name}: ") and all(note in " ".join(each.split()) for each in text)


# --- releases ------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "words"), [
    ("linux-2.6.38", "the nearest is linux-2.6.39, 1 release after it"),
    ("linux-3.2", "the nearest is linux-3.1, 1 release before it"),
    ("v6.19", "the nearest is linux-6.18"), ("6.18.19", "stable releases are not told apart: linux-6.18"),
    ("linux-3", "of Linux these releases are modelled: "),
])  # fmt: skip
def test_an_unknown_release_names_the_nearest_and_why(name: str, words: str) -> None:
    with pytest.raises(InputError) as error:
        designs.load(name)
    assert words in (error.value.hint or "")


# --- what the steps stand for ----------------------------------------------------------------------
def test_each_step_is_in_the_table() -> None:
    """A new step says what it stands for, or has an empty table: nobody has looked."""
    assert {info.name for info in STEPS[:OF_THE_KERNEL]} == set(provenance.table())


@pytest.mark.parametrize("name", EVERY)
def test_each_step_of_a_kernel_stands_for_something_or_was_not_seen(name: str) -> None:
    kernel = profile.load(name)
    page = " ".join(out("designs", "show", name).split())
    for step in provenance.steps_of(kernel.paths):
        told = provenance.stands_for(step, kernel)
        assert told == provenance.NOT_SEEN or told.startswith("(the model's own: ") or told.rpartition(".")[2] in "ch"
        assert f"{step} " in page and told in page


def test_7_2_has_7_1s_order_and_says_what_of_it_nobody_has_seen() -> None:
    kernel = profile.load("linux-7.2")
    assert kernel.order_of == "7.1" and any("7.2.12" in text for text in kernel.not_seen)
    assert provenance.stands_for("oom_wait", kernel) == "mem_cgroup_oom_synchronize, mm/memcontrol-v1.c"
    shown = out("designs", "show", "linux-7.2")
    assert "steps, and what they stand for in Linux 7.1" in shown and "order: of Linux 7.1" in out("kernels")


READS = "mkdir /sys/fs/cgroup/A; echo {limit} > /sys/fs/cgroup/A/memory.max\ncgexec -g memory:A ls\n"


@pytest.mark.parametrize(("limit", "reclaims"), [("200K", True), ("512M", False)])
def test_a_run_that_reclaims_says_by_which_lists(limit: str, reclaims: bool, tmp_path: Path) -> None:
    session = tmp_path / "s.sh"
    session.write_text(READS.format(limit=limit))
    words = ("run", str(session), "-d", "linux-6.18", "--bystander", "", "--until", "500ms", "--json")
    [run] = json.loads(out(*words))["runs"]
    assert any("the classic lists" in note for note in run["notes"]) == reclaims
    assert run["kernel"] == {"name": "linux-6.18", "chosen": "named"}


def test_a_check_of_memory_high_says_so_too() -> None:
    told = notes("check", "-c", "high-fault", "-p", "isolation", "-d", "linux-6.18")
    assert any("the classic lists" in note for note in told)
    told = notes("check", "-c", "cold-page", "-p", "killable", "-d", "linux-6.18")
    assert not any("the classic lists" in note for note in told)


def test_a_release_that_no_line_names_is_not_seen() -> None:
    seen = {release for lines in provenance.table().values() for text in lines.values() for release in text.split()}
    assert {"2.6.39", "3.0", "3.1", provenance.OWN} < seen
    assert provenance.stands_for("charge", profile.load("linux-3.0")) == "__mem_cgroup_try_charge, mm/memcontrol.c"
    assert "7.2" not in seen, "nobody has its source"


# --- cowpath kernels ------------------------------------------------------------------------------
def test_the_list_of_kernels() -> None:
    text = out("kernels")
    found = json.loads(out("kernels", "--json"))["kernels"]
    assert [each["name"] for each in found] == list(EVERY)
    assert [each["name"] for each in found if each["default"]] == [DEFAULT]
    for each in found:
        kernel = profile.load(each["name"])
        assert kernel.name in text and each["missing"] == list(kernel.missing)
        assert all(words in " ".join(text.split()) for words in (*kernel.missing, *kernel.not_seen))
        for step in each["steps_not_seen"]:
            assert provenance.stands_for(step, kernel) == provenance.NOT_SEEN
    assert "not seen" in out("kernels", "--help")


# --- the kernel does not ask which release it is ------------------------------------------------------
def asks_for_a_release(code: str) -> list[str]:
    """Comparisons in which a release stands, by its name or as its number."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Compare | ast.match_case):
            continue
        for part in ast.walk(node):
            named = getattr(part, "id", getattr(part, "attr", "")) in ("release", "version", "every_name")
            value = part.value if isinstance(part, ast.Constant) else None
            number = isinstance(value, str) and re.fullmatch(r"(linux-)?v?[0-9]+(\.[0-9]+)+", value)
            if named or number:
                found.append(ast.unparse(node))
    return found


def test_the_rule_finds_what_it_is_for() -> None:
    for code in ('x = design.kernel.name == "linux-3.0"', "if k.release >= (4, 19): pass", 'y = name in ("3.1", "3.2")',
                 'match name:\n    case "linux-6.18": pass'):  # fmt: skip
        assert asks_for_a_release(code), code
    assert not asks_for_a_release('"""Since 4.19."""\nif k.state.oom_counter == 0: pass')


def test_no_release_is_compared_in_the_kernel() -> None:
    """Releases stand in comments and docstrings there; what differs is a step, a policy or a table."""
    for folder in ("kernel", "engine"):
        for file in (PACKAGE / folder).rglob("*.py"):
            code = file.read_text(encoding="utf-8")
            assert not asks_for_a_release(code), file
            assert folder == "engine" or "cowpath.kernels" not in code, f"{file}: a profile is above the kernel"
