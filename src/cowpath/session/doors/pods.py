"""Reads pods, and what makes pods (Deployment, Job, ...), from the YAML of Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cowpath.session.doors import resources
from cowpath.session.doors.around import image_name
from cowpath.session.doors.resources import Resources
from cowpath.session.doors.written import Written
from cowpath.session.doors.yaml_text import Value
from cowpath.words import Word, nearest

TEMPLATES = {  # where a kind's pods are described, and how many there are
    "Pod": ((), ""), "PodTemplate": (("template",), ""), "Deployment": (("spec", "template"), "replicas"),
    "ReplicaSet": (("spec", "template"), "replicas"), "StatefulSet": (("spec", "template"), "replicas"),
    "ReplicationController": (("spec", "template"), "replicas"), "DaemonSet": (("spec", "template"), ""),
    "Job": (("spec", "template"), "parallelism"), "CronJob": (("spec", "jobTemplate", "spec", "template"), ""),
}  # fmt: skip
OF_OBJECTS = ("apiVersion", "kind", "metadata", "spec", "template", "status", "items")
SPEC = (
    "containers", "initContainers", "ephemeralContainers", "resources", "overhead", "restartPolicy",
    "priorityClassName", "volumes", "terminationGracePeriodSeconds", "activeDeadlineSeconds", "dnsPolicy",
    "nodeSelector", "nodeName", "serviceAccountName", "serviceAccount", "automountServiceAccountToken",
    "hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "securityContext", "imagePullSecrets",
    "hostname", "subdomain", "affinity", "schedulerName", "tolerations", "hostAliases", "priority", "dnsConfig",
    "readinessGates", "runtimeClassName", "enableServiceLinks", "preemptionPolicy", "topologySpreadConstraints",
    "setHostnameAsFQDN", "os", "hostUsers", "schedulingGates", "resourceClaims", "hostnameOverride", "workloadRef",
)  # fmt: skip
CONTAINER = (
    "name", "image", "command", "args", "resources", "restartPolicy", "workingDir", "ports", "env", "envFrom",
    "resizePolicy", "restartPolicyRules", "volumeMounts", "volumeDevices", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle", "terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy",
    "securityContext", "stdin", "stdinOnce", "tty", "targetContainerName",
)  # fmt: skip
USED = ("containers", "initContainers", "resources", "overhead", "restartPolicy", "priorityClassName", "name", "image",
        "command", "args")  # fmt: skip
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
CRITICAL = "system-node-critical"
MOST_REPLICAS = 100
DEEPEST = 4  # lists of lists


@dataclass(frozen=True)
class Container:
    """A container. ``begins``: it is of the beginning; ``beside``: and goes on beside the others (a sidecar)."""

    name: Word
    image: str
    command: tuple[Word, ...]
    resources: Resources
    begins: bool = False
    beside: bool = False


@dataclass(frozen=True)
class Pod:
    """A pod. ``own`` are the resources of the pod itself, ``overhead`` (bytes) those of its runtime."""

    name: Word
    uid: str
    containers: tuple[Container, ...]
    own: Resources
    overhead: int
    critical: bool

    @property
    def qos(self) -> str:
        """Its QoS class."""
        if self.own.said:
            return resources.qos_class([self.own])
        return resources.qos_class(each.resources for each in self.containers)


def read_pods(documents: list[Value], written: Written) -> list[Pod]:
    """The pods of a file, in its order. What is wrong is put by."""
    found: list[Pod] = []
    for document in documents:
        with document.source.errors.kept():
            found += _of_object(document, written, 0)
    return found


def _of_object(value: Value, written: Written, depth: int) -> Iterator[Pod]:
    """The pods of an object of the API."""
    top = value.mapping()
    kind = top["kind"].word() if "kind" in top else Word("", value.place)
    if not kind.text:
        raise kind.error("no kind", "kind: Pod")
    if (kind.text == "List" or kind.text.endswith("List")) and depth < DEEPEST:
        for item in top["items"].items() if "items" in top else []:
            with value.source.errors.kept():
                yield from _of_object(item, written, depth + 1)
        return
    if kind.text not in TEMPLATES:
        slip = nearest(kind.text, TEMPLATES)
        if slip is not None:
            raise kind.error(f"unknown kind {kind.text!r}", slip)
        written.note(f"{kind.text}: nothing runs by it")
        return
    value.mapping(OF_OBJECTS)
    path, count = TEMPLATES[kind.text]
    name, uid = _metadata(top.get("metadata"), kind)
    replicas = 1
    for key in path:
        if count and key == "template":
            replicas = _replicas(top, count)
        top = _part(top, key, kind)
    pod = _pod(top, kind, name, uid, written)
    if kind.text == "CronJob":
        written.note("CronJob: one of its jobs, once")
    if kind.text == "DaemonSet":
        written.note("DaemonSet: its pod on one machine")
    if pod is None:
        return
    if not count or replicas == 1:
        yield pod
        return
    written.note(f"{name.text}: its {replicas} pods are all on this machine")
    for number in range(1, replicas + 1):
        yield replace(pod, name=Word(f"{name.text}-{number}", name.place), uid=f"{uid}_{number}")


def _replicas(spec: dict[str, Value], key: str) -> int:
    return spec[key].count(MOST_REPLICAS) if key in spec and not spec[key].is_null else 1


def _part(mapping: dict[str, Value], key: str, kind: Word) -> dict[str, Value]:
    if key not in mapping:
        raise kind.error(f"{kind.text} without {key}:", f"{key}: ...")
    return mapping[key].mapping()


def _metadata(value: Value | None, kind: Word) -> tuple[Word, str]:
    """The name, and the UID as the names of groups have it: given by the API server, else the name stands for it."""
    found = value.mapping() if value is not None else {}
    if "name" in found:
        name = found["name"].word()
    elif "generateName" in found:
        name = found["generateName"].word()
        name = Word(name.text.rstrip("-"), name.place)
    else:
        raise (value.key if value is not None else kind).error(f"{kind.text} without a name", "metadata: {name: app}")
    if SUBDOMAIN.fullmatch(name.text) is None:
        raise name.error(f"not a name: {name.text[:80]!r}", "small letters, digits, - and .")
    uid = found["uid"].word().text if "uid" in found else name.text
    if re.fullmatch(r"[-a-zA-Z0-9._]{1,253}", uid) is None:
        raise found["uid"].error(f"not a UID: {uid[:80]!r}", "letters, digits and -")
    return name, re.sub(r"[-.]", "_", uid)


def _pod(top: dict[str, Value], kind: Word, name: Word, uid: str, written: Written) -> Pod | None:
    """A pod from its object or template; None if there is an error that is told."""
    if "spec" not in top:
        raise kind.error(f"{kind.text} {name.text} without spec:", "spec: {containers: [...]}")
    value = top["spec"]
    errors, spec = value.source.errors, value.mapping(SPEC)
    _ignore(spec, written)
    before = len(errors.found)
    containers = [*_containers(spec.get("initContainers"), written, begins=True)]
    mains = [*_containers(spec.get("containers"), written)]
    if not mains and len(errors.found) == before:
        raise value.key.error(f"{name.text} has no container", "containers: [{name: app, image: app}]")
    names: set[str] = set()
    for each in (*containers, *mains):
        if each.name.text in names:
            errors.add(each.name.error(f"two containers are called {each.name.text!r}", "another name"))
        names.add(each.name.text)
    policy = _restarts(spec.get("restartPolicy"))
    own, overhead = resources.read(spec.get("resources"), written), 0
    if "overhead" in spec:
        with errors.kept():
            overhead = resources.overhead(spec["overhead"], written)
    critical = "priorityClassName" in spec and spec["priorityClassName"].word().text == CRITICAL
    if policy != "Never":
        written.note(f"restartPolicy: {policy}: a container that has ended is not started again here")
    return Pod(name, uid, (*containers, *mains), own, overhead, critical) if len(errors.found) == before else None


def _restarts(value: Value | None) -> str:
    """restartPolicy; the API server's default is Always."""
    word = None if value is None else value.word()
    policies = ("Always", "OnFailure", "Never")
    if word is not None and word.text not in policies:
        raise word.error(f"no restartPolicy: {word.text!r}", nearest(word.text, policies, ", ".join(policies)))
    return "Always" if word is None else word.text


