"""Shells of their own (``( )``, ``sh -c``, lists in the background), and functions."""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.blocks import Blocks
from cowpath.session.expand import (
    Expanded,
)
from cowpath.session.flow import DEEPEST_CALLS, NO_MANNER, Call
from cowpath.session.parser import action
from cowpath.session.scope import Scope
from cowpath.session.tree import (
    Function,
    Script,
)
from cowpath.session.writing import SHELL, base_name
from cowpath.words import Place, Word


@dataclass
class Shells(Blocks):
    """Writes shells within the shell, and calls of functions."""

    def subshell(self, place: Place, script: Script, background: bool = False, manner: c.Manner = NO_MANNER,
                 inner: Scope | None = None) -> None:  # fmt: skip
        """A shell of its own: a task with a copy of what the shell knows, in which $! is the job before this one."""
        inner = inner or (self.scope.apart() if background else self.scope.copy())
        slot = self.slot(place, SHELL, subshell=True)
        if manner.timeout_ns is None:
            fork = self.fork(SHELL, slot, manner.cpu, background)
        else:
            fork = self.spawn(SHELL, slot, manner.cpu)
            self.timed(slot, manner.timeout_ns, Word(SHELL, place))
        self.shell_task(fork, script, manner, inner)

    def shell_task(self, fork: int, script: Script, manner: c.Manner, inner: Scope) -> None:
        """The instructions of a task that is a shell; who has forked it jumps over them."""
        after = self.asm.emit(n.OP_JUMP)
        self.asm.patch(fork, "a", self.asm.here)
        outer = self.scope, self.loops, self.reachable, self.asked, self.exited
        self.scope, self.loops, self.reachable, self.exited = inner, [], True, False
        if manner.group is not None:
            self.attach(manner.group)
        if manner.oom_score_adj is not None:
            self.asm.emit(n.OP_OOM_ADJ, a=manner.oom_score_adj)
        self.script(script)
        self.asm.emit(n.OP_EXIT, a=n.EXIT_ERRNO)
        self.scope, self.loops, self.reachable, self.asked, self.exited = outer
        self.asm.patch(after, "a", self.asm.here)

    def attach(self, group: Word) -> None:
        """The task joins a group, or says why not and ends (cgexec)."""
        attach = self.asm.emit(n.OP_ATTACH, a=self.group(group))
        self.host("error", group, 0, (), f"cgexec: {group.text or '/'}: ")
        self.asm.emit(n.OP_EXIT, a=1)
        self.asm.patch(attach, "b", self.asm.here - attach - 1)
        self.scope.member = group.text

    def exec(self, expanded: Expanded) -> None:
        """``exec PROGRAM``: in the shell's place."""
        does = action(expanded, self.scope)
        while isinstance(does, c.Noted):
            self.note(does.word, does.note)
            does = does.action
        if not isinstance(does, c.Run) or does.manner.timeout_ns is not None:
            raise expanded.name.error(f"exec of {expanded.name.text!r} is not understood", "exec PROGRAM")
        slot = self.slot(expanded.name.place, base_name(does.word))
        self.started(does, slot, self.asm.emit(n.OP_JUMP))
        self.reachable = False

    def knows_exported(self, does: c.Subshell, given: dict[str, str]) -> Scope:
        """What ``sh -c`` knows: what is exported, and its own arguments."""
        known = self.scope.copy()
        known.variables = {name: value for name, value in known.variables.items() if name in known.exported} | given
        known.functions, known.arguments = {}, does.arguments
        known.options = frozenset({"errexit"} if does.errexit else ())
        return known

    def contained_shell(self, does: c.Subshell, fork: int) -> None:
        """``sh -c`` within a unit or a container."""
        self.shell_task(fork, does.script, does.manner, self.knows_exported(does, {}))

    # --- functions

    def call(self, function: Function, expanded: Expanded) -> None:
        """A function's body, with the arguments of this call."""
        if len(self.calls_of) == DEEPEST_CALLS:
            raise expanded.name.error(
                f"{function.name!r} calls itself, or more than {DEEPEST_CALLS} functions call each other", "a loop"
            )
        outer, loops, rounds = self.scope.arguments, self.loops, self.rounds
        call = Call()
        self.calls_of.append(call)
        self.scope.arguments, self.loops = tuple(word.text for word in expanded.words[1:]), []
        self.at((*rounds, expanded.name.place.line or 0, expanded.name.place.column or 0))
        self.command(function.body)
        self.arrive(call.returns)
        self.at(rounds)
        self.loops = loops
        self.calls_of.pop()
        self.scope.arguments = outer
        for name, value in call.local.items():
            self.scope.variables.pop(name, None)
            if value is not None:
                self.scope.variables[name] = value

    def local(self, expanded: Expanded) -> bool:
        """``local NAME[=VALUE]``: the function's own variables."""
        if not self.calls_of:
            raise expanded.name.error("'local' outside of a function", "NAME=VALUE")
        for word in expanded.words[1:]:
            name, equals, value = word.text.partition("=")
            self.calls_of[-1].local.setdefault(name, self.scope.variables.get(name))
            if equals:
                self.scope.variables[name] = value
        return True

    def exit(self, action: c.Exit) -> None:
        """``exit`` and ``return``."""
        status = n.EXIT_ERRNO if action.status is None else action.status
        if action.kept is not None:
            self.restore_status(action.word, action.kept)
        if not action.returns:
            self.asm.emit(n.OP_EXIT, a=status)
            self.reachable, self.exited = False, True
            return
        if not self.calls_of:
            raise action.word.error("'return' outside of a function", "exit ends the script")
        if action.status is not None:
            self.asm.emit(n.OP_STATUS, a=action.status)
        self.calls_of[-1].returns.append(self.jump(n.JUMP_ALWAYS))
