"""What each command of a session is to the machine: the instructions of the shell's program."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cowpath.kernel import names as n
from cowpath.kernel.state import CLOCK
from cowpath.programs.code import Assembler
from cowpath.programs.unit import Call, Unit
from cowpath.session import commands as c
from cowpath.session.cgtools import SHELL as ITSELF
from cowpath.session.plan import HostText
from cowpath.session.scope import JOB, SHELL_ITSELF, Scope, job_value
from cowpath.words import Place, Word, nearest

SHELL = "sh"
HOST_KEEPS_STATUS = 1  # OP_HOST: the task's status stays


@dataclass(frozen=True)
class Shell:
    """The session's shell: its program, the groups that it ever makes, and what it prints."""

    unit: Unit
    groups: tuple[str, ...]
    parents: tuple[int, ...]
    texts: tuple[HostText, ...]


@dataclass
class Emitter:
    """Writes instructions. ``scope`` is what the shell knows at this place, ``rounds`` and ``endless`` say where it is.

    A command is started under a name of its own; in a "while" loop it has the same name in every round.
    """

    asm: Assembler = field(default_factory=lambda: Assembler(SHELL))
    scope: Scope = field(default_factory=Scope)
    rounds: tuple[int, ...] = ()  # of the "for" loops around this place
    endless: int = 0  # "while" loops around it
    groups: list[str] = field(default_factory=lambda: [""])
    texts: list[HostText] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    stubs: list[tuple[int, c.Run, str, bool]] = field(default_factory=list)  # fork, what it starts, slot, from outside
    uses: dict[str, int] = field(default_factory=dict)
    slots: dict[tuple[Place, tuple[int, ...], bool], str] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)  # slots of background jobs, in order

    def emit(self, action: c.Action, background: bool) -> None:
        """The instructions of one command."""
        match action:
            case c.Create():
                self.create(action)
            case c.Delete():
                self.delete(action)
            case c.Set():
                self.set(action)
            case c.Get():
                self.host(action.kind, action.word, self.group(action.group), action.files, action.group.text or "/")
            case c.Say():
                self.host("echo", action.word, 0, (), action.text)
            case c.Run():
                self.run(action, background)
            case c.Sleep():
                self.asm.emit(n.OP_SLEEP, a=action.ns)
            case c.Wait():
                self.wait(action)
            case c.Kill():
                for job in action.jobs:
                    self.asm.emit(n.OP_KILL, a=self.asm.slot(self.job(job)), bits=n.KILL_TREE)
            case c.Classify():
                self.classify(action)
            case c.Nothing() if action.status:
                self.asm.emit(n.OP_STATUS, a=action.status)

    def finish(self) -> Shell:
        """The end of the script, and after it a few instructions for each command that it starts."""
        self.asm.emit(n.OP_EXIT)
        for fork, run, slot, outside in self.stubs:
            self.asm.patch(fork, "a", self.asm.here)
            if run.group is not None and (run.group.text or not outside):
                self.asm.emit(n.OP_ATTACH, a=self.groups.index(run.group.text))
            if run.cpu is not None:
                self.asm.emit(n.OP_AFFINITY, a=run.cpu)
            stays_out = outside if run.group is None else not run.group.text
            self.calls.append(Call(self.asm.emit(n.OP_JUMP), run.word, run.arguments, slot, outside=stays_out))
        parents = tuple(self.parent(name) for name in self.groups)
        return Shell(Unit(self.asm.code(), tuple(self.calls)), tuple(self.groups), parents, tuple(self.texts))

    # --- groups

    def parent(self, name: str) -> int:
        """The number of a group's parent."""
        return self.groups.index(name.rpartition("/")[0]) if name else n.NONE

    def group(self, word: Word) -> int:
        """The number of a group that exists at this point of the script."""
        if word.text not in self.scope.alive:
            make = f"cgcreate -g memory:{word.text} first"
            raise word.error(f"no such group: {word.text!r}", nearest(word.text, self.scope.alive - {""}, make))
        return self.groups.index(word.text)

    def create(self, action: c.Create) -> None:
        """Make groups; what exists already stays (as with cgcreate)."""
        for word in action.groups:
            parts = word.text.split("/") if word.text else []
            for depth in range(1, len(parts) + 1):
                name = "/".join(parts[:depth])
                if name in self.scope.alive - self.scope.unsure:
                    continue
                if depth < len(parts) and not action.parents:
                    raise word.error(f"no such group: {name!r}", "mkdir -p makes the parents too")
                if name not in self.groups:
                    self.groups.append(name)
                if len(self.groups) > CLOCK.groups:
                    raise word.error(f"more than {CLOCK.groups - 1} groups", "fewer groups")
                if name in self.scope.alive:  # perhaps: then it stays as it is
                    self.asm.emit(n.OP_CG_CREATE, a=self.groups.index(name), b=self.parent(name))
                else:
                    self.checked(n.OP_CG_CREATE, name, action.word)
                self.scope.alive |= {name}
                self.scope.unsure -= {name}

    def delete(self, action: c.Delete) -> None:
        """Remove groups, children first if they go too."""
        for word in action.groups:
            if not word.text:
                raise word.error("the root group cannot be removed", "name a group: A")
            self.group(word)
            below = sorted(name for name in self.scope.alive if name.startswith(word.text + "/"))
            for name in [*reversed(below), word.text] if action.recursive else [word.text]:
                self.checked(n.OP_CG_DELETE, name, action.word)
                if action.recursive or not below:
                    self.scope.alive -= {name}
                    self.scope.unsure -= {name}

    def set(self, action: c.Set) -> None:
        """Write files; the first that the kernel refuses ends the command, as in cgset."""
        failed: list[int] = []
        last = (action.groups[-1], action.settings[-1])
        for word in action.groups:
            group = self.group(word)
            if not group:
                raise word.error("the root group's files cannot be written here", "name a group: A")
            for setting in action.settings:
                prefix = f"{action.word.text}: {word.text}: {n.CG_FILES[setting.file]}: "
                self.asm.emit(n.OP_CG_SET, a=group, b=setting.file, c=setting.value)
                ok = self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
                self.host("error", action.word, group, (n.CG_FILES[setting.file],), prefix)
                if (word, setting) != last:
                    failed.append(self.asm.emit(n.OP_JUMP))
                self.asm.patch(ok, "a", self.asm.here)
        for jump in failed:
            self.asm.patch(jump, "a", self.asm.here)

    def checked(self, code: int, name: str, word: Word) -> None:
        """An instruction on a group and its parent, and the message for when it fails."""
        self.asm.emit(code, a=self.groups.index(name), b=self.parent(name))
        self.or_error(name, word)

    def or_error(self, name: str, word: Word) -> None:
        """The message for when the last instruction, on a group, has failed."""
        ok = self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
        self.host("error", word, self.groups.index(name), (), f"{word.text}: {name}: ")
        self.asm.patch(ok, "a", self.asm.here)

    def host(self, kind: str, word: Word, group: int, files: tuple[str, ...], text: str) -> None:
        """Let Python print something; an error leaves the status, which is its reason, as it was."""
        self.asm.emit(n.OP_HOST, a=len(self.texts), bits=HOST_KEEPS_STATUS if kind == "error" else 0)
        self.texts.append(HostText(kind, group, files, text, word.place.line or 0))

    # --- tasks

    def slot(self, place: Place, name: str, subshell: bool = False) -> str:
        """The name of what is started at this place of the script."""
        key = (place, self.rounds, subshell)
        if key not in self.slots:
            self.uses[name] = self.uses.get(name, 0) + 1
            self.slots[key] = name if self.uses[name] == 1 else f"{name}.{self.uses[name]}"
        return self.slots[key]

    def fork(self, name: str, slot: str, cpu: int | None, background: bool) -> int:
        """Start a task (its first instruction is patched later) and, in the foreground, wait for it."""
        number, anew = self.asm.slot(slot), n.FORK_SHELL | (n.FORK_ANEW if self.endless else 0)
        fork = self.asm.emit(n.OP_FORK, b=number, c=self.asm.comm(name), d=0 if cpu is None else 1 + cpu, bits=anew)
        if not background:
            self.asm.emit(n.OP_WAIT, a=number)
            return fork
        if slot in self.jobs:
            self.scope.forget_job(1 + self.jobs.index(slot))
        else:
            self.jobs.append(slot)
        self.scope.last_job = job_value(1 + self.jobs.index(slot))
        return fork

    def run(self, action: c.Run, background: bool) -> None:
        """Start a command."""
        if action.group is not None:
            self.group(action.group)
        name = action.word.text.rpartition("/")[2]
        action = replace(action, arguments=tuple(self.named_job(word) for word in action.arguments))
        slot = self.slot(action.word.place, name)
        self.stubs.append((self.fork(name, slot, action.cpu, background), action, slot, not self.scope.member))

    def classify(self, action: c.Classify) -> None:
        """Move tasks into a group, each without its children."""
        group = self.group(action.group)
        for word in action.jobs:
            if word.text == ITSELF:
                self.asm.emit(n.OP_ATTACH, a=group)
                self.scope.member = action.group.text
            else:
                self.asm.emit(n.OP_CLASSIFY, a=group, b=self.asm.slot(self.job(word)), bits=int(action.threads))
            self.or_error(action.group.text, action.word)

    def wait(self, action: c.Wait) -> None:
        """Wait for some jobs, or for all."""
        if action.jobs is not None:
            for job in action.jobs:
                self.asm.emit(n.OP_WAIT, a=self.asm.slot(self.job(job)))
        elif self.scope.last_job is not None:
            self.asm.emit(n.OP_WAIT, a=n.ALL_CHILDREN)

    def named_job(self, word: Word) -> Word:
        """A word in which a job stands for its task: "/proc/$!/maps"."""
        text = JOB.sub(lambda match: self.job(Word(f"%{match[1]}", word.place)), word.text)
        return Word(text.replace(SHELL_ITSELF, "self"), word.place)

    def job(self, word: Word) -> str:
        """The slot of a background job, "%1"."""
        number = int(word.text[1:])
        if 0 < number <= len(self.jobs):
            return self.jobs[number - 1]
        count = f"{len(self.jobs)} so far" if self.jobs else "none so far"
        raise word.error(f"no such background job: {word.text}", f"jobs are started with '&': {count}")
