"""docker run (and podman's) with limits of memory, and docker stop, kill, wait, rm, update."""

from __future__ import annotations

import re
from dataclasses import replace

from cowpath.errors import Gathered
from cowpath.session import commands as c
from cowpath.session import prefix, sizes
from cowpath.session.cgtools import cpu_number
from cowpath.session.expand import Expanded
from cowpath.session.limits import Limit, settings
from cowpath.session.scope import Scope, Started
from cowpath.session.sh_c import started
from cowpath.session.systemd import noted
from cowpath.words import Word, nearest

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")  # of a container
LEAST = 6 << 20  # dockerd refuses less
FLAGS = ("-d", "--detach", "--rm", "-i", "-t", "-it", "-ti", "--interactive", "--tty", "--init", "--oom-kill-disable",
         "-dit", "-itd", "-q", "--quiet", "--privileged", "--read-only", "--no-healthcheck", "-P")  # fmt: skip
SIZES = ("-m", "--memory", "--memory-swap", "--memory-reservation")
VALUES = (*SIZES, "--name", "--oom-score-adj", "--memory-swappiness", "--cpuset-cpus", "--entrypoint")
HARMLESS = ("-e", "--env", "-v", "--volume", "-w", "--workdir", "-u", "--user", "-p", "--publish", "--network", "--net",
            "-h", "--hostname", "-l", "--label", "--env-file", "--mount", "--platform", "--pull", "--security-opt",
            "--cap-add", "--cap-drop", "--log-driver", "--ipc", "--pid", "--dns")  # fmt: skip
REFUSED = {"--cpus": "a quota of CPU time", "--cpu-shares": "shares of the CPUs", "-c": "shares of the CPUs",
           "--cpu-quota": "a quota of CPU time", "--pids-limit": "a limit of a group's tasks",
           "--kernel-memory": "a limit of kernel memory alone", "--shm-size": "the size of /dev/shm",
           "--restart": "a container that is started again", "--cgroup-parent": "another group above it",
           "--tmpfs": "a file system in memory", "--ulimit": "limits of a process",
           "--blkio-weight": "shares of the disk"}  # fmt: skip
EXAMPLE = "docker run -m 64m --memory-swap 64m IMAGE COMMAND"
Given = dict[str, Word]


def docker(simple: Expanded, scope: Scope) -> c.Action:
    """docker run, docker stop, ..."""
    words = simple.words[1:]
    if words and words[0].text == "container":
        words = words[1:]
    verbs = {"run": _run, "stop": _end, "kill": _end, "rm": _end, "wait": _end, "update": _update}
    if not words or words[0].text not in verbs:
        what = words[0] if words else simple.name
        if words and words[0].text in ("pull", "login", "image", "network", "volume", "rmi"):
            return c.Nothing(simple.name)
        if words and words[0].text == "compose":
            raise what.error("docker compose is not understood here", "cowpath run compose.yaml")
        raise what.error(f"{simple.name.text}: {what.text!r} is not understood here", f"{', '.join(verbs)}: {EXAMPLE}")
    return verbs[words[0].text](simple, words, scope)


def _given(words: tuple[Word, ...]) -> tuple[tuple[Word, ...], Given, Gathered]:
    """What follows the options, their values, and which of them are not modelled."""
    rest = list(words)
    found: Given = {}
    errors = Gathered()
    while rest and rest[0].text.startswith("-"):
        word = rest.pop(0)
        key, equals, value = word.text.partition("=")
        if key in REFUSED:
            errors.add(word.error(f"{key} ({REFUSED[key]}) is not modelled", f"of memory: {', '.join(SIZES)}"))
            rest = rest if equals else rest[1:]
        elif word.text in FLAGS:
            found[word.text] = word
        elif key in (*VALUES, *HARMLESS) and (equals or rest):
            found[key] = Word(value, word.place.after(len(key) + 1)) if equals else rest.pop(0)
        elif word.text.startswith("-m") and not word.text.startswith("--"):
            found["-m"] = Word(word.text[2:], word.place.after(2))
        elif word.text[:2] in HARMLESS and not word.text.startswith("--"):
            found[word.text[:2]] = word
        else:
            raise word.error(
                f"unknown option of docker: {word.text!r}", nearest(key, (*FLAGS, *VALUES, *HARMLESS), EXAMPLE)
            )
    return tuple(rest), found, errors


def limits(given: Given, version: str, notes: list[str], errors: Gathered) -> tuple[Limit, ...]:
    """What dockerd and runc make of the options: memory and swap in one is what --memory-swap says.

    ``errors`` are those so far; raises InputError for all.
    """
    found: list[Limit] = []
    with errors.kept():
        found += _memory(given, version)
    with errors.kept():
        found += _low(given, version)
    for option, file in (("--oom-kill-disable", "oom_kill_disable"), ("--memory-swappiness", "swappiness")):
        if option in given and version == "v2":
            notes.append(f"docker: {option} has no effect with cgroup v2")
        elif option in given:
            word = given[option]
            value = "1" if option == "--oom-kill-disable" else word.text
            if re.fullmatch("[0-9]{1,2}|100", value) is None:
                errors.add(word.error(f"{value!r} is not a swappiness", "0 to 100"))
            else:
                found.append(Limit(file, int(value), word))
    errors.tell()
    return tuple(found)


