"""Every error that docs/designs.md promises under "What is checked": file, path, step, and what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath import designs
from cowpath.errors import InputError

COW = ("anon_vma_prepare", "alloc_page", "charge", "find_page", "lock_page", "copy_page", "map_page", "unlock_page",
       "put_page")  # fmt: skip


def refused(tmp_path: Path, text: str) -> InputError:
    """What is said of a design with these lines in it."""
    file = tmp_path / "mine.toml"
    file.write_text(f'extends = "preallocate"\n{text}\n')
    with pytest.raises(InputError) as error:
        designs.load(file)
    assert error.value.file == str(file)
    return error.value


def refused_path(tmp_path: Path, path: str, *steps: str) -> tuple[str, str]:
    """The problem and the hint, for a path of these steps."""
    names = ", ".join(f'"{step}"' for step in steps)
    error = refused(tmp_path, f"[paths]\n{path} = [{names}]")
    assert f"path '{path}'" in error.problem
    return error.problem, error.hint or ""


def without(step: str) -> tuple[str, ...]:
    return tuple(each for each in COW if each != step)


def with_before(step: str, before: str) -> tuple[str, ...]:
    at = COW.index(before)
    return (*COW[:at], step, *COW[at:])


def test_the_path_that_these_tests_spoil_is_a_good_one(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'extends = "preallocate"\n[paths]\nfile_cow = {list(COW)}\n'.replace("'", '"'))
    assert designs.load(file).paths["file_cow"] == COW


@pytest.mark.parametrize("text, problem, hint", [
    ('sumary = ""', "unknown key 'sumary'", "did you mean 'summary'?"),
    ('[policies]\noom_lok = "flag"', "unknown policy 'oom_lok'", "did you mean 'oom_lock'?"),
    ("[paths]\nfile_kow = []", "unknown path 'file_kow'", "did you mean 'file_cow'?"),
    ("[on_error]\nfile_kow = []", "unknown path 'file_kow'", "did you mean 'file_cow'?"),
    ('[on_error]\nfile_cow = ["unlok_page"]', "path 'file_cow': there is no step 'unlok_page'",
     "did you mean 'unlock_page'?"),
])  # fmt: skip
def test_an_unknown_name_with_the_nearest_right_spelling(tmp_path: Path, text: str, problem: str, hint: str) -> None:
    error = refused(tmp_path, text)
    assert (error.problem, error.hint) == (problem, hint)


def test_an_unknown_step_with_the_nearest_right_spelling(tmp_path: Path) -> None:
    steps = tuple("find_pge" if step == "find_page" else step for step in COW)
    problem, hint = refused_path(tmp_path, "file_cow", *steps)
    assert "there is no step 'find_pge'" in problem and hint == "did you mean 'find_page'?"


def test_a_policy_with_a_value_that_it_has_not(tmp_path: Path) -> None:
    error = refused(tmp_path, '[policies]\noom_lock = "semaphore"')
    assert "policy oom_lock: 'semaphore' is not one of " in str(error)
    assert "'counter'" in str(error) and "'flag'" in str(error)
    assert "policy fault_retry: 1 is not one of " in str(refused(tmp_path, "[policies]\nfault_retry = 1"))


@pytest.mark.parametrize("step, missing, giver", [
    ("find_page", "step 4 (lock_page): there is no page reference yet", "find_page"),
    ("alloc_page", "step 2 (charge): there is no new page yet", "alloc_page"),
    ("lock_page", "step 7 (unlock_page): there is no page lock yet", "lock_page"),
])  # fmt: skip
def test_a_step_whose_needs_are_not_held(tmp_path: Path, step: str, missing: str, giver: str) -> None:
    problem, hint = refused_path(tmp_path, "file_cow", *without(step))
    assert missing in problem and giver in hint and hint.endswith("comes first")


@pytest.mark.parametrize("step, before, held", [
    ("lock_page", "copy_page", "the page lock is held already"),
    ("alloc_page", "charge", "the new page is held already"),
    ("find_page", "lock_page", "the page reference is held already"),
    ("charge", "find_page", "the charge is held already"),
])  # fmt: skip
def test_what_is_held_already_is_not_taken_again(tmp_path: Path, step: str, before: str, held: str) -> None:
    problem, _ = refused_path(tmp_path, "file_cow", *with_before(step, before))
    assert f"({step}): {held}" in problem


def test_a_files_step_on_a_path_without_a_file(tmp_path: Path) -> None:
    problem, hint = refused_path(tmp_path, "anon", "anon_vma_prepare", "alloc_page", "find_page", "charge", "map_page")
    assert "step 3 (find_page)" in problem and hint


def test_pte_alloc_one_on_a_path_that_finds_an_entry(tmp_path: Path) -> None:
    steps = ("wp_reuse", "pte_alloc_one", *designs.load("linux-3.0").paths["wp_copy"][1:])
    problem, hint = refused_path(tmp_path, "wp_copy", *steps)
    assert "step 2 (pte_alloc_one)" in problem and hint


def test_map_page_without_a_page(tmp_path: Path) -> None:
    problem, hint = refused_path(tmp_path, "file_read", "map_page")
    assert "step 1 (map_page): there is no page to map yet" in problem and "comes first" in hint


@pytest.mark.parametrize("path", ["file_cow", "wp_copy"])
def test_map_page_without_a_copy(tmp_path: Path, path: str) -> None:
    steps = tuple(step for step in designs.load("preallocate").paths[path] if step != "copy_page")
    problem, hint = refused_path(tmp_path, path, *steps)
    assert "(map_page): nothing has been copied yet" in problem and "copy_page" in hint


def test_map_page_twice(tmp_path: Path) -> None:
    problem, _ = refused_path(tmp_path, "file_read", "find_page", "lock_page", "map_page", "map_page", "unlock_page",
                              "put_page")  # fmt: skip
    assert "step 4 (map_page): it stands in the path twice" in problem


def test_charge_twice(tmp_path: Path) -> None:
    """Also where the first charge is the mapped page's, and nothing is held any more (way 2)."""
    later = (*without("charge")[:6], "charge", "charge", "unlock_page", "put_page")
    problem, _ = refused_path(tmp_path, "file_cow", *later)
    assert "step 8 (charge): it stands in the path twice" in problem


