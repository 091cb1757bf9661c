"""systemd-run and docker run as instructions: a group is made and limited, something runs in it, and the group goes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.emit import Emitter
from cowpath.session.scope import Started
from cowpath.session.writing import base_name
from cowpath.words import Word

LOOK_NS = 10_000_000  # between looks of systemd at memory.events, and at whether a group is empty; a real one is told
LOOKS = 3
MANAGERS = {"systemd-run": "systemd", "docker": "containerd-shim", "podman": "conmon"}


@dataclass
class Contained(Emitter, ABC):
    """Writes what runs in a group of its own."""

    def contained(self, action: c.Contained) -> None:
        """In the shell's own task, or in one of its own if the command comes back at once."""
        manager = MANAGERS[action.word.text.rpartition("/")[2]]
        if action.waits:
            self.in_its_group(action, "")
            return
        slot = self.slot(action.word.place, manager, subshell=True)
        fork = self.fork(manager, slot, None, background=True)
        after = self.asm.emit(n.OP_JUMP)
        self.asm.patch(fork, "a", self.asm.here)
        self.in_its_group(action, slot)
        self.asm.emit(n.OP_EXIT, a=n.EXIT_ERRNO)
        self.asm.patch(after, "a", self.asm.here)

    @abstractmethod
    def contained_shell(self, does: c.Subshell, fork: int) -> None:
        """``sh -c`` within a unit or a container."""

    def in_its_group(self, action: c.Contained, manager: str) -> None:
        """All of it, one after the other."""
        with self.printing(out=False):
            self.create(c.Create(action.word, (action.group,), enables=True))
            if action.settings:
                self.set(c.Set(action.word, (action.group,), action.settings))
        run = replace(action.run, manner=replace(action.run.manner, group=action.group))
        slot = self.slot(run.word.place, base_name(run.word))
        fork = self.spawn(base_name(run.word), slot, run.manner.cpu)
        if isinstance(run, c.Subshell):
            self.contained_shell(run, fork)
        else:
            self.started(run, slot, fork)
        self.scope.started[action.name] = Started(action.group.text, slot if manager else "", manager)
        if action.stops:
            self.stopped_by_oom(slot, action)
        elif run.manner.timeout_ns is not None:
            self.timed(slot, run.manner.timeout_ns, run.word)
        else:
            self.asm.emit(n.OP_WAIT, a=self.asm.slot(slot))
        status = self.keep_status(action.word)
        self.removed(action)
        self.restore_status(action.word, status)

    def removed(self, action: c.Contained) -> None:
        """The group goes. What has been killed in it may need a moment until it is gone."""
        name, gone = action.group.text, []
        for _ in range(LOOKS):
            self.asm.emit(
                n.OP_CG_DELETE, a=self.number(name), b=self.number(name.rpartition("/")[0]), bits=n.DELETE_TREE
            )
            gone.append(self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK))
            self.asm.emit(n.OP_SLEEP, a=LOOK_NS)
        self.checked(n.OP_CG_DELETE, name, action.word, n.DELETE_TREE)
        for jump in gone:
            self.asm.patch(jump, "a", self.asm.here)

    def stopped_by_oom(self, slot: str, action: c.Contained) -> None:
        """OOMPolicy=stop: when the OOM killer has taken a task of the unit, systemd ends the others."""
        watch = self.slot(Word("", action.word.place).place, "systemd-oom", subshell=True)
        fork, over = self.spawn("systemd", watch), self.asm.emit(n.OP_JUMP)
        self.asm.patch(fork, "a", self.asm.here)
        top = self.asm.emit(n.OP_SLEEP, a=LOOK_NS)
        self.host("oom_killed", action.word, self.number(action.group.text), (), "", reads=True)
        self.asm.emit(n.OP_JUMP, a=top, bits=n.JUMP_IF_FAILED)
        self.asm.emit(n.OP_KILL, a=self.asm.slot(slot), bits=n.KILL_TREE)
        self.asm.emit(n.OP_EXIT)
        self.asm.patch(over, "a", self.asm.here)
        self.asm.emit(n.OP_WAIT, a=self.asm.slot(slot))
        status = self.keep_status(action.run.word)
        self.asm.emit(n.OP_KILL, a=self.asm.slot(watch))
        self.asm.emit(n.OP_WAIT, a=self.asm.slot(watch))
        self.restore_status(action.run.word, status)
