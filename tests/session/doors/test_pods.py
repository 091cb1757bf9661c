"""Pods: QoS classes, the kubelet's groups and limits, what runs, and what is wrong in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from .reading import MIB, SAMPLES, commands, errors, plan, script, sets

BURSTABLE = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod"


def pod(folder: Path, spec: str, name: str = "p", kind: str = "Pod") -> Path:
    file = folder / "pod.yaml"
    file.write_text(f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{spec}")
    return file


def container(resources: str = "", name: str = "c", more: str = "") -> str:
    return f"  - {{name: {name}, image: ls, resources: {{{resources}}}{more}}}\n"


def test_the_sample(tmp_path: Path) -> None:
    found = plan(SAMPLES / "pod.yaml", "app=ls")  # no CPU is limited: not Guaranteed
    group = f"{BURSTABLE}app.slice/cri-containerd-app.scope"
    assert group in found.groups
    assert sets(found, group) == {
        "memory.min": 64 * MIB, "memory.max": 64 * MIB, "memory.swap.max": 0, "memory.oom.group": 1,
    }  # fmt: skip
    assert sets(found, "podapp.slice") == {"memory.min": 64 * MIB, "memory.max": 64 * MIB}
    assert sets(found, "kubepods.slice") == {"memory.min": 64 * MIB}


def test_the_sample_with_cgroup_v1(tmp_path: Path) -> None:
    found = plan(SAMPLES / "pod.yaml", "app=ls", version="v1")
    assert found.interfaces == {"v1"}
    limits = {"memory.limit_in_bytes": 64 * MIB, "memory.memsw.limit_in_bytes": 64 * MIB}
    assert sets(found, "cri-containerd-app.scope") == limits
    assert sets(found, "podapp.slice") == {"memory.limit_in_bytes": 64 * MIB}
    assert sets(found, "kubepods.slice") == {"memory.use_hierarchy": 1}


@pytest.mark.parametrize(
    ("resources", "group", "adj"),
    [
        ("", "kubepods-besteffort.slice/kubepods-besteffort-podp.slice", 1000),
        ("limits: {cpu: 1, memory: 64Mi}", "kubepods.slice/kubepods-podp.slice", -997),
        ("limits: {cpu: 0.5, memory: 64Mi}, requests: {cpu: 500m}", "kubepods.slice/kubepods-podp.slice", -997),
        ("limits: {cpu: 1, memory: 64Mi}, requests: {cpu: 500m}", f"{BURSTABLE}p.slice", 985),
        ("limits: {memory: 64Mi}", f"{BURSTABLE}p.slice", 985),
        ("requests: {cpu: 1}", f"{BURSTABLE}p.slice", 999),
        ("requests: {memory: 4Gi}", f"{BURSTABLE}p.slice", 3),
    ],
)
def test_qos_classes(tmp_path: Path, resources: str, group: str, adj: int) -> None:
    file = pod(tmp_path, f"  containers:\n{container(resources)}")
    assert any(each.endswith(f"{group}/cri-containerd-c.scope") for each in plan(file).groups)
    assert f"choom -n {adj} -- ls &" in script(file)


@pytest.mark.parametrize(
    ("resources", "high"),
    [
        ("requests: {memory: 100Mi}, limits: {memory: 200Mi}", 190 * MIB),
        ("requests: {memory: 100M}, limits: {memory: 200M}", 190_000_000 // 4096 * 4096),
        ("limits: {memory: 200Mi}, requests: {cpu: 1}", None),  # 200Mi are requested then
        ("limits: {memory: 200Mi}, requests: {memory: 0}", 180 * MIB),
        ("requests: {memory: 1Gi}", int((1024 + 0.9 * 3072) * MIB) // 4096 * 4096),  # no limit: the node's memory
        ("requests: {memory: 8Gi}", None),
        ("", None),
    ],
)
def test_memory_high(tmp_path: Path, resources: str, high: int | None) -> None:
    file = pod(tmp_path, f"  containers:\n{container(resources)}")
    assert sets(plan(file), "c.scope").get("memory.high") == high


def test_limits_of_a_pod(tmp_path: Path) -> None:
    """The sum of all at once, if each has one; at the beginning one runs after the other, but for sidecars."""
    spec = (
        f"  initContainers:\n{container('limits: {memory: 300Mi}', 'first')}"
        f"{container('limits: {memory: 50Mi}', 'side', ', restartPolicy: Always')}"
        f"{container('limits: {memory: 100Mi}', 'second')}"
        f"  containers:\n{container('limits: {memory: 64Mi}', 'one')}{container('limits: {memory: 1e8}', 'two')}"
    )
    file = pod(tmp_path, spec)
    assert sets(plan(file), "podp.slice")["memory.max"] == 300 * MIB
    file = pod(tmp_path, spec.replace("300Mi", "10Mi"))
    assert sets(plan(file), "podp.slice")["memory.max"] == (50 * MIB + 64 * MIB + 10**8) // 4096 * 4096
    file = pod(tmp_path, spec.replace("limits: {memory: 1e8}", "requests: {memory: 1Mi}"))
    assert "memory.max" not in sets(plan(file), "podp.slice")
    file = pod(tmp_path, f"  resources: {{limits: {{memory: 1Gi}}}}\n  overhead: {{memory: 16Mi}}\n{spec}")
    assert sets(plan(file), "podp.slice")["memory.max"] == 1040 * MIB


def test_init_containers_run_first_and_sidecars_end_with_the_others(tmp_path: Path) -> None:
    spec = (
        f"  initContainers:\n{container('', 'first')}{container('', 'side', ', restartPolicy: Always')}"
        f"  containers:\n{container('', 'one')}{container('', 'two')}"
    )
    lines = commands(script(pod(tmp_path, spec)))
    begins = lines.index("(")
    ends = [line.partition(" -- ")[2] for line in lines[begins + 2 : begins + 6]]
    assert ends == ["ls || exit 1", 'ls & SIDE="$SIDE $!"', 'ls & MAIN="$MAIN $!"', 'ls & MAIN="$MAIN $!"']
    assert lines[begins + 6 :] == ["wait $MAIN", "kill $SIDE 2> /dev/null", ") &", "wait"]


def test_several_documents_and_kinds(tmp_path: Path) -> None:
    template = "template: {spec: {containers: [{name: c, image: ls}]}}"
    file = tmp_path / "all.yaml"
    file.write_text(
        "kind: Namespace\nmetadata: {name: n}\n---\n"
        f"kind: Deployment\nmetadata: {{name: d}}\nspec: {{replicas: 3, {template}}}\n---\n"
        f"kind: CronJob\nmetadata: {{name: j}}\nspec: {{jobTemplate: {{spec: {{{template}}}}}}}\n---\n---\n"
        f"kind: List\nitems:\n- {{kind: DaemonSet, metadata: {{name: s}}, spec: {{{template}}}}}\n"
    )
    found = plan(file)
    names = {each.rpartition("-pod")[2] for each in found.groups if "besteffort-pod" in each and "/cri" not in each}
    assert names == {"d_1.slice", "d_2.slice", "d_3.slice", "j.slice", "s.slice"}
    assert "Namespace: nothing runs by it" in found.notes and "d: its 3 pods are all on this machine" in found.notes


def test_what_is_said_once(tmp_path: Path) -> None:
    file = pod(tmp_path, f"  containers:\n{container('limits: {cpu: 1}', 'a', ', tty: true')}{container('', 'b')}")
    assert [note for note in plan(file).notes if note.startswith("cpu: ")] and "# note: cpu: " in script(file)
    assert any(note.endswith("not started again here") for note in plan(file).notes)
    assert "without an effect here: tty" in plan(file).notes


def test_what_runs(tmp_path: Path) -> None:
    """What the caller names, then the command if it is known, then the image."""

    def runs(more: str, *programs: str, name: str = "web") -> str:
        file = pod(tmp_path, f"  containers:\n  - {{name: {name}, image: a/b/sort:1.2, {more}}}\n")
        return commands(script(file, *programs))[-2].partition(" -- ")[2].removesuffix(" &")

    assert runs("") == "sort"
    assert runs("command: [make, -j4], args: ['all']") == "make -j4 all"
    assert runs("command: [/bin/sh, -c, 'make -j2; ls']") == "/bin/sh -c 'make -j2; ls'"
    assert runs("command: [/srv/run, --port, '80']") == "web"
    assert runs("command: [/srv/run, --port, '80']", "run=ls") == "/srv/run --port 80"
    assert runs("command: [make, -j4]", "web=ls") == "web"
    assert runs("command: [/usr/bin/ninja, -j4]", "web=make") == "web -j4"
    assert runs("", name="make") == "sort"  # a container's own name is no program of the package
    assert runs("", "web=ls") == "web" and runs("", "sort=ls") == "sort"
    assert runs("command: [/bin/bash, -c, 'x=${ARGS[*]}; ls']") == "web"  # a script that is not understood
    assert runs("command: [sysctl, -w, 'vm.swappiness=1']") == "web"
    assert runs("command: [python3, app.py]") == "web"  # the packaged one runs something else


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (container("limits: {memory: 64MB}"), "pod.yaml:6:55: '64MB' is not a quantity (64Mi (binary)"),
        (container("limits: {memory: 64m}"), "'64m' is a part of a byte (64Mi"),
        (container("limits: {memory: -1}"), "'-1' is not a quantity"),
        (container("limits: {memory: [1]}"), "memory: not a text or a number"),
        (container("limits: {mem: 64Mi}"), "no such resource: 'mem'"),
        (container("limit: {memory: 64Mi}"), "resources: unknown key 'limit' (did you mean limits?"),
        (container("limits: {memory: 1Mi}, requests: {memory: 2Mi}"), "memory: more is requested than the limit"),
        (container("limits: {memory: 1Mi, memory: 2Mi}"), "'memory' stands there twice"),
        (container("", "A b"), "not a container's name: 'A b'"),
        (container() + container(), "two containers are called 'c'"),
        (container("", "c", ", comand: [ls]"), "unknown key 'comand' (did you mean command?)"),
        (container("", "c", ", command: ls"), "command: not a list"),
        (
            container("", "c", ", command: [/srv/x]"),
            "unknown command or program: 'c' (did you mean cd? --program NAME=RECORDING",
        ),
        ("", "p has no container"),
        ("  - just text\n", "containers: not a mapping"),
        (container() + "  restartPolicy: always\n", "no restartPolicy: 'always' (did you mean Always?"),
    ],
)
def test_errors(tmp_path: Path, spec: str, told: str) -> None:
    found = errors(pod(tmp_path, f"  containers:\n{spec}"))
    assert len(found) == 1 and told in found[0] and found[0].startswith("pod.yaml:")


def test_too_many_groups_are_one_error_at_the_pod(tmp_path: Path) -> None:
    file = tmp_path / "many.yaml"
    file.write_text(
        "kind: Deployment\nmetadata: {name: d}\nspec:\n  replicas: 90\n"
        "  template: {spec: {containers: [{name: c, image: ls}]}}\n"
    )
    assert errors(file) == ["many.yaml:5:41: more than 127 groups (fewer groups)"]


def test_json(tmp_path: Path) -> None:
    file = tmp_path / "pod.json"
    file.write_text(
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "j"}, "spec": {"containers": [{"name": "ls"}]}}'
    )
    assert "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podj.slice" in plan(file).groups


def test_all_errors_at_once(tmp_path: Path) -> None:
    spec = container("limits: {memory: 64MB}", "a", ", comand: []") + container("limits: {mem: 1}", "b")
    assert len(errors(pod(tmp_path, f"  containers:\n{spec}  hostNet: true\n"))) == 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: Pd\nmetadata: {name: x}\n", "1:7: unknown kind 'Pd' (did you mean Pod?)"),
        ("kind: Service\nmetadata: {name: x}\n", "nothing in it runs"),
        ("kind: Pod\nspec: {}\n", "Pod without a name"),
        ("kind: Pod\nmetadata: {name: p}\n", "Pod p without spec:"),
        ("kind: Pod\nmetadata: {name: p}\nspec: {containers: [\n", "not YAML"),
        ("", "there is nothing in it"),
        ("a: 1\n", "neither a pod nor a compose file"),
        ("- a\n", "neither a pod nor a compose file"),
        ("kind: Pod\nmetadata: {name: p}\nspec: &a\n  <<: *a\n  containers: [{name: c}]\n", "what is merged"),
        ("&a [*a]\n", "neither a pod nor a compose file"),
        ("kind: List\nitems: &a\n- {kind: List, items: *a}\n", "nothing in it runs"),
        ("[" * 1000, "nested too deep"),
        ("kind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1000000}\n", "a whole number from 0 to 100"),
        ("kind: Pod\nx: \x07\n", "x.yaml:2:4: not YAML: a character"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    (found,) = errors(tmp_path / "x.yaml")
    assert told in found
