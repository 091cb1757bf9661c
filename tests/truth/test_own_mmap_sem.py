"""oom-off-own-mmap_sem: what the commit does not cure. Who reads the attacker's /proc files waits."""

from __future__ import annotations

from functools import cache

import pytest

from cowpath.kernel import names as n

from .world import EXAMPLES, MS, S, World, limits, scenario

OWN = scenario("oom-off-own-mmap_sem")
READERS = ("cmdline", "maps")
START = (
    limits(oom_off=True) + "cgexec -g memory:A taskset -c 1 attacker &\nattacker=$!\nsleep 1.2\nreader &\nsleep 10\n"
)
RELEASES = {
    "raise": "cgset -r memory.memsw.limit_in_bytes=128M A\ncgset -r memory.limit_in_bytes=128M A\n",
    "SIGKILL": "kill -9 $attacker\n",
}


def started(design: str, release: str) -> World:
    return World(START + RELEASES[release] + "sleep 1\n", "own-mmap_sem.sh", design)


@cache
def held(design: str) -> World:
    world = started(design, "raise")
    world.run(11 * S)
    return world


@pytest.mark.parametrize("design", OWN["outcome"])
def test_readers_of_proc_hang(design: str) -> None:
    assert OWN["outcome"][design] == "readers blocked until release"
    world = held(design)
    assert world.waits("attacker") == "memory (OOM)"
    assert world.waits("mapper") == n.WAIT_NAMES[n.W_MMAP_WRITE]
    assert {world.waits(name) for name in READERS} == {n.WAIT_NAMES[n.W_MMAP_READ]}
    assert world.stack("cmdline") == [("read_proc", "mmap_read_lock")]  # down_read


@pytest.mark.parametrize("design", OWN["outcome"])
def test_the_chain_of_the_readers(design: str) -> None:
    verdict = held(design).verdict()
    assert verdict.outside == "stuck" and verdict.groups == {"A": "waits"}
    assert all("held by attacker[" in chain and "which waits for A's memory" in chain for chain in verdict.chains)
    assert {chain.split("[")[0] for chain in verdict.chains} == set(READERS)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("design", OWN["outcome"])
def test_a_release_frees_them(design: str, release: str) -> None:
    world = started(design, release)
    world.run(11 * S)
    assert all(world.tasks(name) for name in READERS)
    world.run(11_200 * MS + S // 2)
    assert not any(world.tasks(name) for name in READERS)
    assert not world.tasks("mapper")
    assert len(world.tasks("attacker")) == (release == "raise")


@pytest.mark.parametrize("design", OWN["outcome"])
def test_the_example(design: str) -> None:
    world = World((EXAMPLES / "own-mmap_sem.sh").read_text(encoding="utf-8"), "own-mmap_sem.sh", design)
    world.run(20 * S)
    assert world.verdict().outside == "stuck"
    assert all(world.tasks(name) for name in READERS)
