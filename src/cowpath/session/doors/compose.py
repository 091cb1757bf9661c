"""Compose files: each service as the docker run that it stands for."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cowpath.errors import Gathered
from cowpath.session import docker, sizes
from cowpath.session.doors.around import Around, command, image_name
from cowpath.session.doors.container_env import with_environment
from cowpath.session.doors.included import ComposeFile, services_in, services_of
from cowpath.session.doors.written import Written
from cowpath.session.doors.yaml_text import Value
from cowpath.words import Place, Word, nearest

LIMITS = {  # where a service says it, and docker's option; the second place says the same
    "-m": (("mem_limit",), ("deploy", "resources", "limits", "memory")),
    "--memory-swap": (("memswap_limit",),),
    "--memory-reservation": (("mem_reservation",), ("deploy", "resources", "reservations", "memory")),
    "--memory-swappiness": (("mem_swappiness",),),
    "--oom-score-adj": (("oom_score_adj",),),
    "--cpuset-cpus": (("cpuset",),),
    "--cgroup-parent": (("cgroup_parent",),),
}  # fmt: skip
CPU = "CPU time is not limited here; all tasks have the same share"
ENDED = "what has ended is not started again here"
NOT_MODELLED = {  # what could matter, and is left out
    "cpus": CPU, "cpu_shares": CPU, "cpu_quota": CPU, "cpu_period": CPU, "cpu_count": CPU, "cpu_percent": CPU,
    "cpu_rt_period": CPU, "cpu_rt_runtime": CPU, "restart": ENDED, "pids_limit": "a group's tasks are not limited here",
    "blkio_config": "the disk's shares are not modelled", "shm_size": "the size of /dev/shm is not limited here",
    "tmpfs": "what is written there is not modelled", "ulimits": "limits of a process are not modelled",
}  # fmt: skip
SOFT = "memory.soft_limit_in_bytes is not modelled; it counts only where the machine is short of memory"
OTHERS = (
    "annotations", "attach", "build", "cap_add", "cap_drop", "cgroup", "configs", "container_name", "credential_spec",
    "depends_on", "deploy", "develop", "device_cgroup_rules", "devices", "dns", "dns_opt", "dns_search", "domainname",
    "entrypoint", "command", "env_file", "environment", "expose", "extends", "external_links", "extra_hosts", "gpus",
    "group_add", "healthcheck", "hostname", "image", "init", "ipc", "isolation", "labels", "links", "logging",
    "mac_address", "models", "network_mode", "networks", "oom_kill_disable", "pid", "platform", "ports", "post_start",
    "pre_stop", "privileged", "profiles", "provider", "pull_policy", "read_only", "runtime", "scale", "secrets",
    "security_opt", "stdin_open", "stop_grace_period", "stop_signal", "storage_opt", "sysctls", "tty", "use_api_socket",
    "user", "userns_mode", "uts", "volumes", "volumes_from", "working_dir", "label_file",
)  # fmt: skip
DEPLOY = ("mode", "replicas", "resources", "restart_policy", "endpoint_mode", "labels", "placement", "rollback_config",
          "update_config")  # fmt: skip
AMOUNTS = ("cpus", "memory", "pids", "devices", "generic_resources")
USED = ("image", "build", "command", "entrypoint", "container_name", "depends_on", "deploy", "extends", "scale",
        "profiles", "oom_kill_disable", "environment", "env_file")  # fmt: skip
SERVICE = tuple(dict.fromkeys([*(place[0] for each in LIMITS.values() for place in each), *NOT_MODELLED, *OTHERS]))
CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
ENDS = CONDITIONS[2]
MOST_REPLICAS = 100


@dataclass
class Service:
    """A service; ``layers`` are its own keys, then those of what it extends."""

    name: Word
    errors: Gathered
    layers: list[dict[str, Value]]
    needs: dict[str, Word] = field(default_factory=dict)  # services, each with the condition

    def get(self, *path: str) -> Value | None:
        """What stands at a path; its own goes first. Null is nothing."""
        for layer in self.layers:
            found: Value | None = None
            for depth, key in enumerate(path):
                found = (layer if depth == 0 else found.mapping() if found else {}).get(key)
            if found is not None and not found.is_null:
                return found
        return None


def write(found: list[Value], source: ComposeFile, path: Path, written: Written, around: Around) -> None:
    """The session of a compose file. What is wrong is put by, in the file's errors."""
    errors = source.errors
    if len(found) > 1:
        raise found[1].error("a second document", "one compose file")
    every = services_of(found[0], source, (path.resolve(),))
    services: dict[str, Service] = {}
    for name, value in every.items():
        with errors.kept():
            services[name] = _service(name, value, every)
    if not every and not errors:
        raise found[0].error("no services", "services: {app: {image: app}}")
    begun = {name: each for name, each in services.items() if _begins(each, written, around)}
    commands: dict[str, list[str]] = {}
    for name in _order(begun):
        with errors.kept():
            commands[name] = _start(begun[name], commands, written, around)
    if names := [name for each in commands.values() for name in each]:
        written.add(f"docker wait {shlex.join(names)}")
    elif not errors:
        raise found[0].error("nothing in it runs", "a service without profiles: or --env COMPOSE_PROFILES=X")


