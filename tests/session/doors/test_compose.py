"""Compose files: docker's limits, the order of services, variables, and what is wrong in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from .reading import MIB, SAMPLES, commands, errors, plan, script, sets

APP = "system.slice/docker-app.scope"


def compose(folder: Path, keys: str, more: str = "") -> Path:
    file = folder / "compose.yaml"
    file.write_text(f"services:\n  app: {{image: ls{', ' if keys else ''}{keys}}}\n{more}")
    return file


def test_the_sample() -> None:
    found = plan(SAMPLES / "compose.yaml", "app=ls")
    assert sets(found, APP) == {"memory.max": 64 * MIB, "memory.swap.max": 0}
    assert any("--oom-kill-disable has no effect with cgroup v2" in note for note in found.notes)
    found = plan(SAMPLES / "compose.yaml", "app=ls", version="v1")
    assert sets(found, "docker/app") == {
        "memory.limit_in_bytes": 64 * MIB, "memory.memsw.limit_in_bytes": 64 * MIB, "memory.oom_control": 1,
    }  # fmt: skip
    text = script(SAMPLES / "compose.yaml")
    assert commands(text) == [
        "docker run -d --name app -m 64m --memory-swap 64m --oom-kill-disable example/app app", "docker wait app",
    ]  # fmt: skip
    assert f"# comes to {APP}: memory.max {64 * MIB}, memory.swap.max 0" in text


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", {}),
        ("mem_limit: 67108864", {"memory.max": 64 * MIB, "memory.swap.max": 64 * MIB}),
        ("mem_limit: 0", {}),
        ("mem_limit: 1.5gb, memswap_limit: -1", {"memory.max": 1536 * MIB, "memory.swap.max": 0x7FFFFFFF}),
        ("mem_limit: 64m, mem_reservation: 32m", {"memory.low": 32 * MIB, "memory.max": 64 * MIB,
                                                  "memory.swap.max": 64 * MIB}),
        ("deploy: {resources: {limits: {memory: 50M}}}", {"memory.max": 50 * MIB, "memory.swap.max": 50 * MIB}),
        ("deploy: {resources: {reservations: {memory: 8M}}}", {"memory.low": 8 * MIB}),
        ("mem_limit: 50M, deploy: {resources: {limits: {memory: 50M, cpus: '0.5'}}}",
         {"memory.max": 50 * MIB, "memory.swap.max": 50 * MIB}),
    ],
)  # fmt: skip
def test_limits(tmp_path: Path, keys: str, expected: dict[str, int]) -> None:
    found = sets(plan(compose(tmp_path, keys)), APP)
    unlimited = {name for name, value in expected.items() if value == 0x7FFFFFFF}
    assert found.keys() == expected.keys()
    assert all(found[name] > 1 << 40 if name in unlimited else found[name] == expected[name] for name in expected)


def test_a_reservation_with_cgroup_v1_is_a_note(tmp_path: Path) -> None:
    found = plan(compose(tmp_path, "mem_limit: 64m, mem_reservation: 32m, mem_swappiness: 10"), version="v1")
    assert sets(found, "docker/app")["memory.swappiness"] == 10
    assert [note for note in found.notes if note.startswith("mem_reservation: memory.soft_limit_in_bytes")]


def test_order_and_conditions(tmp_path: Path) -> None:
    more = (
        "  db: {image: sort, deploy: {replicas: 2}}\n"
        "  job: {build: ., entrypoint: make -j4, depends_on: [db]}\n"
    )  # fmt: skip
    keys = "depends_on: {job: {condition: service_completed_successfully}, db: {condition: service_healthy}}"
    assert commands(script(compose(tmp_path, keys, more))) == [
        "docker run -d --name db-1 sort sort", "docker run -d --name db-2 sort sort",
        "docker run -d --name job job make -j4", "docker wait job", "docker run -d --name app ls ls",
        "docker wait db-1 db-2 job app",
    ]  # fmt: skip


def test_variables(tmp_path: Path) -> None:
    file = compose(tmp_path, "mem_limit: '${MEM:-64m}', command: 'make -j${N}'")
    env = {"MEM": "32m", "N": "4"}
    assert "docker run -d --name app -m 32m ls make -j4" in commands(script(file, env=env))
    assert "docker run -d --name app -m 64m ls make -j2" in commands(script(file, env={"N": "2"}))
    assert "variable 'N' is not set (--env N=VALUE)" in errors(file)[0]


def test_variables_of_the_file_beside_it(tmp_path: Path) -> None:
    file = compose(tmp_path, "mem_limit: '${MEM}', command: 'make -j$N'")
    (tmp_path / ".env").write_text("# limits\nexport MEM = '48m'\nN=8 # jobs\n")
    assert "docker run -d --name app -m 48m ls make -j8" in commands(script(file))
    assert "docker run -d --name app -m 96m ls make -j8" in commands(script(file, env={"MEM": "96m"}))
    (tmp_path / ".env").write_text("MEM=48m\nno variable\n")
    assert errors(file)[0].startswith(".env:2:1: not a variable: 'no variable'")


def test_merges_extensions_and_profiles(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text(
        "x-base: &base {mem_limit: 64m, image: ls}\n"
        "services:\n"
        "  app: {<<: *base, memswap_limit: 96m}\n"
        "  two: {extends: {service: app}, mem_limit: 80m}\n"
        "  debug: {image: nothing, profiles: [dbg]}\n"
    )
    assert commands(script(file)) == [
        "docker run -d --name app -m 64m --memory-swap 96m ls ls",
        "docker run -d --name two -m 80m --memory-swap 96m ls ls",
        "docker wait app two",
    ]  # fmt: skip
    assert "debug" in script(file, env={"COMPOSE_PROFILES": "dbg"}).split("docker wait")[-1]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("mem_limit: 64q", "compose.yaml:2:31: '64q' is not a size to docker"),
        ("mem_limits: 64m", "app: unknown key 'mem_limits' (did you mean mem_limit?"),
        ("mem_limit: 4m", "docker refuses a limit of less than 6m"),
        ("memswap_limit: 64m", "--memory-swap without -m"),
        ("mem_limit: 64m, memswap_limit: 32m", "docker refuses less than -m"),
        ("mem_limit: 64m, mem_reservation: 96m", "docker refuses a reservation of more than -m"),
        ("mem_limit: 64m, deploy: {resources: {limits: {memory: 32m}}}", "limits.memory is not mem_limit: '64m'"),
        ("deploy: {resource: {}}", "deploy: unknown key 'resource' (did you mean resources?"),
        ("cgroup_parent: x", "--cgroup-parent (another group above it) is not modelled"),
        ("mem_limit: [1]", "mem_limit: not a text or a number"),
        ("mem_limit: '${MEM'", "not a variable: '${MEM'"),
        ("oom_kill_disable: maybe", "oom_kill_disable: neither true nor false"),
        ("depends_on: [db]", "app depends on 'db', which is not there"),
        ("depends_on: [app]", "app and app depend on each other"),
        ("extends: {service: base}", "no such service: 'base'"),
        ("extends: {file: x.yaml, service: base}", "no such file: "),
        ("deploy: {replicas: 2}, container_name: x", "container_name with 2 replicas"),
        ("container_name: 'a b'", "not a container's name: 'a b'"),
        ("command: '\"'", "command: No closing quotation"),
    ],
)  # fmt: skip
def test_errors(tmp_path: Path, keys: str, told: str) -> None:
    found = errors(compose(tmp_path, keys))
    assert len(found) == 1 and told in found[0] and found[0].startswith("compose.yaml:2:")


def test_what_is_included_and_what_is_extended_elsewhere(tmp_path: Path) -> None:
    """Paths begin in the folder of the file that says them; variables above go first."""
    for name, text in {
        "compose.yaml": "include: [db/compose.yaml, {path: $WHICH, env_file: [a.env, b.env], project_directory: far}]\n"
                        "services: {app: {depends_on: [db], extends: {file: db/base.yaml, service: base}}}\n",
        ".env": "WHICH=other.yaml\nTOP=32m\n",
        "db/compose.yaml": "services: {db: {image: ls, mem_limit: $MEM}}\n",
        "db/.env": "MEM=48m\nTOP=1g\n",
        "db/base.yaml": "services:\n base: {extends: root, mem_limit: $TOP}\n root: {image: ls, memswap_limit: 2g}\n",
        "other.yaml": "include: [last.yml]\nservices: {other: {image: ls, mem_limit: '${MEM}', memswap_limit: $TOP}}\n",
        "a.env": "MEM=16m\n", "b.env": "MEM='24m'\n",
        "far/last.yml": "services: {last: {image: ls, mem_limit: $MEM}}\n",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    file = tmp_path / "compose.yaml"
    assert commands(script(file)) == [
        "docker run -d --name db -m 48m ls ls",
        "docker run -d --name app -m 32m --memory-swap 2g ls ls",
        "docker run -d --name other -m 24m --memory-swap 32m ls ls",
        "docker run -d --name last -m 24m ls ls",
        "docker wait db app other last",
    ]
    assert "docker run -d --name db -m 28m ls ls" in commands(script(file, env={"MEM": "28m"}))
    (tmp_path / "db/compose.yaml").write_text("services: {db: {image: ls, mem_limit: 64q}}\n")
    assert errors(file)[0].startswith("db/compose.yaml:1:39: '64q' is not a size")


def test_what_a_script_asks_of_its_environment(tmp_path: Path) -> None:
    """Of files first to last, then of what is written; of what is extended before that."""
    keys = "env_file: [a.env, {path: none.env, required: false}], environment: {N: '2', L: null}, extends: base"
    file = compose(tmp_path, f"{keys}, command: [sh, -c, 'make -j$$N; ls $$L $$A $$B']",
                   "  base: {image: ls, environment: [B=base, A=base]}\n")  # fmt: skip
    (tmp_path / "a.env").write_text("A='-l -a'\nN=9\n")
    assert commands(script(file, env={"L": "/usr"}))[0] == (
        """docker run -d --name app ls sh -c 'N=2; L=/usr; A='"'"'-l -a'"'"'; B=base; make -j$N; ls $L $A $B'"""
    )
    assert errors(compose(tmp_path, "env_file: none.env"))[0].startswith("compose.yaml:2:30: no such file: ")
    assert "unknown key 'paths'" in errors(compose(tmp_path, "env_file: [{paths: a.env, path: a.env}]"))[0]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("none.yaml", "no such file: "),
        ("https://example.org/compose.yaml", "not read from elsewhere"),
        ("compose.yaml", "compose.yaml includes itself"),
        ("two.yaml", "two.yaml includes itself"),
        ("{path: [same.yaml, two.yaml]}", "files that override each other are not read"),
        ("{paths: same.yaml}", "unknown key 'paths' (did you mean path?"),
        ("{path: same.yaml, env_file: none.env}", "no such file: "),
        ("same.yaml", "include: there is a service 'app' already"),
        ("empty.yaml", "not one document in it"),
    ],
)
def test_what_cannot_be_included(tmp_path: Path, entry: str, told: str) -> None:
    (tmp_path / "same.yaml").write_text("services: {app: {image: ls}}\n")
    (tmp_path / "two.yaml").write_text("include: [two.yaml]\n")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert any(told in line for line in errors(compose(tmp_path, "", f"include: [{entry}]\n")))


def test_all_errors_at_once(tmp_path: Path) -> None:
    file = compose(tmp_path, "mem_limit: 64q, cgroup_parent: x", "  b: {mem_limits: 1}\nservice: {}\n")
    assert [line.partition(": ")[0] for line in errors(file)] == [
        "compose.yaml:3:3",
        "compose.yaml:3:7",
        "compose.yaml:4:1",
    ]
    file = compose(tmp_path, "mem_limit: 64q, cgroup_parent: x", "  b: {image: ls, mem_limit: 1k}\n")
    assert [line.partition(": ")[0] for line in errors(file)] == [
        "compose.yaml:2:31",
        "compose.yaml:2:51",
        "compose.yaml:3:29",
    ]
