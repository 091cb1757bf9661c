"""What each command of a session is to the machine: the instructions of the shell's program."""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.kernel import names as n
from cowpath.programs.unit import Call, Unit
from cowpath.session import commands as c
from cowpath.session.emit_tasks import Tasks
from cowpath.session.writing import Shell


@dataclass
class Emitter(Tasks):
    """Writes instructions: those of each action, and what follows the script's end."""

    def emit(self, action: c.Action, background: bool) -> None:
        """The instructions of one command."""
        match action:
            case c.Noted():
                self.note(action.word, action.note)
                self.emit(action.action, background)
            case c.Several():
                for each in action.actions:
                    self.emit(each, background)
            case c.Filtered():
                both = (*action.filters, *self.output.filters)
                with self.printing(filters=both, pipefail="pipefail" in self.scope.options):
                    self.emit(action.source, background)
            case c.Create():
                self.create(action)
            case c.Delete():
                self.delete(action)
            case c.Set():
                self.set(action)
            case c.Get():
                self.get(action)
            case c.Pressure():
                self.host("pressure", action.word, 0, (), "")
            case c.Say():
                self.host("echo", action.word, 0, (), action.text, end=action.end)
            case c.Test():
                self.test(action)
            case c.Run():
                self.run(action, background)
            case c.Sleep():
                self.asm.emit(n.OP_SLEEP, a=action.ns)
            case c.Wait():
                self.wait(action)
            case c.Kill():
                for job in action.jobs:
                    self.asm.emit(n.OP_KILL, a=self.asm.slot(self.job(job)), bits=action.bits)
            case c.End() if action.waits:
                self.asm.emit(n.OP_WAIT, a=self.asm.slot(action.slot))
            case c.End():
                self.asm.emit(n.OP_KILL, a=self.asm.slot(action.slot), bits=n.KILL_TREE)
                self.asm.emit(n.OP_STATUS)
            case c.Classify():
                self.classify(action)
            case c.Adjust():
                self.adjust(action)
            case c.Sysctl():
                self.host("sysctl", action.word, 0, (), str(action.value), words=(action.name,))
            case c.Nothing() if action.status:
                self.asm.emit(n.OP_STATUS, a=action.status)

    def finish(self) -> Shell:
        """The end of the script, and after it a few instructions for each command that it starts."""
        self.asm.emit(n.OP_EXIT)
        for fork, run, slot, outside in self.stubs:
            self.asm.patch(fork, "a", self.asm.here)
            if run.group is not None and (run.group.text or not outside):
                attach = self.asm.emit(n.OP_ATTACH, a=self.number(run.group.text))
                self.host("error", run.word, 0, (), f"cgexec: {run.group.text or '/'}: ")
                self.asm.emit(n.OP_EXIT, a=1)
                self.asm.patch(attach, "b", self.asm.here - attach - 1)
            if run.cpu is not None:
                self.asm.emit(n.OP_AFFINITY, a=run.cpu)
            if run.manner.oom_score_adj is not None:
                self.asm.emit(n.OP_OOM_ADJ, a=run.manner.oom_score_adj)
            stays_out = outside if run.group is None else not run.group.text
            self.calls.append(Call(self.asm.emit(n.OP_JUMP), run.word, run.arguments, slot, outside=stays_out))
        groups = self.settle_groups()
        parents = tuple(groups.index(name.rpartition("/")[0]) if name else n.NONE for name in groups)
        unit = Unit(self.asm.code(), tuple(self.calls))
        return Shell(unit, groups, parents, tuple(self.texts), tuple(self.notes), self.scope.uses)
