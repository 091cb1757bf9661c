"""Shells of their own (``( )``, ``sh -c``, lists in the background), and functions."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.expand import (
    Expanded,
)
from cowpath.session.parser import action
from cowpath.session.program import groups, tasks
from cowpath.session.program.walk import DEEPEST_CALLS, NO_MANNER, Call, Walk
from cowpath.session.program.writer import SHELL, base_name
from cowpath.session.scope import Scope
from cowpath.session.tree import (
    Function,
    Script,
)
from cowpath.words import Place, Word


def subshell(walk: Walk, place: Place, script: Script, background: bool = False, manner: c.Manner = NO_MANNER,
             inner: Scope | None = None) -> None:  # fmt: skip
    """A shell of its own: a task with a copy of what the shell knows, in which $! is the job before this one."""
    inner = inner or (walk.w.scope.apart() if background else walk.w.scope.copy())
    slot = tasks.slot_of(walk.w, place, SHELL, subshell=True)
    if manner.timeout_ns is None:
        fork = tasks.fork_task(walk.w, SHELL, slot, manner.cpu, background)
    else:
        fork = tasks.spawn(walk.w, SHELL, slot, manner.cpu)
        tasks.wait_until(walk.w, slot, manner.timeout_ns, Word(SHELL, place))
    shell_task(walk, fork, script, manner, inner)


def shell_task(walk: Walk, fork: int, script: Script, manner: c.Manner, inner: Scope) -> None:
    """The instructions of a task that is a shell; who has forked it jumps over them."""
    after = walk.w.asm.emit(n.OP_JUMP)
    walk.w.asm.patch(fork, "a", walk.w.asm.here)
    outer = walk.w.scope, walk.loops, walk.reachable, walk.asked, walk.exited
    walk.w.scope, walk.loops, walk.reachable, walk.exited = inner, [], True, False
    if manner.group is not None:
        walk.w.group(manner.group)
        groups.join(walk.w, manner.group, manner.group)
        walk.w.scope.member = manner.group.text
    if manner.oom_score_adj is not None:
        walk.w.asm.emit(n.OP_OOM_ADJ, a=manner.oom_score_adj)
    walk.script(script)
    walk.w.asm.emit(n.OP_EXIT, a=n.EXIT_ERRNO)
    walk.w.scope, walk.loops, walk.reachable, walk.asked, walk.exited = outer
    walk.w.asm.patch(after, "a", walk.w.asm.here)


def exec_program(walk: Walk, expanded: Expanded) -> None:
    """``exec PROGRAM``: in the shell's place."""
    does = action(expanded, walk.w.scope)
    while isinstance(does, c.Noted):
        walk.w.note(does.word, does.note)
        does = does.action
    if not isinstance(does, c.Run) or does.manner.timeout_ns is not None:
        raise expanded.name.error(f"exec of {expanded.name.text!r} is not understood", "exec PROGRAM")
    slot = tasks.slot_of(walk.w, expanded.name.place, base_name(does.word))
    tasks.will_run(walk.w, does, slot, walk.w.asm.emit(n.OP_JUMP))
    walk.reachable = False


def knows_exported(walk: Walk, does: c.Subshell, given: dict[str, str]) -> Scope:
    """What ``sh -c`` knows: what is exported, and its own arguments."""
    known = walk.w.scope.copy()
    known.variables = {name: value for name, value in known.variables.items() if name in known.exported} | given
    known.functions, known.arguments = {}, does.arguments
    known.options = frozenset({"errexit"} if does.errexit else ())
    return known


def contained_shell(walk: Walk, does: c.Subshell, fork: int) -> None:
    """``sh -c`` within a unit or a container."""
    shell_task(walk, fork, does.script, does.manner, knows_exported(walk, does, {}))


# --- functions


def call_function(walk: Walk, function: Function, expanded: Expanded) -> None:
    """A function's body, with the arguments of this call."""
    if len(walk.calls_of) == DEEPEST_CALLS:
        raise expanded.name.error(
            f"{function.name!r} calls itself, or more than {DEEPEST_CALLS} functions call each other", "a loop"
        )
    outer, loops, rounds = walk.w.scope.arguments, walk.loops, walk.w.rounds
    call = Call()
    walk.calls_of.append(call)
    walk.w.scope.arguments, walk.loops = tuple(word.text for word in expanded.words[1:]), []
    walk.at((*rounds, expanded.name.place.line or 0, expanded.name.place.column or 0))
    walk.command(function.body)
    walk.arrive(call.returns)
    walk.at(rounds)
    walk.loops = loops
    walk.calls_of.pop()
    walk.w.scope.arguments = outer
    for name, value in call.local.items():
        walk.w.scope.variables.pop(name, None)
        if value is not None:
            walk.w.scope.variables[name] = value


def set_local(walk: Walk, expanded: Expanded) -> bool:
    """``local NAME[=VALUE]``: the function's own variables."""
    if not walk.calls_of:
        raise expanded.name.error("'local' outside of a function", "NAME=VALUE")
    for word in expanded.words[1:]:
        name, equals, value = word.text.partition("=")
        walk.calls_of[-1].local.setdefault(name, walk.w.scope.variables.get(name))
        if equals:
            walk.w.scope.variables[name] = value
    return True


def leave_shell(walk: Walk, action: c.Exit) -> None:
    """``exit`` and ``return``."""
    status = n.EXIT_ERRNO if action.status is None else action.status
    if action.kept is not None:
        walk.w.restore_status(action.word, action.kept)
    if not action.returns:
        walk.w.asm.emit(n.OP_EXIT, a=status)
        walk.reachable, walk.exited = False, True
        return
    if not walk.calls_of:
        raise action.word.error("'return' outside of a function", "exit ends the script")
    if action.status is not None:
        walk.w.asm.emit(n.OP_STATUS, a=action.status)
    walk.calls_of[-1].returns.append(walk.jump(n.JUMP_ALWAYS))