def _ignore(found: dict[str, Value], written: Written) -> None:
    """Keys without an effect on memory here."""
    for key, value in found.items():
        if key == "volumes" and _in_memory(value):
            written.note("emptyDir with medium Memory: what is written there is not modelled")
        elif key in (*SPEC, *CONTAINER) and key not in USED:
            written.ignore(key)


def _in_memory(volumes: Value) -> bool:
    for volume in volumes.items():
        empty = volume.mapping().get("emptyDir")
        medium = empty.mapping().get("medium") if empty is not None else None
        if medium is not None and not medium.is_null and medium.word().text == "Memory":
            return True
    return False


def _containers(value: Value | None, written: Written, begins: bool = False) -> Iterator[Container]:
    """The containers of a list that can be read."""
    if value is None:
        return
    for item in value.items():
        with value.source.errors.kept():
            yield _container(item, written, begins)


def _container(value: Value, written: Written, begins: bool) -> Container:
    found = value.mapping(CONTAINER)
    _ignore(found, written)
    if "name" not in found:
        raise value.error("a container without a name", "name: app")
    name = found["name"].word()
    if LABEL.fullmatch(name.text) is None:
        raise name.error(f"not a container's name: {name.text[:80]!r}", "small letters, digits and -")
    image = found["image"].word() if "image" in found and not found["image"].is_null else name
    image = Word(image_name(image.text), image.place)
    words = [word for key in ("command", "args") if key in found for word in found[key].texts()]
    if words and ("command" not in found or found["command"].is_null):
        words.insert(0, image)  # the arguments of what the image runs
    beside = begins and "restartPolicy" in found and _restarts(found["restartPolicy"]) == "Always"
    used = resources.read(found.get("resources"), written)
    return Container(name, image.text, tuple(words), used, begins, beside)
