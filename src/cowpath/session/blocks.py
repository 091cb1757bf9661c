"""Conditions and loops: ``if``, ``case``, ``for``, ``while``, and how they are left."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from cowpath.errors import InputError, ToldError
from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.expand import (
    expand,
    value_of,
)
from cowpath.session.flow import MOST_ROUNDS, ROUND_NS, Flow, Jumps, Loop
from cowpath.session.live import is_live, refuse
from cowpath.session.scope import BROKEN, Scope
from cowpath.session.shell_word import ShellWord
from cowpath.session.tree import (
    Case,
    For,
    If,
    Script,
    While,
)
from cowpath.words import Word


@dataclass
class Blocks(Flow):
    """Writes conditions and loops."""

    def if_(self, command: If) -> None:
        """``if``: of conditions that are known before the run only the branch is written that is taken."""
        ends: Jumps = []
        for condition, body in command.branches:
            sure = self.asks(condition) if condition else True
            if sure is False:
                continue
            skip = [self.jump(n.JUMP_IF_FAILED)] if sure is None else []
            if not body:
                self.asm.emit(n.OP_STATUS)
            self.script(body)
            if sure:
                break
            ends.append(self.jump(n.JUMP_ALWAYS))
            self.arrive(skip)
        else:
            self.asm.emit(n.OP_STATUS)
        self.arrive(ends)

    def asks(self, condition: Script) -> bool | None:
        """What is run to see whether it succeeds."""
        self.asked += 1
        first = condition[0]
        sure: bool | None = None
        if len(condition) == 1 and len(first.commands) == 1 and not first.background:
            sure = self.command(first.commands[0])
        else:
            self.script(condition)
        self.asked -= 1
        return sure

    def case_(self, command: Case) -> None:
        """``case``: the word is known before the run, and so is the branch."""
        subject = self.plain(command.subject)
        for patterns, body in command.branches:
            if any(fnmatchcase(subject, self.plain(pattern)) for pattern in patterns):
                self.script(body)
                return
        self.asm.emit(n.OP_STATUS)

    def plain(self, word: ShellWord) -> str:
        """A word without splitting; it must be known before the run."""
        text = "".join(value_of(part, self.scope, lenient=True) for part in word.parts)
        self.scope.live.wanted.clear()
        if is_live(text):
            raise refuse(Word(text, word.place))
        return text

    # --- loops

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
            items = self.items(command)
        loop, outer = Loop(), self.rounds
        self.loops.append(loop)
        for number, item in enumerate(items):
            self.counted(command.word)
            self.at((*outer, number))
            self.scope.variables[command.name] = item.text
            self.script(command.body)
            self.arrive(loop.continues)
            loop.continues = []
        self.at(outer)
        self.loops.pop()
        self.arrive(loop.breaks)

    def items(self, command: For) -> list[Word]:
        """The words of a ``for``."""
        if command.items is None:
            return [Word(text, command.word.place) for text in self.scope.arguments]
        items = [item for word in command.items for item in expand(word, self.scope)]
        self.scope.live.wanted.clear()
        for item in items:
            if is_live(item.text):
                raise refuse(item, "so are the rounds of this loop")
        return items

    def while_(self, command: While) -> None:
        """A loop of the program."""
        loop = Loop()
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

    def condition(self, command: While, loop: Loop) -> None:
        """What is run before each round, and the jump out of the loop, if it can end so."""
        sure = self.asks(command.condition)
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
