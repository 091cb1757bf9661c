"""systemd-run and docker run as instructions: a group is made and limited, something runs in it, and the group goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.program import groups, tasks
from cowpath.session.program.writer import Writer, base_name
from cowpath.session.scope import Started

LOOK_NS = 10_000_000  # between looks of systemd at memory.events, and at whether a group is empty; a real one is told
LOOKS = 3
ShellTask = Callable[[c.Subshell, int], None]  # what it runs, and the fork to patch
MANAGERS = {"systemd-run": "systemd", "docker": "containerd-shim", "podman": "conmon"}


def run_contained(w: Writer, action: c.Contained, shell: ShellTask) -> None:
    """In the shell's own task, or in one of its own if the command comes back at once. ``shell`` writes ``sh -c``."""
    manager = MANAGERS[action.word.text.rpartition("/")[2]]
    if action.waits:
        in_its_group(w, action, "", shell)
        return
    slot = tasks.slot_of(w, action.word.place, manager, subshell=True)
    fork = tasks.fork_task(w, manager, slot, None, background=True)
    after = w.asm.emit(n.OP_JUMP)
    w.asm.patch(fork, "a", w.asm.here)
    in_its_group(w, action, slot, shell)
    w.asm.emit(n.OP_EXIT, a=n.EXIT_ERRNO)
    w.asm.patch(after, "a", w.asm.here)


def in_its_group(w: Writer, action: c.Contained, manager: str, shell: ShellTask) -> None:
    """All of it, one after the other."""
    with w.printing(out=False):
        groups.create(w, c.Create(action.word, (action.group,), enables=True))
        if action.settings:
            groups.write_files(w, c.Set(action.word, (action.group,), action.settings))
    run = replace(action.run, manner=replace(action.run.manner, group=action.group))
    slot = tasks.slot_of(w, run.word.place, base_name(run.word))
    fork = tasks.spawn(w, base_name(run.word), slot, run.manner.cpu)
    if isinstance(run, c.Subshell):
        shell(run, fork)
    else:
        tasks.will_run(w, run, slot, fork)
    w.scope.started[action.name] = Started(action.group.text, slot if manager else "", manager)
    if action.stops:
        stopped_by_oom(w, slot, action)
    elif run.manner.timeout_ns is not None:
        tasks.wait_until(w, slot, run.manner.timeout_ns, run.word)
    else:
        w.asm.emit(n.OP_WAIT, a=w.asm.slot(slot))
    status = w.keep_status(action.word)
    remove_group(w, action)
    w.restore_status(action.word, status)


def remove_group(w: Writer, action: c.Contained) -> None:
    """The group goes. What has been killed in it may need a moment until it is gone."""
    name, gone = action.group.text, []
    for _ in range(LOOKS):
        w.asm.emit(n.OP_CG_DELETE, a=w.number(name), b=w.number(name.rpartition("/")[0]), bits=n.DELETE_TREE)
        gone.append(w.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK))
        w.asm.emit(n.OP_SLEEP, a=LOOK_NS)
    groups.checked(w, n.OP_CG_DELETE, name, action.word, n.DELETE_TREE)
    for jump in gone:
        w.asm.patch(jump, "a", w.asm.here)


def stopped_by_oom(w: Writer, slot: str, action: c.Contained) -> None:
    """OOMPolicy=stop: when the OOM killer has taken a task of the unit, systemd ends the others."""
    watch = tasks.slot_of(w, action.word.place, "systemd-oom", subshell=True)

    def until() -> None:
        top = w.asm.emit(n.OP_SLEEP, a=LOOK_NS)
        w.host("oom_killed", action.word, w.number(action.group.text), (), "", reads=True)
        w.asm.emit(n.OP_JUMP, a=top, bits=n.JUMP_IF_FAILED)

    w.restore_status(action.run.word, tasks.watched(w, slot, watch, "systemd", until, action.run.word))
