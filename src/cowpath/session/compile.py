"""From a script's tree to the program of its shell.

What the shell knows (variables, directory, jobs) is followed along the script, so that every word is known
before the run. A ``for`` is written out, a round behind the other. A ``while`` is a loop of the program: its body is
written once if the shell knows the same at its end as at its beginning, else again for the next round, until it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cowpath.errors import Gathered, InputError, ToldError
from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.emit import SHELL, Emitter, Shell
from cowpath.session.expand import assigned, assignments, expand, expand_command
from cowpath.session.parser import action, is_program
from cowpath.session.procfs import reads_proc
from cowpath.session.scope import BROKEN, Scope, for_people
from cowpath.session.syntax import Command, For, Joined, Script, Simple, While
from cowpath.session.tokens import ShellWord
from cowpath.words import Word

__all__ = ["SHELL", "Shell", "compile_shell"]

ROUND_NS = 10_000  # of CPU, for each round of a "while": no loop may stop the clock
MOST_COMMANDS = 10_000  # that a script's loops may stand for
MOST_ROUNDS = 8  # of a "while" until the shell learns nothing new

Jumps = list[tuple[int, Scope | None]]  # each with what the shell knows there; None: it never gets there


def compile_shell(script: Script, settle: int, errors: Gathered | None = None) -> Shell:
    """The shell's program. It sleeps ``settle`` ns first.

    What commands cannot mean is put by in ``errors``, and the program is of no use then; without it, InputError is
    raised.
    """
    compiler = _Compiler(errors=Gathered(for_people) if errors is None else errors)
    if settle:
        compiler.asm.emit(n.OP_SLEEP, a=settle)
    with compiler.errors.kept():
        compiler.script(script)
    shell = compiler.finish()
    if errors is None:
        compiler.errors.tell()
    return shell


@dataclass
class _Loop:
    """A loop that is being written: the jumps to its end and to its next round."""

    breaks: Jumps = field(default_factory=list)
    continues: Jumps = field(default_factory=list)


@dataclass
class _Compiler(Emitter):
    """Goes through the tree. Commands whose success is known say so: True, False, or None for what the run shows."""

    loops: list[_Loop] = field(default_factory=list)
    reachable: bool = True  # False behind a break, or an endless loop
    count: int = 0  # commands and rounds so far

    def script(self, script: Script) -> None:
        """Commands one after the other."""
        for joined in script:
            if joined.background and not self.is_job(joined):
                self.subshell(joined)
            else:
                self.joined(joined)

    def is_job(self, joined: Joined) -> bool:
        """What stands in the background is one program, and needs no shell of its own."""
        command = joined.commands[0]
        if len(joined.commands) > 1 or not isinstance(command, Simple):
            return False
        try:
            if assignments(command, self.scope) is not None:
                return False
            expanded = expand_command(command, self.scope)
        except InputError:  # told when the command is written
            return True
        return expanded is not None and (is_program(expanded.name.text) or reads_proc(expanded.words))

    def subshell(self, joined: Joined) -> None:
        """A list in the background: a task of its own, with a copy of what the shell knows."""
        inner = self.scope.copy()  # in which $! is the job before this one
        slot = self.slot(joined.commands[0].word.place, SHELL, subshell=True)
        fork = self.fork(SHELL, slot, None, background=True)
        after = self.asm.emit(n.OP_JUMP)
        self.asm.patch(fork, "a", self.asm.here)
        outer = self.scope, self.loops, self.reachable
        self.scope, self.loops = inner, []
        self.joined(replace(joined, background=False))
        self.asm.emit(n.OP_EXIT)
        self.scope, self.loops, self.reachable = outer
        self.asm.patch(after, "a", self.asm.here)

    def joined(self, joined: Joined) -> None:
        """Commands with && or || between them: each may jump over the next."""
        skip: Jumps = []
        skipped: bool | None = None  # who comes by the jump has succeeded (&&), or failed (||)
        for command, operator in zip(joined.commands, (*joined.operators, None), strict=True):
            start = self.asm.here
            sure = self.command(command, joined.background)
            if self.asm.here == start and len(joined.commands) > 1:
                self.asm.emit(n.OP_STATUS)
            if skip:
                both = self.reachable and skip[0][1] is not None
                sure = (sure if sure == skipped else None) if both else sure if self.reachable else skipped
                self.arrive(skip)
            skip, skipped = [], operator == "||"
            if operator is not None and sure != (operator == "&&"):
                bits = n.JUMP_IF_FAILED if operator == "&&" else n.JUMP_IF_OK
                skip = [self.jump(bits if sure is None else n.JUMP_ALWAYS)]

    def jump(self, bits: int) -> tuple[int, Scope | None]:
        """A jump to a place that is not yet known."""
        known = self.scope.copy() if self.reachable else None
        self.reachable = self.reachable and bits != n.JUMP_ALWAYS
        return self.asm.emit(n.OP_JUMP, bits=bits), known

    def arrive(self, jumps: Jumps) -> None:
        """Jumps that lead here: the shell knows what it knows on all ways."""
        for jump, scope in jumps:
            self.asm.patch(jump, "a", self.asm.here)
            if scope is not None:
                self.scope = self.scope.joined(scope) if self.reachable else scope
                self.reachable = True

    def counted(self, word: Word) -> None:
        """One command or one round more."""
        self.count += 1
        if self.count > MOST_COMMANDS:
            raise word.error(
                f"the script's loops stand for more than {MOST_COMMANDS} commands",
                "fewer rounds of 'for'; while true; do ...; done has no end",
            )

    def command(self, command: Command, background: bool = False) -> bool | None:
        """A command."""
        if isinstance(command, Simple):
            return self.simple(command, background)
        if isinstance(command, For):
            self.for_(command)
        else:
            self.while_(command)
        return None

    def simple(self, command: Simple, background: bool) -> bool | None:
        """A simple command: its words are expanded with what the shell knows here."""
        self.counted(command.word)
        try:
            return self.understood(command, background)
        except InputError as error:
            self.errors.add(error)
            self.lose(command.words, background)
            return None

    def lose(self, words: Sequence[ShellWord], background: bool) -> None:
        """A command is wrong: what it would have told the shell is not known, and is not told again."""
        self.scope.variables.update(dict.fromkeys(assigned(words), BROKEN))
        shape_unknown = words[0].broken
        self.lost_groups |= shape_unknown or words[0].text.startswith("$") or words[0].text in ("cgcreate", "mkdir")
        self.lost_jobs |= shape_unknown or background
        if shape_unknown or background:
            self.scope.last_job = BROKEN

    def understood(self, command: Simple, background: bool) -> bool | None:
        """The instructions of a simple command."""
        values = assignments(command, self.scope)
        if values is not None:
            self.scope.variables.update({word.text: value for word, value in values})
            return True
        expanded = expand_command(command, self.scope)
        if expanded is None:
            return True
        does = action(expanded, self.scope, background)
        if isinstance(does, c.Leave):
            self.leave(does)
        else:
            self.emit(does, background)
        return does.status == 0 if isinstance(does, c.Nothing) else None

    def leave(self, action: c.Leave) -> None:
        """``break`` and ``continue``."""
        if action.loops > len(self.loops):
            if self.errors:  # perhaps the loop's beginning was not understood
                raise ToldError
            where = f"there are {len(self.loops)} loops around it" if self.loops else "there is no loop around it"
            raise action.word.error(f"{action.word.text} out of {action.loops} loops: {where}", "in do ... done")
        loop = self.loops[-action.loops]
        (loop.continues if action.again else loop.breaks).append(self.jump(n.JUMP_ALWAYS))

    def for_(self, command: For) -> None:
        """A loop over words: written out, one round behind the other."""
        items = [Word(BROKEN, command.word.place)]
        with self.errors.kept():
            items = [item for word in command.items for item in expand(word, self.scope)]
        loop, outer = _Loop(), self.rounds
        self.loops.append(loop)
        for number, item in enumerate(items):
            self.counted(command.word)
            self.rounds = (*outer, number)
            self.scope.variables[command.name] = item.text
            self.script(command.body)
            self.arrive(loop.continues)
            loop.continues = []
        self.rounds = outer
        self.loops.pop()
        self.arrive(loop.breaks)

    def while_(self, command: While) -> None:
        """A loop of the program."""
        loop = _Loop()
        self.loops.append(loop)
        self.endless += 1
        for _ in range(MOST_ROUNDS):
            self.counted(command.word)
            before, top = self.scope.copy(), self.asm.here
            self.asm.emit(n.OP_COMPUTE, a=ROUND_NS)
            self.condition(command, loop)
            self.script(command.body)
            self.arrive(loop.continues)
            loop.continues = []
            if not self.reachable:
                break
            if self.scope == before:
                self.asm.emit(n.OP_JUMP, a=top)
                self.reachable = False
                break
        else:
            raise _never_the_same(command.word, before, self.scope)
        self.endless -= 1
        self.loops.pop()
        self.arrive(loop.breaks)
        if self.reachable:
            self.asm.emit(n.OP_STATUS)

    def condition(self, command: While, loop: _Loop) -> None:
        """What is run before each round, and the jump out of the loop, if it can end so."""
        first = command.condition[0]
        if len(command.condition) == 1 and len(first.commands) == 1 and not first.background:
            sure = self.command(first.commands[0])
        else:
            self.script(command.condition)
            sure = None
        if sure is None:
            loop.breaks.append(self.jump(n.JUMP_IF_OK if command.until else n.JUMP_IF_FAILED))
        elif sure == command.until:
            loop.breaks.append(self.jump(n.JUMP_ALWAYS))


def _never_the_same(word: Word, before: Scope, after: Scope) -> InputError:
    """The error for a loop in which something changes in every round."""
    names = [name for name, value in after.variables.items() if before.variables.get(name) != value]
    what = "$" + names[0] if names else "the directory" if before.directory != after.directory else "the shell's group"
    return word.error(
        f"{what} changes in every round of this loop, and what it is must be known before the run",
        "for i in $(seq 1 10); do ...; done has as many rounds as are written",
    )
