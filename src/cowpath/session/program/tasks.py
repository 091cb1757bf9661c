"""Instructions that start tasks, wait for them, move and kill them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.cgtools import SHELL as ITSELF
from cowpath.session.program import groups
from cowpath.session.program.writer import TIMED_OUT, Writer, base_name
from cowpath.session.scope import job_value
from cowpath.words import Place, Word


def slot_of(w: Writer, place: Place, name: str, subshell: bool = False) -> str:
    """The name of what is started at this place of the script."""
    key = (place, w.rounds, name if subshell else "")
    if key not in w.slots:
        w.uses[name] = w.uses.get(name, 0) + 1
        w.slots[key] = name if w.uses[name] == 1 else f"{name}.{w.uses[name]}"
    return w.slots[key]


def spawn(w: Writer, name: str, slot: str, cpu: int | None = None) -> int:
    """Start a task; its first instruction is patched later."""
    number, bits = w.asm.slot(slot), n.FORK_SHELL | (n.FORK_ANEW if w.endless else 0)
    return w.asm.emit(n.OP_FORK, b=number, c=w.asm.comm(name), d=0 if cpu is None else 1 + cpu, bits=bits)


def fork_task(w: Writer, name: str, slot: str, cpu: int | None, background: bool) -> int:
    """Start a task and, in the foreground, wait for it."""
    fork = spawn(w, name, slot, cpu)
    if not background:
        w.asm.emit(n.OP_WAIT, a=w.asm.slot(slot))
        return fork
    if slot in w.jobs:
        w.scope.forget_job(1 + w.jobs.index(slot))
    else:
        w.jobs.append(slot)
    w.scope.last_job = job_value(1 + w.jobs.index(slot))
    return fork


def run_command(w: Writer, action: c.Run, background: bool) -> None:
    """Start a command."""
    slot = slot_of(w, action.word.place, base_name(action.word))
    if action.manner.timeout_ns is None:
        will_run(w, action, slot, fork_task(w, base_name(action.word), slot, action.cpu, background))
        return
    will_run(w, action, slot, spawn(w, base_name(action.word), slot, action.cpu))
    wait_until(w, slot, action.manner.timeout_ns, action.word)


def will_run(w: Writer, action: c.Run, slot: str, fork: int) -> None:
    """What a task that was forked runs."""
    if action.group is not None:
        w.group(action.group)
    action = replace(action, arguments=tuple(w.named_job(word) for word in action.arguments))
    w.stubs.append((fork, action, slot, not w.scope.member))


def wait_until(w: Writer, slot: str, ns: int, word: Word) -> None:
    """Wait for a task; when the time is over another one kills it and all that it has started (timeout)."""
    watch = slot_of(w, word.place, "timeout", subshell=True)
    status = watched(w, slot, watch, "timeout", lambda: w.asm.emit(n.OP_SLEEP, a=ns), word)
    killed = w.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
    w.restore_status(word, status)
    end = w.asm.emit(n.OP_JUMP)
    w.asm.patch(killed, "a", w.asm.here)
    w.asm.emit(n.OP_STATUS, a=TIMED_OUT)
    w.asm.patch(end, "a", w.asm.here)


def watched(w: Writer, slot: str, watch: str, comm: str, until: Callable[[], object], word: Word) -> int:
    """Wait for a task that another one kills after ``until``, with all that it has started; then the other one goes.

    The task's status is kept, under the number that is returned; the shell's is 0 if the other was in time to kill.
    """
    fork, over = spawn(w, comm, watch), w.asm.emit(n.OP_JUMP)
    w.asm.patch(fork, "a", w.asm.here)
    until()
    w.asm.emit(n.OP_KILL, a=w.asm.slot(slot), bits=n.KILL_TREE)
    w.asm.emit(n.OP_EXIT)
    w.asm.patch(over, "a", w.asm.here)
    w.asm.emit(n.OP_WAIT, a=w.asm.slot(slot))
    status = w.keep_status(word)
    w.asm.emit(n.OP_KILL, a=w.asm.slot(watch))
    w.asm.emit(n.OP_WAIT, a=w.asm.slot(watch))
    return status


def classify(w: Writer, action: c.Classify) -> None:
    """Move tasks into a group, each without its children."""
    group = w.group(action.group)

    def one(word: Word) -> None:
        if word.text == ITSELF:
            w.asm.emit(n.OP_ATTACH, a=group)
            w.scope.member = action.group.text
        else:
            w.asm.emit(n.OP_CLASSIFY, a=group, b=w.asm.slot(w.job(word)), bits=int(action.threads))
        groups.or_error(w, action.group.text, action.word)

    groups.one_by_one(w, action.jobs, one)


def wait_for(w: Writer, action: c.Wait) -> None:
    """Wait for some jobs, or for all."""
    if action.jobs is not None:
        for job in action.jobs:
            w.asm.emit(n.OP_WAIT, a=w.asm.slot(w.job(job)))
    elif w.scope.last_job is not None:
        w.asm.emit(n.OP_WAIT, a=n.ALL_CHILDREN)
