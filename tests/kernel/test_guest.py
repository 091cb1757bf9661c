"""A good guest of Numba: what is ours is ours alone, and where Numba has changed inside, we are only slower."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..slow import NIGHTLY

PROGRAMS = Path(__file__).with_name("guest_programs.py")
KEEPING = (
    "FunctionCache", "CompileResultCacheImpl", "IndexDataCacheFile", "_CacheLocator", "_index_key",
    "get_filename_base", "_locator", "enable_caching", "_cache", "CACHE_DIR",
)  # fmt: skip
INNER = (
    *KEEPING, "fix_integer_index", "global_compiler_lock", "NestedArray", "install_listener", "Listener",
    "JITCodeLibrary", "Compiler", "DefaultPassBuilder", "PassManager", "define_nopython_pipeline", "add_pass_after",
    "register_pass", "NativeLowering", "_linking_libraries", "_final_module", "_optimize_final_module",
    "_get_module_for_linking", "_finalized", "enable_object_caching", "get_call_template", "add_overload",
    "targetctx", "no_cpython_wrapper", "get_abi_sizeof", "get_call_type", "ConfigStack", "_function_pass_manager",
    "fndesc",
)  # fmt: skip

SOME = INNER if NIGHTLY else INNER[::15]  # each compiles


def run(folder: Path, program: str, name: str = "", **more: str) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    environment |= {"COWPATH_CACHE": str(folder / "cache"), **more}
    done = subprocess.run(
        [sys.executable, PROGRAMS, program, name, folder], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def gives(tmp_path_factory: pytest.TempPathFactory) -> str:
    return run(tmp_path_factory.mktemp("plain"), "fall_back", NUMBA_DISABLE_JIT="1")


@pytest.mark.parametrize("name", SOME)
def test_without_an_inner_name_of_numbas_the_same_comes_out(tmp_path: Path, name: str, gives: str) -> None:
    assert run(tmp_path, "fall_back", name) == gives
    if name in KEEPING:
        assert run(tmp_path, "fall_back", name) == gives  # from what is kept, if it is


def test_the_users_cache_stays_where_it_was(tmp_path: Path) -> None:
    """Beside the user's file, for a function from before cowpath was imported as for one from after; ours is ours."""
    *users, ours = run(tmp_path, "users_cache").splitlines()
    assert users == [f"{tmp_path}/__pycache__ 1"] * 2
    folder, path, _ = ours.split()
    assert path == folder and Path(folder).parent == tmp_path / "cache"
    *users, ours = run(tmp_path, "users_cache").splitlines()
    assert users == [f"{tmp_path}/__pycache__ 0"] * 2 and ours.split()[2] == "1"  # all of it is found again


def test_the_users_setting_holds_for_the_users_functions_only(tmp_path: Path) -> None:
    *users, ours = run(tmp_path, "users_cache", NUMBA_CACHE_DIR=str(tmp_path / "numba")).splitlines()
    assert all(Path(user.split()[0]).parent == tmp_path / "numba" for user in users)
    assert Path(ours.split()[1]).parent == tmp_path / "cache"


def test_nothing_is_replaced_within_numba_for_a_user_who_compiles_at_the_same_time(tmp_path: Path) -> None:
    assert run(tmp_path, "other_threads") == "ok\n"


def test_what_comes_before_the_first_compilation_is_part_of_the_caches_key(tmp_path: Path) -> None:
    """Sources of a user's own steps: they are compiled along with ours."""
    first, same, second, third = (run(tmp_path, "more_sources", text) for text in ("", "", "a = 1", "a = 2"))
    assert first == same
    assert len({first, second, third}) == 3


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path, gives: str) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert run(tmp_path, "fall_back") == gives


def test_a_broken_file_in_the_cache_costs_time_only(tmp_path: Path, gives: str) -> None:
    run(tmp_path, "fall_back")
    for each in (tmp_path / "cache").rglob("*.nb?"):
        each.write_bytes(each.read_bytes()[:100])
    assert run(tmp_path, "fall_back") == gives
