"""Kernels: each profile is whole, one that is not says what is missing."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from cowpath import designs
from cowpath.errors import InputError
from cowpath.kernel.policies import BY_NAME
from cowpath.kernel.steps import MAY_BE_EMPTY, PATH_NAMES
from cowpath.kernels import DEFAULT, profile

SOURCE = Path(profile.__file__).parent
EVERY = profile.names()


def data_of(name: str = DEFAULT) -> dict[str, Any]:
    """What a kernel's file holds."""
    return tomllib.loads((SOURCE / f"{name}.toml").read_text(encoding="utf-8"))


def refused(data: dict[str, Any]) -> InputError:
    with pytest.raises(InputError) as error:
        profile.from_data(data, "linux-x.toml")
    assert error.value.file == "linux-x.toml"
    return error.value


@pytest.mark.parametrize("name", EVERY)
def test_a_kernel_has_all_paths_and_policies(name: str) -> None:
    data = data_of(name)
    assert set(data["paths"]) == set(PATH_NAMES) and set(data["policies"]) == set(BY_NAME)
    kernel = profile.load(name)
    assert kernel.name == name == f"linux-{data['release']}" and kernel.summary
    assert all(steps or path in MAY_BE_EMPTY for path, steps in kernel.paths.items())


def test_they_come_by_their_release() -> None:
    releases = [profile.load(name).release for name in EVERY]
    assert releases == sorted(releases) and EVERY[:3] == ("linux-2.6.39", "linux-3.0", "linux-3.1")


@pytest.mark.parametrize("path", PATH_NAMES)
def test_a_path_that_is_missing(path: str) -> None:
    data = data_of()
    del data["paths"][path]
    error = refused(data)
    assert (error.problem, error.hint) == (f"path {path!r} has no steps", "a kernel names all paths")


@pytest.mark.parametrize("policy", BY_NAME)
def test_a_policy_that_is_missing(policy: str) -> None:
    data = data_of()
    del data["policies"][policy]
    error = refused(data)
    assert error.problem == f"policy {policy!r} is not named"
    assert all(repr(value) in (error.hint or "") for value in BY_NAME[policy].values)


def test_only_what_some_kernels_do_not_do_may_have_no_steps() -> None:
    for path in PATH_NAMES:
        data = data_of()
        data["paths"][path] = []
        if path in MAY_BE_EMPTY:
            assert profile.from_data(data, "linux-x.toml").paths[path] == ()
        else:
            assert refused(data).problem == f"path {path!r} has 0 steps"


@pytest.mark.parametrize(("key", "value", "problem"), [
    ("extends", "linux-3.0", "unknown key 'extends'"), ("release", 3.0, "release must be a text"),
    ("release", "3.x", "release '3.x' is no number"), ("release", "", "a kernel must say its release"),
    ("interface", [], "a kernel must say its interface"), ("interface", ["v3"], "no interface 'v3'"),
    ("interface", "v1", "interface must be a list of texts"), ("missing", "much", "missing must be a list of texts"),
    ("paths", 3, "paths must be a table"),
])  # fmt: skip
def test_what_is_wrong_in_a_kernels_file(key: str, value: Any, problem: str) -> None:
    assert refused(data_of() | {key: value}).problem == problem


def test_which_designs_fit_a_session() -> None:
    """Those of its time: of the kernels whose newest cgroups it has."""
    assert set(EVERY) < set(designs.names())
    old, new = set(designs.names(["v1"])), set(designs.names(["v2"]))
    assert old | new == set(designs.names()) and not old & new and not designs.names(["v1", "v2"])
    assert {"linux-3.0", "preallocate", "linux-3.12"} < old and {"linux-4.19", "linux-6.18"} < new


def test_a_design_knows_its_kernel_and_has_its_policies(tmp_path: Path) -> None:
    """Also through another design, and when it is saved and read back."""
    file = tmp_path / "mine.toml"
    file.write_text('extends = "linux-2.6.39"\n[policies]\nfault_retry = false\n')
    (tmp_path / "next.toml").write_text('extends = "mine.toml"\n[policies]\noom_lock = "flag"\n')
    design = designs.load(tmp_path / "next.toml")
    kernel = profile.load("linux-2.6.39")
    assert design.kernel is kernel
    assert design.policies == kernel.policies | {"fault_retry": False, "oom_lock": "flag"}
    again = designs.from_data(designs.to_data(design), "a schedule")
    assert (again.kernel, again.policies, again.paths) == (kernel, design.policies, design.paths)


def test_the_default_is_said_in_one_place() -> None:
    """Elsewhere it is an example in a docstring, or in the list of designs that are shown first."""
    package = SOURCE.parent
    for file in package.rglob("*.py"):
        if file == SOURCE / "__init__.py":
            continue
        for line in file.read_text(encoding="utf-8").splitlines():
            assert f'"{DEFAULT}"' not in line, f"{file}: {line}"


@pytest.mark.parametrize(("kernel", "step"), [("linux-3.0", "shrink_node"), ("linux-6.18", "shrink_zone")])
def test_reclaim_goes_over_the_lists_that_there_are(kernel: str, step: str) -> None:
    with pytest.raises(InputError, match="it would find no pages"):
        designs.from_data({"extends": kernel, "paths": {"reclaim": [step]}}, "mine.toml")


@pytest.mark.parametrize(
    ("kernel", "change", "said"),
    [
        ("linux-4.19", {"policies": {"oom_reaper": "none"}}, "oom_reaper = \\[\\]"),
        ("linux-3.12", {"policies": {"oom_reaper": "at once"}}, "no steps"),
        ("linux-3.0", {"policies": {"charge_on_oom": "fault-end"}}, "no steps"),
        ("linux-6.18", {"paths": {"pagefault_out_of_memory": []}}, "no steps"),
    ],
)
def test_what_a_policy_asks_for_has_steps_and_what_it_rules_out_has_none(
    kernel: str, change: dict[str, Any], said: str
) -> None:
    """Else the reaper reaps that is said not to be there, and a case that is to show what it is for is proved."""
    with pytest.raises(InputError, match=said):
        designs.from_data({"extends": kernel} | change, "mine.toml")