def _memory(given: Given, version: str) -> list[Limit]:
    """-m and --memory-swap: twice the memory in all, if nothing is said."""
    memory, swap = given.get("-m") or given.get("--memory"), given.get("--memory-swap")
    if memory is None and swap is not None:
        raise swap.error("--memory-swap without -m", "-m 64m --memory-swap 64m")
    if memory is None:
        return []
    size = memory.place.of(sizes.docker, memory.text)
    if size < LEAST:
        raise memory.error(f"{memory.text!r}: docker refuses a limit of less than 6m", "-m 64m")
    both: int | None = 2 * size
    if swap is not None and swap.text != "0":
        both = None if swap.text == "-1" else swap.place.of(sizes.docker, swap.text)
        if both is not None and both < size:
            raise swap.error("--memory-swap is memory and swap in one: docker refuses less than -m", "as much, or more")
    limit = Limit("memory.max", size, memory)
    if version == "v1":
        return [limit, Limit("memsw", both, swap or memory)]
    return [limit, Limit("memory.swap.max", None if both is None else both - size, swap or memory)]


def _low(given: Given, version: str) -> list[Limit]:
    """--memory-reservation."""
    word, memory = given.get("--memory-reservation"), given.get("-m") or given.get("--memory")
    if word is None:
        return []
    if version == "v1":
        raise word.error("memory.soft_limit_in_bytes is not modelled", "take it out")
    low = word.place.of(sizes.docker, word.text)
    if memory is not None and low > memory.place.of(sizes.docker, memory.text):
        raise word.error(f"{word.text!r}: docker refuses a reservation of more than -m", "as much, or less")
    return [Limit("memory.low", low, word)]


def _run(simple: Expanded, words: tuple[Word, ...], scope: Scope) -> c.Action:
    """docker run [OPTIONS] IMAGE [COMMAND]."""
    version = scope.cgroup_version(simple.name)
    rest, given, errors = _given(words[1:])
    if not rest:
        raise simple.name.error("docker run needs an image", EXAMPLE)
    name = given["--name"].text if "--name" in given else f"c{len(scope.started) + 1}"
    if NAME.fullmatch(name) is None:
        raise given["--name"].error(f"not a container's name: {name!r}", "--name web")
    group = f"docker/{name}" if version == "v1" else f"system.slice/docker-{name}.scope"
    scope.started[name] = Started(group, "", "")  # what is wrong below is told there, not where the name is used
    notes: list[str] = []
    found = limits(given, version, notes, errors)
    image, command = rest[0], rest[1:]
    if "--entrypoint" in given:
        command = (given["--entrypoint"], *command)
    if not command:  # what the image runs is its last word: nginx, library/redis:7
        command = (Word(re.sub(r"[:@].*", "", image.text).rpartition("/")[2], image.place),)
    command, manner = prefix.strip(command)
    if "--cpuset-cpus" in given:
        manner = replace(manner, cpu=cpu_number(given["--cpuset-cpus"]))
    if "--oom-score-adj" in given:
        manner = replace(manner, oom_score_adj=prefix.oom_score_adj(given["--oom-score-adj"]))
    waits = not any(flag in given for flag in ("-d", "--detach", "-dit", "-itd"))
    run = started(command, replace(manner, tool=None))
    contained = c.Contained(simple.name, name, Word(group, simple.name.place), settings(found, version), run, waits)
    return noted(contained, [*notes, f"{simple.name.text}: the group of {name} is {group} here", *manner.notes])


def _end(simple: Expanded, words: tuple[Word, ...], scope: Scope) -> c.Action:
    """docker stop, kill, rm -f, wait NAMES."""
    names = [word for word in words[1:] if not word.text.startswith("-")]
    if not names:
        raise simple.name.error(f"docker {words[0].text} needs a container", "docker stop web")
    actions: list[c.Action] = []
    for word in names:
        found = _container(word, scope)
        if not found.slot:
            actions.append(c.Nothing(simple.name))
        elif words[0].text == "wait":
            actions.append(c.End(simple.name, found.manager, waits=True))
        else:
            actions += [c.End(simple.name, found.slot), c.End(simple.name, found.manager, waits=True)]
    return c.Several(simple.name, tuple(actions))


def _update(simple: Expanded, words: tuple[Word, ...], scope: Scope) -> c.Action:
    """docker update -m SIZE NAMES."""
    version = scope.cgroup_version(simple.name)
    rest, given, errors = _given(words[1:])
    notes: list[str] = []
    groups = tuple(Word(_container(word, scope).group, word.place) for word in rest)
    if not groups:
        raise simple.name.error("docker update needs a container", "docker update -m 64m web")
    return noted(c.Set(simple.name, groups, settings(limits(given, version, notes, errors), version)), notes)


def _container(word: Word, scope: Scope) -> Started:
    if word.text not in scope.started:
        hint = nearest(word.text, scope.started, "docker run -d --name web IMAGE")
        raise word.error(f"the script has started no container {word.text!r}", hint)
    return scope.started[word.text]
