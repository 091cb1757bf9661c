"""systemd-run and systemctl: units with limits of memory, as systemd.resource-control(5) has them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from cowpath.errors import Gathered
from cowpath.session import commands as c
from cowpath.session import prefix, sizes
from cowpath.session.expand import Expanded
from cowpath.session.limits import Limit, settings
from cowpath.session.prefix import oom_score_adj
from cowpath.session.scope import Scope, Started
from cowpath.session.sh_c import started
from cowpath.words import Word, nearest

FILES = {
    "MemoryMin": "memory.min", "MemoryLow": "memory.low", "MemoryHigh": "memory.high", "MemoryMax": "memory.max",
    "MemorySwapMax": "memory.swap.max", "MemoryLimit": "memory.max",
}  # fmt: skip
IN_V1 = ("MemoryMax", "MemoryLimit")  # all that systemd writes to cgroup v1
POLICIES = ("continue", "stop", "kill")  # OOMPolicy=
HARMLESS = (
    "Description", "MemoryAccounting", "CPUAccounting", "IOAccounting", "TasksAccounting", "RemainAfterExit", "Type",
    "User", "Group", "WorkingDirectory", "Environment", "StandardOutput", "StandardError", "SyslogIdentifier",
    "Delegate", "TimeoutStopSec", "KillMode", "CollectMode", "Documentation", "After", "Wants", "Requires", "Before",
    "WantedBy", "MemoryDenyWriteExecute", "MemoryPressureThresholdSec",
)  # fmt: skip
REFUSED = {
    "CPUQuota": "a quota of CPU time", "CPUWeight": "shares of the CPUs", "CPUShares": "shares of the CPUs",
    "TasksMax": "a limit of a group's tasks", "IOWeight": "shares of the disk", "MemoryZSwapMax": "zswap",
    "IOReadBandwidthMax": "a limit of the disk", "IOWriteBandwidthMax": "a limit of the disk",
    "LimitAS": "a limit of address space", "Slice": "--slice=X says the same, and is understood",
    "ManagedOOMMemoryPressure": "systemd-oomd", "ManagedOOMSwap": "systemd-oomd", "AllowedCPUs": "cpusets",
    "LimitMEMLOCK": "a limit of locked memory", "StartupMemoryMax": "limits while the machine boots",
    "MemoryPressureWatch": "who is told of PSI", "MemoryKSM": "merging of equal pages",
    "Restart": "a service that is started again",
}  # fmt: skip
# of these, what a unit's file may say: it is a note that they are not modelled
LEFT_OUT = tuple(name for name in REFUSED if not name.startswith("Limit") and name != "Slice")
FLAGS = ("--scope", "--user", "--system", "--wait", "--pipe", "-P", "-t", "--pty", "--collect", "-G", "--quiet", "-q",
         "--no-block", "-r", "--remain-after-exit", "--no-ask-password", "--same-dir", "-d")  # fmt: skip
VALUES = ("-p", "--property", "--unit", "-u", "--slice", "--description", "--nice", "--uid", "--gid", "--setenv", "-E",
          "--working-directory", "--service-type", "--background")  # fmt: skip
WAITING = ("--scope", "--wait", "--pipe", "-P", "-t", "--pty")
USER_SLICE = "user.slice/user-0.slice/user@0.service"


class Properties:
    """What the properties of a unit say of memory."""

    def __init__(self, word: Word, memory: int, version: str) -> None:
        self.word, self.memory, self.version = word, memory, version
        self.limits: dict[str, Limit] = {}
        self.policy: str | None = None
        self.oom_score_adj: int | None = None
        self.notes: list[str] = []

    def add_all(self, words: Iterable[Word], example: str) -> None:
        """Words ``NAME=VALUE``. Raises InputError for all that are wrong."""
        errors = Gathered()
        for word in words:
            with errors.kept():
                name, equals, value = word.text.partition("=")
                if not equals:
                    raise word.error(f"no value in {word.text!r}", example)
                self.add(word, name, Word(value, word.place.after(len(name) + 1)))
        errors.tell()

    def add(self, word: Word, name: str, value: Word) -> None:
        """``NAME=VALUE``. Raises InputError for what is not understood, or would matter and is not modelled."""
        if name in FILES and self.version == "v1" and name not in IN_V1:
            self.notes.append(f"{name}=: systemd has no such limit with cgroup v1")
        elif name in FILES:
            size = value.place.of(lambda text: sizes.systemd(text, self.memory), value.text)
            self.limits[FILES[name]] = Limit(FILES[name], size, word)
        elif name == "OOMPolicy":
            if value.text not in POLICIES:
                raise value.error(f"{value.text!r} is not a policy", ", ".join(POLICIES))
            self.policy = value.text
        elif name == "OOMScoreAdjust":
            self.oom_score_adj = oom_score_adj(value)
        elif name in REFUSED:
            raise word.error(f"{name}= ({REFUSED[name]}) is not modelled", f"of memory: {', '.join(FILES)}")
        elif name not in HARMLESS:
            known = (*FILES, *HARMLESS, "OOMPolicy", "OOMScoreAdjust")
            raise word.error(f"{name}= is not understood here", nearest(name, known, f"of memory: {', '.join(FILES)}"))

    def settings(self, version: str) -> tuple[c.Setting, ...]:
        """The files of the unit's group."""
        limits = list(self.limits.values())
        if self.policy == "kill" and version == "v2":  # since systemd 253: memory.oom.group
            limits.append(Limit("memory.oom.group", 1, self.word))
        return settings(tuple(limits), version)


