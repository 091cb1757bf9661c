"""What the shell knows at a place of the script: variables, directory, jobs. All of it is known before the run.

Which groups there are is not: commands that make and remove them may fail, and others may do so at the same time.

What only the run shows (``$?``, ``$(cat memory.current)``) stands for itself in a value: ``live``.

A background job's number is not known: in a value it stands as ``\\0N\\0``, N being its number among all background
commands of the script (``%N``). No script can hold a zero byte, so such a value can be passed on, split and compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cowpath.errors import InputError, ToldError
from cowpath.session.live import LIVE, Live
from cowpath.session.shell_word import Part
from cowpath.session.tree import Function
from cowpath.session.uses import Uses
from cowpath.words import Word

HOME = "/root"
ROOTS = {"HOME": HOME, "USER": "root", "LOGNAME": "root", "UID": "0", "EUID": "0"}  # all is done as root
UNSURE = "\0?\0"  # a value that depends on how a command ended
BROKEN = "\0!\0"  # the value of what is wrong: the error is told already
SHELL_ITSELF = "\0$\0"  # $$
JOB = re.compile("\0([0-9]+)\0")
LOST_JOB = re.compile("\0-[0-9]+\0")  # a job that the loop has started again since


def job_value(number: int) -> str:
    """A job as a variable's value."""
    return f"\0{number}\0"


def readable(text: str) -> str:
    """A text for people: what stands for a number that is not known is shown as it was meant."""
    text = text.replace("\\x00", "\0")  # as repr() writes it
    text = re.sub("\0-?([0-9]+)\0", r"%\1", text)
    text = LIVE.sub("$(...)", text)
    return text.replace(SHELL_ITSELF, "$$").replace(UNSURE, "?").replace(BROKEN, "?")


def for_people(error: InputError) -> InputError:
    """The error without what stands for a job's number."""
    if isinstance(error, ToldError) or ("\0" not in str(error) and "\\x00" not in str(error)):
        return error
    hint = None if error.hint is None else readable(error.hint)
    return InputError(readable(error.problem), file=error.file, line=error.line, column=error.column, hint=hint)


@dataclass(frozen=True)
class Facts:
    """What is known of the machine and of the call before the run."""

    cpus: int
    memory: int  # bytes
    swap: int = 0  # bytes
    cgroup: str | None = None  # the version of cgroups, where the session's table or its names say it
    name: str = "sh"  # $0
    programs: frozenset[str] = frozenset()  # that the session's own table names


@dataclass(frozen=True)
class Started:
    """Something that the script has started under a name: a container, a unit of systemd."""

    group: str
    slot: str  # the task that it is
    manager: str  # who made its group, and removes it when it has ended


def _no_output(part: Part, scope: Scope) -> str:
    raise part.place.error("a command substitution is not understood here: '$('", "write the value itself")


@dataclass
class Scope:
    """The shell's knowledge; two places with equal scopes go on in the same way."""

    variables: dict[str, str] = field(default_factory=lambda: dict(ROOTS))
    directory: str = HOME
    last_directory: str = HOME
    last_job: str | None = None  # $!
    member: str = ""  # the group that the shell itself has joined
    arguments: tuple[str, ...] = ()  # $1, $2, ...
    exported: frozenset[str] = frozenset(ROOTS)
    functions: dict[str, Function] = field(default_factory=dict)
    started: dict[str, Started] = field(default_factory=dict)
    options: frozenset[str] = frozenset()  # of "set": errexit, pipefail
    there: frozenset[str] = frozenset()  # groups that are surely there
    uses: Uses = field(default_factory=Uses, compare=False)  # one for the whole session, as the next two
    live: Live = field(default_factory=Live, compare=False)
    facts: Facts = field(default_factory=lambda: Facts(cpus=1, memory=0), compare=False)
    output: Callable[[Part, Scope], str] = field(default=_no_output, compare=False)  # what $(...) prints

    def copy(self) -> Scope:
        """A scope that changes on its own from now on."""
        return replace(self, variables=dict(self.variables), functions=dict(self.functions), started=dict(self.started))

    def apart(self) -> Scope:
        """What a shell in the background knows: what the run shows here may be another thing by then."""
        inner = self.copy()
        for name, value in inner.variables.items():
            if LIVE.search(value):
                inner.variables[name] = UNSURE
        return inner

    def cgroup_version(self, word: Word) -> str:
        """The version of cgroups that a command works with which knows both; it means that one from now on."""
        version = self.facts.cgroup or "v2"
        self.uses.note(version, word)
        return version

    def forget_job(self, number: int) -> None:
        """A loop starts this job anew: what names the last one names it no longer."""
        old, new = job_value(number), f"\0-{number}\0"
        self.variables = {name: value.replace(old, new) for name, value in self.variables.items()}

    def joined(self, other: Scope) -> Scope:
        """What is known where two ways through the script meet."""

        def agree(ours: str | None, theirs: str | None) -> str:
            return ours if ours is not None and ours == theirs else UNSURE

        names = self.variables.keys() | other.variables.keys()
        return replace(
            self,
            variables={name: agree(self.variables.get(name), other.variables.get(name)) for name in sorted(names)},
            directory=agree(self.directory, other.directory),
            last_directory=agree(self.last_directory, other.last_directory),
            last_job=self.last_job if self.last_job == other.last_job else UNSURE,
            member=agree(self.member, other.member),
            arguments=self.arguments if self.arguments == other.arguments else (UNSURE,) * len(self.arguments),
            exported=self.exported | other.exported,
            functions={name: each for name, each in self.functions.items() if other.functions.get(name) == each},
            started={name: each for name, each in self.started.items() if other.started.get(name) == each},
            options=self.options & other.options,
            there=self.there & other.there,
        )
