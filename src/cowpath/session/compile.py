"""From a session's commands to the program of its shell."""

from __future__ import annotations

from dataclasses import dataclass, field

from cowpath.kernel import names as n
from cowpath.kernel.state import CLOCK
from cowpath.programs.code import Assembler
from cowpath.programs.unit import Call, Unit
from cowpath.session import commands as c
from cowpath.session.plan import HostText
from cowpath.words import Word, nearest

SHELL = "sh"
HOST_KEEPS_STATUS = 1  # OP_HOST: the task's status stays


@dataclass(frozen=True)
class Shell:
    """The session's shell: its program, the groups that it ever makes, and what it prints."""

    unit: Unit
    groups: tuple[str, ...]
    parents: tuple[int, ...]
    texts: tuple[HostText, ...]


def compile_shell(commands: list[c.Command], settle: int) -> Shell:
    """The shell's program. It sleeps ``settle`` ns first; InputError names what a command cannot mean."""
    shell = _Shell()
    if settle:
        shell.asm.emit(n.OP_SLEEP, a=settle)
    skip: int | None = None  # a jump over the command after "&&"
    for command in commands:
        shell.emit(command.action, command.background)
        if skip is not None:
            shell.asm.patch(skip, "a", shell.asm.here)
        skip = shell.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED) if command.and_next else None
    return shell.finish()


@dataclass
class _Shell:
    asm: Assembler = field(default_factory=lambda: Assembler(SHELL))
    groups: list[str] = field(default_factory=lambda: [""])
    alive: set[str] = field(default_factory=lambda: {""})
    texts: list[HostText] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    stubs: list[tuple[int, c.Run, str]] = field(default_factory=list)  # fork, what it starts, slot
    uses: dict[str, int] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)  # slots of background jobs, in order
    names: dict[str, str] = field(default_factory=dict)  # NAME=$!

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
            case c.Remember():
                self.names[action.name] = self.job(Word("!", action.word.place))
            case c.Nothing():
                pass

    def finish(self) -> Shell:
        """The end of the script, and after it a few instructions for each command that it starts."""
        self.asm.emit(n.OP_EXIT)
        for fork, run, slot in self.stubs:
            self.asm.patch(fork, "a", self.asm.here)
            group = 0 if run.group is None else self.groups.index(run.group.text)
            if group:
                self.asm.emit(n.OP_ATTACH, a=group)
            if run.cpu is not None:
                self.asm.emit(n.OP_AFFINITY, a=run.cpu)
            self.calls.append(Call(self.asm.emit(n.OP_JUMP), run.word, run.arguments, slot, outside=not group))
        parents = tuple(self.parent(name) for name in self.groups)
        return Shell(Unit(self.asm.code(), tuple(self.calls)), tuple(self.groups), parents, tuple(self.texts))

    # --- groups

    def parent(self, name: str) -> int:
        """The number of a group's parent."""
        return self.groups.index(name.rpartition("/")[0]) if name else n.NONE

    def group(self, word: Word) -> int:
        """The number of a group that exists at this point of the script."""
        if word.text not in self.alive:
            make = f"cgcreate -g memory:{word.text} first"
            raise word.error(f"no such group: {word.text!r}", nearest(word.text, self.alive - {""}, make))
        return self.groups.index(word.text)

    def create(self, action: c.Create) -> None:
        """Make groups; what exists already stays (as with cgcreate)."""
        for word in action.groups:
            parts = word.text.split("/") if word.text else []
            for depth in range(1, len(parts) + 1):
                name = "/".join(parts[:depth])
                if name in self.alive:
                    continue
                if depth < len(parts) and not action.parents:
                    raise word.error(f"no such group: {name!r}", "mkdir -p makes the parents too")
                if name not in self.groups:
                    self.groups.append(name)
                if len(self.groups) > CLOCK.groups:
                    raise word.error(f"more than {CLOCK.groups - 1} groups", "fewer groups")
                self.alive.add(name)
                self.checked(n.OP_CG_CREATE, name, action.word)

    def delete(self, action: c.Delete) -> None:
        """Remove groups, children first if they go too."""
        for word in action.groups:
            if not word.text:
                raise word.error("the root group cannot be removed", "name a group: A")
            self.group(word)
            below = sorted(name for name in self.alive if name.startswith(word.text + "/"))
            for name in [*reversed(below), word.text] if action.recursive else [word.text]:
                self.checked(n.OP_CG_DELETE, name, action.word)
                if action.recursive or not below:
                    self.alive.discard(name)

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
        group = self.groups.index(name)
        self.asm.emit(code, a=group, b=self.parent(name))
        ok = self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
        self.host("error", word, group, (), f"{word.text}: {name}: ")
        self.asm.patch(ok, "a", self.asm.here)

    def host(self, kind: str, word: Word, group: int, files: tuple[str, ...], text: str) -> None:
        """Let Python print something; an error leaves the status, which is its reason, as it was."""
        self.asm.emit(n.OP_HOST, a=len(self.texts), bits=HOST_KEEPS_STATUS if kind == "error" else 0)
        self.texts.append(HostText(kind, group, files, text, word.place.line or 0))

    # --- tasks

    def run(self, action: c.Run, background: bool) -> None:
        """Start a command and, in the foreground, wait for it."""
        if action.group is not None:
            self.group(action.group)
        name = action.word.text.rpartition("/")[2]
        self.uses[name] = self.uses.get(name, 0) + 1
        slot = name if self.uses[name] == 1 else f"{name}.{self.uses[name]}"
        cpu = 0 if action.cpu is None else 1 + action.cpu
        number = self.asm.slot(slot)
        self.stubs.append((self.asm.emit(n.OP_FORK, b=number, c=self.asm.comm(name), d=cpu), action, slot))
        if background:
            self.jobs.append(slot)
        else:
            self.asm.emit(n.OP_WAIT, a=number)

    def wait(self, action: c.Wait) -> None:
        """Wait for one job, or for all."""
        if action.job is not None:
            self.asm.emit(n.OP_WAIT, a=self.asm.slot(self.job(action.job)))
        elif self.jobs:
            self.asm.emit(n.OP_WAIT, a=n.ALL_CHILDREN)

    def job(self, word: Word) -> str:
        """The slot of a background job: "!" (the last), "%1", or a name that was given to one."""
        if word.text == "!" and self.jobs:
            return self.jobs[-1]
        if word.text.startswith("%") and 0 < int(word.text[1:]) <= len(self.jobs):
            return self.jobs[int(word.text[1:]) - 1]
        if word.text in self.names:
            return self.names[word.text]
        if word.text == "!" or word.text.startswith("%"):
            count = f"{len(self.jobs)} so far" if self.jobs else "none so far"
            shown = "$!" if word.text == "!" else word.text
            raise word.error(f"no such background job: {shown}", f"jobs are started with '&': {count}")
        raise word.error(
            f"no task has this name: ${word.text}", nearest(word.text, self.names, f"{word.text}=$! names the last job")
        )