def systemd_run(simple: Expanded, scope: Scope) -> c.Action:
    """systemd-run [--scope] [--user] [--unit=X] [--slice=X] [-p NAME=VALUE]... COMMAND."""
    version = scope.cgroup_version(simple.name)
    properties = Properties(simple.name, scope.facts.memory, version)
    words, given = _options(simple)
    properties.add_all(given.get("-p", ()), "-p MemoryMax=64M")
    if not words:
        raise simple.name.error("systemd-run needs a command", "systemd-run --scope -p MemoryMax=64M make -j4")
    scope_unit = "--scope" in given
    kind = "scope" if scope_unit else "service"
    name = given["--unit"][-1].text if "--unit" in given else f"run-{len(scope.started) + 1}"
    unit = name if name.endswith((".service", ".scope")) else f"{name}.{kind}"
    group = Word(f"{_slice(given, scope)}/{unit}", simple.name.place)
    words, manner = prefix.strip(words)
    if manner.oom_score_adj is None:
        manner = replace(manner, oom_score_adj=properties.oom_score_adj)
    run = started(words, replace(manner, tool=None))
    waits = any(flag in given for flag in WAITING)
    scope.started[unit] = Started(group.text, "", "")
    contained = c.Contained(
        simple.name, unit, group, properties.settings(version), run, waits,
        stops=not scope_unit and properties.policy in (None, "stop") and version == "v2",  # it reads memory.events
    )  # fmt: skip
    return noted(contained, [*properties.notes, *manner.notes])


def noted(action: c.Action, notes: list[str]) -> c.Action:
    """An action with its notes."""
    for note in notes:
        action = c.Noted(action.word, action, note)
    return action


def _options(simple: Expanded) -> tuple[tuple[Word, ...], dict[str, list[Word]]]:
    """The command, and the options before it."""
    words = list(simple.words[1:])
    found: dict[str, list[Word]] = {}
    same = {"--property": "-p", "-u": "--unit"}
    while words and words[0].text.startswith("-"):
        word = words.pop(0)
        key, equals, value = word.text.partition("=")
        if word.text == "--":
            break
        if key in VALUES and key.startswith("--") and equals:
            found.setdefault(same.get(key, key), []).append(Word(value, word.place.after(len(key) + 1)))
        elif word.text in VALUES and words:
            found.setdefault(same.get(key, key), []).append(words.pop(0))
        elif word.text[:2] in ("-p", "-u") and len(word.text) > 2:
            found.setdefault(same.get(word.text[:2], word.text[:2]), []).append(
                Word(word.text[2:], word.place.after(2))
            )
        elif word.text in FLAGS:
            found.setdefault(word.text, []).append(word)
        elif re.fullmatch("-[PtGqrd]+", word.text):
            for letter in word.text[1:]:
                found.setdefault(f"-{letter}", []).append(word)
        else:
            raise word.error(
                f"unknown option of systemd-run: {word.text!r}",
                nearest(word.text, (*FLAGS, *VALUES), "--scope, --user, --unit=X, --slice=X, --wait, -p MemoryMax=64M"),
            )
    return tuple(words), found


def _slice(given: dict[str, list[Word]], scope: Scope) -> str:
    """The group of a slice: a-b.slice is within a.slice."""
    if "--slice" not in given:
        return f"{USER_SLICE}/app.slice" if "--user" in given else "system.slice"
    word = given["--slice"][-1]
    name = word.text.removesuffix(".slice")
    if re.fullmatch(r"[A-Za-z0-9_.:]+(-[A-Za-z0-9_.:]+)*", name) is None:
        raise word.error(f"not a slice's name: {word.text!r}", "--slice=batch.slice")
    return slice_path(name)


def slice_path(name: str) -> str:
    """a-b is a.slice/a-b.slice."""
    parts = name.split("-")
    return "/".join(f"{'-'.join(parts[: depth + 1])}.slice" for depth in range(len(parts)))


def systemctl(simple: Expanded, scope: Scope) -> c.Action:
    """systemctl set-property UNIT NAME=VALUE..., systemctl stop|kill UNIT, of units that the script has started."""
    words = [word for word in simple.words[1:] if word.text not in ("--runtime", "--user", "--system", "-q", "--quiet")]
    verb = words[0].text if words else ""
    if verb in ("daemon-reload", "reset-failed", "daemon-reexec"):
        return c.Nothing(simple.name)
    if verb in ("start", "restart"):
        raise words[0].error(
            f"systemctl {verb} is not understood here", "cowpath run UNIT.service; systemd-run COMMAND"
        )
    if verb not in ("set-property", "stop", "kill") or len(words) < 2:
        raise (words[0] if words else simple.name).error(
            f"systemctl {verb} is not understood here".replace("  ", " "),
            "systemctl set-property UNIT MemoryMax=64M, systemctl stop UNIT",
        )
    unit = words[1].text
    unit = unit if unit in scope.started or "." in unit else f"{unit}.service"
    if unit.endswith(".slice") and verb == "set-property":
        group = Word(slice_path(unit.removesuffix(".slice")), words[1].place)
    elif unit in scope.started:
        group = Word(scope.started[unit].group, words[1].place)
    else:
        raise words[1].error(
            f"the script has started no unit {unit!r}", nearest(unit, scope.started, "systemd-run --unit=X COMMAND")
        )
    if verb != "set-property":
        if not scope.started[unit].slot:
            raise words[1].error(f"{unit!r} has ended", "systemd-run without --scope and --wait goes on")
        return c.End(simple.name, scope.started[unit].slot)
    version = scope.cgroup_version(simple.name)
    properties = Properties(simple.name, scope.facts.memory, version)
    properties.add_all(words[2:], "MemoryMax=64M")
    return noted(c.Set(simple.name, (group,), properties.settings(version)), properties.notes)
