"""Instructions that start tasks, wait for them, move and kill them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.cgtools import SHELL as ITSELF
from cowpath.session.emit_groups import Groups
from cowpath.session.scope import job_value
from cowpath.session.writing import TIMED_OUT, base_name
from cowpath.words import Place, Word


@dataclass
class Tasks(Groups):
    """Writes what is done with tasks."""

    def slot(self, place: Place, name: str, subshell: bool = False) -> str:
        """The name of what is started at this place of the script."""
        key = (place, self.rounds, name if subshell else "")
        if key not in self.slots:
            self.uses[name] = self.uses.get(name, 0) + 1
            self.slots[key] = name if self.uses[name] == 1 else f"{name}.{self.uses[name]}"
        return self.slots[key]

    def spawn(self, name: str, slot: str, cpu: int | None = None) -> int:
        """Start a task; its first instruction is patched later."""
        number, bits = self.asm.slot(slot), n.FORK_SHELL | (n.FORK_ANEW if self.endless else 0)
        return self.asm.emit(n.OP_FORK, b=number, c=self.asm.comm(name), d=0 if cpu is None else 1 + cpu, bits=bits)

    def fork(self, name: str, slot: str, cpu: int | None, background: bool) -> int:
        """Start a task and, in the foreground, wait for it."""
        fork = self.spawn(name, slot, cpu)
        if not background:
            self.asm.emit(n.OP_WAIT, a=self.asm.slot(slot))
            return fork
        if slot in self.jobs:
            self.scope.forget_job(1 + self.jobs.index(slot))
        else:
            self.jobs.append(slot)
        self.scope.last_job = job_value(1 + self.jobs.index(slot))
        return fork

    def run(self, action: c.Run, background: bool) -> None:
        """Start a command."""
        slot = self.slot(action.word.place, base_name(action.word))
        if action.manner.timeout_ns is None:
            self.started(action, slot, self.fork(base_name(action.word), slot, action.cpu, background))
            return
        self.started(action, slot, self.spawn(base_name(action.word), slot, action.cpu))
        self.timed(slot, action.manner.timeout_ns, action.word)

    def started(self, action: c.Run, slot: str, fork: int) -> None:
        """What a task that was forked runs."""
        if action.group is not None:
            self.group(action.group)
        action = replace(action, arguments=tuple(self.named_job(word) for word in action.arguments))
        self.stubs.append((fork, action, slot, not self.scope.member))

    def timed(self, slot: str, ns: int, word: Word) -> None:
        """Wait for a task; when the time is over another one kills it and all that it has started (timeout)."""
        watch = self.slot(word.place, "timeout", subshell=True)
        fork, over = self.spawn("timeout", watch), self.asm.emit(n.OP_JUMP)
        self.asm.patch(fork, "a", self.asm.here)
        self.asm.emit(n.OP_SLEEP, a=ns)
        self.asm.emit(n.OP_KILL, a=self.asm.slot(slot), bits=n.KILL_TREE)
        self.asm.emit(n.OP_EXIT)
        self.asm.patch(over, "a", self.asm.here)
        self.asm.emit(n.OP_WAIT, a=self.asm.slot(slot))
        status = self.keep_status(word)
        self.asm.emit(n.OP_KILL, a=self.asm.slot(watch))
        self.asm.emit(n.OP_WAIT, a=self.asm.slot(watch))  # 0: it was in time to kill
        killed = self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
        self.restore_status(word, status)
        end = self.asm.emit(n.OP_JUMP)
        self.asm.patch(killed, "a", self.asm.here)
        self.asm.emit(n.OP_STATUS, a=TIMED_OUT)
        self.asm.patch(end, "a", self.asm.here)

    def classify(self, action: c.Classify) -> None:
        """Move tasks into a group, each without its children."""
        group = self.group(action.group)

        def one(word: Word) -> None:
            if word.text == ITSELF:
                self.asm.emit(n.OP_ATTACH, a=group)
                self.scope.member = action.group.text
            else:
                self.asm.emit(n.OP_CLASSIFY, a=group, b=self.asm.slot(self.job(word)), bits=int(action.threads))
            self.or_error(action.group.text, action.word)

        self.one_by_one(action.jobs, one)

    def wait(self, action: c.Wait) -> None:
        """Wait for some jobs, or for all."""
        if action.jobs is not None:
            for job in action.jobs:
                self.asm.emit(n.OP_WAIT, a=self.asm.slot(self.job(job)))
        elif self.scope.last_job is not None:
            self.asm.emit(n.OP_WAIT, a=n.ALL_CHILDREN)
