"""What the kubelet makes of pods: groups by QoS class, their limits, and what runs in them.

As pkg/kubelet/cm (ResourceConfigForPod, setMemoryQoS, the systemd driver's names) and pkg/kubelet/kuberuntime
(generateLinuxContainerConfig) of Kubernetes 1.34 do it.
"""

from __future__ import annotations

from collections.abc import Callable

from cowpath.session.doors import resources
from cowpath.session.doors.around import Around, command
from cowpath.session.doors.pods import Container, Pod
from cowpath.session.doors.resources import BURSTABLE, GUARANTEED, Resources
from cowpath.session.doors.written import Written

TOP = "kubepods.slice"
QOS_NOTE = (
    "memory QoS (memory.min, memory.high) is as with the kubelet's feature gate MemoryQoS, which is off by default: "
    "cowpath explain-limits FILE --no-memory-qos"
)
Settings = list[tuple[str, int]]


def write(pods: list[Pod], written: Written, around: Around) -> None:
    """The pods' groups, then what runs in each."""
    qos = around.memory_qos and around.version == "v2"
    if around.version == "v1":  # as systemd has it at the mount's root
        written.add(f"cgcreate -g memory:{TOP}")
        written.add(f"cgset -r memory.use_hierarchy=1 {TOP}")
    asked = {name: sum(_request(pod) for pod in pods if pod.qos == name) for name in (GUARANTEED, BURSTABLE)}
    above = {TOP: sum(asked.values()), f"{TOP}/{_slice(BURSTABLE)}": asked[BURSTABLE]}
    for group, request in above.items():
        if qos and request:
            written.add(f"cgcreate -g memory:{group}")
            written.add(f"cgset -r memory.min={request} {group}")
    if qos and any(each.resources.limit or each.resources.request for pod in pods for each in pod.containers):
        written.note(QOS_NOTE)
    for pod in pods:
        written.add("")
        _pod(pod, written, around, qos)
    written.at = None
    written.add("wait")


def group_of(pod: Pod) -> str:
    """kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID.slice; guaranteed: no slice between."""
    inner = _slice(pod.qos)
    return "/".join(filter(None, (TOP, inner, f"{(inner or TOP).removesuffix('.slice')}-pod{pod.uid}.slice")))


def _slice(qos: str) -> str:
    return "" if qos == GUARANTEED else f"kubepods-{qos.lower()}.slice"


def _pod(pod: Pod, written: Written, around: Around, qos: bool) -> None:
    """A pod's group, the groups of its containers, and what runs in them."""
    written.at = pod.name.place
    written.comment(f"pod {pod.name.text}: {pod.qos}")
    written.add(f"POD={group_of(pod)}")
    _group("$POD", _of_pod(pod, around, qos), written)
    for each in pod.containers:
        written.at = each.name.place
        _group(f"$POD/{_scope(each)}", _of_container(each, around, qos), written)
    begins = [each for each in pod.containers if each.begins]
    mains = [each for each in pod.containers if not each.begins]
    if not begins:
        for each in mains:
            _run(each, pod, written, around, "", " &")
        return
    written.add("(")
    sides = any(each.beside for each in begins)
    if sides:
        written.add("    MAIN= SIDE=")
    for each in begins:
        how = ' & SIDE="$SIDE $!"' if each.beside else " || exit 1"
        _run(each, pod, written, around, "    ", how)
    for each in mains:
        how = ' & MAIN="$MAIN $!"' if sides else " &"
        _run(each, pod, written, around, "    ", how)
    written.add("    wait $MAIN\n    kill $SIDE 2> /dev/null" if sides else "    wait")
    written.add(") &")


def _scope(container: Container) -> str:
    return f"cri-containerd-{container.name.text}.scope"


def _group(group: str, settings: Settings, written: Written) -> None:
    written.add(f"cgcreate -g memory:{group}")
    if settings:
        written.add(" ".join(["cgset", *(f"-r {file}={value}" for file, value in settings), group]))


def _of_pod(pod: Pod, around: Around, qos: bool) -> Settings:
    """A limit, if each of its containers has one, or the pod itself."""
    limit = pod.own.limit
    if not limit and all(each.resources.limit for each in pod.containers):
        limit = _most(pod, lambda each: each.limit)
    found = [("memory.min", request)] if qos and (request := _request(pod)) else []
    return found + (_limit(limit + pod.overhead, around) if limit else [])


def _request(pod: Pod) -> int:
    """What all of it requests."""
    if pod.qos == resources.BEST_EFFORT:
        return 0
    return (pod.own.request or _most(pod, lambda each: each.request)) + pod.overhead


def _most(pod: Pod, of: Callable[[Resources], int]) -> int:
    """Of the containers that run at the same time the sum of ``of``, at its most."""
    begins = ((each.resources, each.beside) for each in pod.containers if each.begins)
    return resources.most_at_once(begins, (each.resources for each in pod.containers if not each.begins), of)


def _of_container(container: Container, around: Around, qos: bool) -> Settings:
    used = container.resources
    found: Settings = []
    if qos:
        high = resources.memory_high(used.request, used.limit, around.memory)
        found += [("memory.min", used.request)] if used.request else []
        found += [("memory.high", high)] if high is not None else []
    if used.limit:
        found += _limit(used.limit, around)
    if around.version == "v2":  # NoSwap; and since 1.28 all of a container is killed at once
        return [*found, ("memory.swap.max", 0), ("memory.oom.group", 1)]
    return [*found, ("memory.memsw.limit_in_bytes", used.limit)] if used.limit else found


def _limit(size: int, around: Around) -> Settings:
    return [("memory.max" if around.version == "v2" else "memory.limit_in_bytes", size)]


def _run(container: Container, pod: Pod, written: Written, around: Around, indent: str, how: str) -> None:
    """What runs in a container; ``how`` follows it."""
    names = list(dict.fromkeys([container.name.text, container.image]))
    runs = command(names, container.command, around, written, container.name.place)
    adj = f"choom -n {_adj(container, pod, around)}"
    written.add(f"{indent}cgexec -g memory:$POD/{_scope(container)} {adj} -- {runs.text}{how}", runs.place)


def _adj(container: Container, pod: Pod, around: Around) -> int:
    """oom_score_adj; a sidecar is not killed before the containers that it is there for."""
    if pod.critical:
        return resources.GUARANTEED_ADJ
    request = container.resources.request
    if container.beside:
        request = max(request, min(each.resources.request for each in pod.containers if not each.begins))
    return resources.oom_score_adj(pod.qos, request, around.memory)
