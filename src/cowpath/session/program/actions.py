"""What each command of a session is to the machine: the instructions of the shell's program."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.programs.unit import Call, Unit
from cowpath.session import commands as c
from cowpath.session.program import groups, tasks
from cowpath.session.program.writer import Shell, Writer


def emit(w: Writer, action: c.Action, background: bool) -> None:
    """The instructions of one command."""
    match action:
        case c.Noted():
            w.note(action.word, action.note)
            emit(w, action.action, background)
        case c.Several():
            for each in action.actions:
                emit(w, each, background)
        case c.Filtered():
            both = (*action.filters, *w.output.filters)
            with w.printing(filters=both, pipefail="pipefail" in w.scope.options):
                emit(w, action.source, background)
        case c.Create():
            groups.create(w, action)
        case c.Delete():
            groups.delete(w, action)
        case c.Set():
            groups.write_files(w, action)
        case c.Get():
            groups.show_files(w, action)
        case c.Pressure():
            w.host("pressure", action.word, 0, (), "")
        case c.Say():
            w.host("echo", action.word, 0, (), action.text, end=action.end)
        case c.Test():
            groups.test(w, action)
        case c.Run():
            tasks.run_command(w, action, background)
        case c.Sleep():
            w.asm.emit(n.OP_SLEEP, a=action.ns)
        case c.Wait():
            tasks.wait_for(w, action)
        case c.Kill():
            for job in action.jobs:
                w.asm.emit(n.OP_KILL, a=w.asm.slot(w.job(job)), bits=action.bits)
        case c.End() if action.waits:
            w.asm.emit(n.OP_WAIT, a=w.asm.slot(action.slot))
        case c.End():
            w.asm.emit(n.OP_KILL, a=w.asm.slot(action.slot), bits=n.KILL_TREE)
            w.asm.emit(n.OP_STATUS)
        case c.Classify():
            tasks.classify(w, action)
        case c.Adjust():
            groups.adjust(w, action)
        case c.Sysctl():
            w.host("sysctl", action.word, 0, (), str(action.value), words=(action.name,))
        case c.Nothing() if action.status:
            w.asm.emit(n.OP_STATUS, a=action.status)


def finish(w: Writer) -> Shell:
    """The end of the script, and after it a few instructions for each command that it starts."""
    w.asm.emit(n.OP_EXIT)
    for fork, run, slot, outside in w.stubs:
        w.asm.patch(fork, "a", w.asm.here)
        if run.group is not None and (run.group.text or not outside):
            groups.join(w, run.group, run.word)
        if run.cpu is not None:
            w.asm.emit(n.OP_AFFINITY, a=run.cpu)
        if run.manner.oom_score_adj is not None:
            w.asm.emit(n.OP_OOM_ADJ, a=run.manner.oom_score_adj)
        stays_out = outside if run.group is None else not run.group.text
        w.calls.append(Call(w.asm.emit(n.OP_JUMP), run.word, run.arguments, slot, outside=stays_out))
    made = groups.settle_groups(w)
    parents = tuple(made.index(name.rpartition("/")[0]) if name else n.NONE for name in made)
    unit = Unit(w.asm.code(), tuple(w.calls))
    return Shell(unit, made, parents, tuple(w.texts), tuple(w.notes), w.scope.uses)