def _service(name: str, value: Value, every: Mapping[str, Value]) -> Service:
    """A service with what it extends."""
    layers: list[dict[str, Value]] = []
    seen = {(value.source.file, name)}
    key = value.key
    while True:
        own = value.mapping()
        for each in own.values():
            if each.key.text not in SERVICE and not each.key.text.startswith("x-"):
                hint = nearest(each.key.text, SERVICE, "x-NAME is your own")
                value.source.errors.add(each.key.error(f"{name}: unknown key {each.key.text!r}", hint))
        layers.append(own)
        if "extends" not in own:
            break
        base, every = _base(own["extends"], every)
        value = every[base.text]
        if (value.source.file, base.text) in seen:
            raise base.error(f"{base.text!r} extends itself", "another service")
        seen.add((value.source.file, base.text))
    service = Service(key, value.source.errors, layers)
    service.needs = dict(_needs(service))
    return service


def _base(value: Value, every: Mapping[str, Value]) -> tuple[Word, Mapping[str, Value]]:
    """The service that another one extends, and the services among which that is."""
    if value.is_mapping:
        found = value.mapping(("service", "file"))
        if "service" not in found:
            raise value.key.error("extends: no service", "extends: {service: NAME}")
        if "file" in found:
            every = services_in(found["file"].word(), value.source)
        value = found["service"]
    word = value.word()
    if word.text not in every:
        raise word.error(f"no such service: {word.text!r}", nearest(word.text, every, ", ".join(every)))
    return word, every


def _needs(service: Service) -> Iterator[tuple[str, Word]]:
    """depends_on."""
    value = service.get("depends_on")
    if value is None:
        return
    if not value.is_mapping:
        yield from ((word.text, Word(CONDITIONS[0], word.place)) for word in value.texts())
        return
    for name, each in value.mapping().items():
        found = each.mapping(("condition", "required", "restart"))
        word = found["condition"].word() if "condition" in found else Word(CONDITIONS[0], each.key.place)
        if word.text not in CONDITIONS:
            raise word.error(f"no condition: {word.text!r}", nearest(word.text, CONDITIONS, ", ".join(CONDITIONS)))
        yield name, Word(word.text, each.key.place)


def _begins(service: Service, written: Written, around: Around) -> bool:
    """A service with a profile is started where that is asked for."""
    value = service.get("profiles")
    if value is None:
        return True
    asked = {each.strip() for each in around.environment.get("COMPOSE_PROFILES", "").split(",")}
    with value.source.errors.kept():
        if asked & {"*", *(word.text for word in value.texts())}:
            return True
        written.note(f"{service.name.text} has a profile, and is not started: --env COMPOSE_PROFILES=NAME")
    return False


def _order(services: Mapping[str, Service]) -> Iterator[str]:
    """Each after what it depends on. What cannot be so is put by."""
    done: dict[str, bool] = {}  # False: it is being looked at

    def visit(name: str) -> Iterator[str]:
        done[name] = False
        for needed, word in services[name].needs.items():
            errors = services[name].errors
            if needed not in services:
                hint = nearest(needed, services, f"services that are started: {', '.join(services)}")
                errors.add(word.error(f"{name} depends on {needed!r}, which is not there", hint))
            elif needed not in done:
                yield from visit(needed)
            elif not done[needed]:
                errors.add(word.error(f"{name} and {needed} depend on each other", "one of them first"))
        done[name] = True
        yield name

    for name in services:
        if name not in done:
            yield from visit(name)