@pytest.mark.parametrize("step, held, giver", [
    ("unlock_page", "page lock", "unlock_page"),
    ("put_page", "page reference", "put_page"),
])  # fmt: skip
def test_anything_still_held_at_the_end(tmp_path: Path, step: str, held: str, giver: str) -> None:
    problem, hint = refused_path(tmp_path, "file_cow", *without(step))
    assert problem == f"path 'file_cow' ends with the {held} still held"
    assert giver in hint and hint.endswith("gives it back")


def test_more_than_32_steps(tmp_path: Path) -> None:
    problem, hint = refused_path(tmp_path, "file_cow", *("anon_vma_prepare",) * 33)
    assert problem == "path 'file_cow' has 33 steps" and hint == "1 to 32"
    assert "has 0 steps" in refused_path(tmp_path, "file_cow")[0]


def test_a_fault_that_maps_nothing(tmp_path: Path) -> None:
    problem, hint = refused_path(tmp_path, "file_read", "find_page", "lock_page", "unlock_page", "put_page")
    assert problem == "path 'file_read' maps nothing" and hint == "a fault ends with map_page"


def test_a_loop_without_its_end(tmp_path: Path) -> None:
    steps = tuple(step for step in designs.load("linux-3.0").paths["read"] if step != "next_page")
    assert "each_page and next_page" in refused_path(tmp_path, "read", *steps)[0]


def test_a_list_that_is_none_and_a_table_that_is_none(tmp_path: Path) -> None:
    assert "must be a list of step names" in str(refused(tmp_path, '[paths]\nfile_cow = "find_page"'))
    assert "must be a list of step names" in str(refused(tmp_path, "[on_error]\nfile_cow = [1]"))
    assert "paths must be a table" in str(refused(tmp_path, "paths = 3"))


def test_without_extends_all_paths_must_be_there(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[policies]\noom_lock = "flag"\n')
    with pytest.raises(InputError, match="path 'page_fault' has no steps") as error:
        designs.load(file)
    assert error.value.hint == 'extends = "linux-3.0" brings them all'


def test_a_policy_that_is_not_named_is_that_of_the_kernel() -> None:
    """A design that extends none means linux-3.0."""
    whole = designs.to_data(designs.load("linux-3.1"))
    del whole["policies"]["oom_lock"]
    assert designs.from_data(whole, "mine.toml").policies == designs.load("linux-3.1").policies
    del whole["extends"]
    policies = designs.from_data(whole, "mine.toml").policies
    assert policies == designs.load("linux-3.0").policies | {"oom_lock": "counter"}


def test_a_chain_of_designs_has_an_end(tmp_path: Path) -> None:
    """Also one that extends itself."""
    file = tmp_path / "mine.toml"
    file.write_text('extends = "mine.toml"\n')
    with pytest.raises(InputError, match="more than 8 designs extend one another"):
        designs.load(file)


def test_a_file_that_is_none_is_not_valid_or_cannot_be_read(tmp_path: Path) -> None:
    assert "not valid TOML" in str(refused(tmp_path, "[paths"))
    with pytest.raises(InputError, match="cannot read the design: No such file"):
        designs.load(tmp_path / "other.toml")
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="it is not UTF-8 text"):
        designs.load(tmp_path / "mine.toml")
    with pytest.raises(InputError, match="no design 'preallocat'") as error:
        designs.load("preallocat")
    assert "did you mean 'preallocate'?" in (error.value.hint or "")
