"""What is fixed in a session holds, whatever its script says."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath import api
from cowpath.errors import InputError
from cowpath.session.fixed import Fixed, with_values
from cowpath.session.load import plan_session

V1 = "cgcreate -g memory:A\ncgset -r memory.limit_in_bytes=64M A\ncgexec -g memory:A ls\n"
V2 = "mkdir /sys/fs/cgroup/A\necho 64M > /sys/fs/cgroup/A/memory.max\n"
TWICE = "cgcreate -g memory:A\ncgset -r memory.limit_in_bytes=64M A\nsleep 1ms\ncgset -r memory.limit_in_bytes=96M A\n"
BUILD = "cgcreate -g memory:A\ncgexec -g memory:A make -j4\n"


def group(source: str, fixed: Fixed) -> dict[str, object]:
    plan = plan_session(source, "test", fixed=fixed)
    design = api.load_design("linux-6.18" if "v2" in plan.interfaces else "linux-3.0")
    summary = api.run_plan(plan, design, api.Options(until=200_000_000)).summary
    return {**summary["groups"]["A"], "output": summary["output"]}


@pytest.mark.parametrize("source", [V1, TWICE])
def test_what_the_script_writes_is_what_is_fixed(source: str) -> None:
    assert group(source, Fixed({("A", "memory.limit_in_bytes"): "32M"}))["memory.limit_in_bytes"] == 32 << 20


def test_what_the_script_never_writes_is_written_when_the_group_is_made() -> None:
    found = group(V2, Fixed({("A", "memory.high"): "20M"}))
    assert (found["memory.high"], found["memory.max"], found["output"]) == (20 << 20, 64 << 20, "")
    bare = "mkdir /sys/fs/cgroup/A\n"
    assert group(bare, Fixed({("A", "memory.max"): "8M"}))["memory.max"] == 8 << 20


def test_what_the_kernel_refuses_is_printed() -> None:
    found = group(V1, Fixed({("A", "memory.memsw.limit_in_bytes"): "32M"}))
    assert found["output"] == "cowpath: A: memory.memsw.limit_in_bytes: Invalid argument\n"


def test_memory_and_swap_are_limited_behind_memory() -> None:
    both = Fixed(dict.fromkeys([("A", "memory.memsw.limit_in_bytes"), ("A", "memory.limit_in_bytes")], "32M"))
    for source in (V1, "cgcreate -g memory:A\n"):
        found = group(source, both)
        assert found["memory.limit_in_bytes"] == found["memory.memsw.limit_in_bytes"] == 32 << 20
        assert "memsw" not in str(found["output"])


def test_other_values_of_a_compiled_session_are_those_of_one_compiled_with_them() -> None:
    one, other = (
        Fixed({("A", "memory.limit_in_bytes"): size, ("A", "memory.swappiness"): "9"}) for size in ("32M", "48M")
    )
    changed, compiled = with_values(plan_session(TWICE, "t", fixed=one), other), plan_session(TWICE, "t", fixed=other)
    assert changed.ops.tobytes() == compiled.ops.tobytes()
    assert plan_session(TWICE, "t", fixed=one).ops.tobytes() != compiled.ops.tobytes()


def test_jobs_and_arguments_of_a_build() -> None:
    def ops(source: str, fixed: Fixed) -> bytes:
        return plan_session(source, "t", fixed=fixed).ops.tobytes()

    plain = Fixed()
    for written, fixed in (
        ("-j2", Fixed(jobs="2")),
        ("-j", Fixed(jobs="all")),
        ("-j3", Fixed(arguments={("make", 1): "-j3"})),
    ):
        assert ops(BUILD, fixed) == ops(BUILD.replace("-j4", written), plain) != ops(BUILD, plain)


@pytest.mark.parametrize(
    ("fixed", "words"),
    [
        (Fixed({("B", "memory.limit_in_bytes"): "64M"}), "the session has no group 'B' .there are: A"),
        (Fixed({("A", "memory.max"): "64M"}), "cgroup v1 calls it memory.limit_in_bytes"),
        (Fixed({("A", "memory.limit_in_bytes"): "64x"}), "A:memory.limit_in_bytes: '64x' is not a limit"),
        (Fixed({("A", "memory.failcnt2"): "0"}), "no such file"),
        (Fixed(jobs="2"), "no recorded build"),
        (Fixed(arguments={("mkae", 1): "-j"}), "does not start 'mkae'"),
        (Fixed(arguments={("ls", 4): "-l"}), "is given 0 arguments"),
    ],
)
def test_what_cannot_be_fixed(fixed: Fixed, words: str) -> None:
    with pytest.raises(InputError, match=words):
        plan_session(V1, "test", fixed=fixed)


def test_a_name_of_the_other_version_is_an_error_at_the_name(tmp_path: Path) -> None:
    session = tmp_path / "s.sh"
    session.write_text(V2)
    with pytest.raises(InputError, match=r"memory.limit_in_bytes.*cgroup v2 calls it memory.max"):
        api.load_plan(session, api.Options(), fixed=Fixed({("A", "memory.limit_in_bytes"): "64M"}))