def _start(service: Service, before: Mapping[str, list[str]], written: Written, around: Around) -> list[str]:
    """docker run, once for each replica; the containers' names. What must have ended is waited for."""
    _told(service, written)
    for needed, condition in service.needs.items():
        if condition.text == ENDS and before.get(needed):
            written.add(f"docker wait {shlex.join(before[needed])}")
        elif condition.text == CONDITIONS[1]:
            written.note(f"{needed} counts as healthy once it is started")
    names = _names(service, written)
    options = _options(service, written, around)
    image, runs = _image(service, written, around)
    for name in names:
        begin = (f"docker run -d --name {shlex.quote(name)}", service.name.place)
        written.command([begin, *options, (f"{shlex.quote(image)} {runs.text}", runs.place)])
    return names


def _told(service: Service, written: Written) -> None:
    """What has no effect here, and what could have one and is not modelled."""
    for layer in service.layers:
        for key, value in layer.items():
            if key in NOT_MODELLED and not value.is_null:
                written.note(f"{key}: {NOT_MODELLED[key]}")
            elif key in OTHERS and key not in USED:
                written.ignore(key)
        deploy = layer["deploy"].mapping(DEPLOY) if "deploy" in layer else {}
        if "restart_policy" in deploy:
            written.note(f"restart_policy: {ENDED}")
        resources = deploy["resources"].mapping(("limits", "reservations")) if "resources" in deploy else {}
        for part, value in resources.items():
            for key in value.mapping(AMOUNTS):
                if key in ("cpus", "pids"):
                    written.note(f"deploy.resources.{part}.{key}: not limited here")


def _options(service: Service, written: Written, around: Around) -> list[tuple[str, Place]]:
    """The limits as docker's options."""
    found = []
    for option, paths in LIMITS.items():
        values = [(path, value) for path in paths if (value := service.get(*path)) is not None]
        if not values:
            continue
        word = values[0][1].word()
        for path, other in values[1:]:
            if other.word().text != word.text:
                where = ".".join(path)
                service.errors.add(
                    other.word().error(f"{where} is not {'.'.join(values[0][0])}: {word.text!r}", "say it once")
                )
        if option == "--memory-reservation" and around.version == "v1":
            written.note(f"{paths[0][0]}: {SOFT}")
        elif not (option in ("-m", "--memory-swap", "--memory-reservation") and _is_zero(word.text)):
            found.append((f"{option} {shlex.quote(word.text)}", word.place))
    kill = service.get("oom_kill_disable")
    if kill is not None and kill.truth():
        found.append(("--oom-kill-disable", kill.place))
    return found


def _is_zero(text: str) -> bool:
    """0, 0b, 0m: no limit."""
    return text[:1] == "0" and text.strip("0bBkKmMgG.") == "" and sizes.docker(text) == 0


def _image(service: Service, written: Written, around: Around) -> tuple[str, Word]:
    """The image, and what runs in it."""
    value = service.get("image")
    image = service.name.text if value is None else value.word().text
    if value is None and service.get("build") is None:
        raise service.name.error(f"{service.name.text}: neither image nor build", "image: NAME")
    words = [word for key in ("entrypoint", "command") for word in _words(service.get(key))]
    words = with_environment(words, service.layers)
    own = image_name(image)
    if words and service.get("entrypoint") is None and own in around.table.programs and not around.known(words):
        words.insert(0, Word(own, words[0].place))  # arguments of what the image runs
    names = list(dict.fromkeys([service.name.text, own]))
    return image, command(names, words, around, written, service.name.place)


def _words(value: Value | None) -> list[Word]:
    """A command: a list of words, or a text that is split as a shell does."""
    if value is None:
        return []
    if value.is_list:
        return value.texts()
    word = value.word()
    try:
        return [Word(part, word.place) for part in shlex.split(word.text)]
    except ValueError as error:
        raise word.error(f"{value.key.text}: {error}", "a list: [make, -j4]") from None


def _names(service: Service, written: Written) -> list[str]:
    """The names of the containers: one for each replica."""
    value = service.get("deploy", "replicas") or service.get("scale")
    count = 1 if value is None else value.count(MOST_REPLICAS)
    own = service.get("container_name")
    word = service.name if own is None else own.word()
    name = word.text
    if docker.NAME.fullmatch(name) is None:
        raise word.error(f"not a container's name: {name[:80]!r}", "letters, digits, _, . and -")
    if count == 1:
        return [name]
    if own is not None:
        raise own.error(f"container_name with {count} replicas: names must differ", "no container_name")
    written.note(f"{name}: its {count} containers are all on this machine")
    return [f"{name}-{number}" for number in range(1, count + 1)]
