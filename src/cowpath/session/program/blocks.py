"""Conditions and loops: ``if``, ``case``, ``for``, ``while``, and how they are left."""

from __future__ import annotations

from fnmatch import fnmatchcase

from cowpath.errors import InputError, ToldError
from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.expand import (
    expand,
    value_of,
)
from cowpath.session.live import is_live, refuse
from cowpath.session.program.walk import MOST_ROUNDS, ROUND_NS, Jumps, Loop, Walk
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


def write_if(walk: Walk, command: If) -> None:
    """``if``: of conditions that are known before the run only the branch is written that is taken."""
    ends: Jumps = []
    for condition, body in command.branches:
        sure = asks(walk, condition) if condition else True
        if sure is False:
            continue
        skip = [walk.jump(n.JUMP_IF_FAILED)] if sure is None else []
        if not body:
            walk.w.asm.emit(n.OP_STATUS)
        walk.script(body)
        if sure:
            break
        ends.append(walk.jump(n.JUMP_ALWAYS))
        walk.arrive(skip)
    else:
        walk.w.asm.emit(n.OP_STATUS)
    walk.arrive(ends)


def asks(walk: Walk, condition: Script) -> bool | None:
    """What is run to see whether it succeeds."""
    walk.asked += 1
    first = condition[0]
    sure: bool | None = None
    if len(condition) == 1 and len(first.commands) == 1 and not first.background:
        sure = walk.command(first.commands[0])
    else:
        walk.script(condition)
    walk.asked -= 1
    return sure


def write_case(walk: Walk, command: Case) -> None:
    """``case``: the word is known before the run, and so is the branch."""
    subject = plain(walk, command.subject)
    for patterns, body in command.branches:
        if any(fnmatchcase(subject, plain(walk, pattern)) for pattern in patterns):
            walk.script(body)
            return
    walk.w.asm.emit(n.OP_STATUS)


def plain(walk: Walk, word: ShellWord) -> str:
    """A word without splitting; it must be known before the run."""
    text = "".join(value_of(part, walk.w.scope, lenient=True) for part in word.parts)
    walk.w.scope.live.wanted.clear()
    if is_live(text):
        raise refuse(Word(text, word.place))
    return text


# --- loops


def leave_loop(walk: Walk, action: c.Leave) -> None:
    """``break`` and ``continue``."""
    if action.loops > len(walk.loops):
        if walk.w.errors:  # perhaps the loop's beginning was not understood
            raise ToldError
        where = f"there are {len(walk.loops)} loops around it" if walk.loops else "there is no loop around it"
        raise action.word.error(f"{action.word.text} out of {action.loops} loops: {where}", "in do ... done")
    loop = walk.loops[-action.loops]
    (loop.continues if action.again else loop.breaks).append(walk.jump(n.JUMP_ALWAYS))


def write_for(walk: Walk, command: For) -> None:
    """A loop over words: written out, one round behind the other."""
    items = [Word(BROKEN, command.word.place)]
    with walk.w.errors.kept():
        items = items_of(walk, command)
    loop, outer = Loop(), walk.w.rounds
    walk.loops.append(loop)
    for number, item in enumerate(items):
        walk.counted(command.word)
        walk.at((*outer, number))
        walk.w.scope.variables[command.name] = item.text
        walk.script(command.body)
        walk.arrive(loop.continues)
        loop.continues = []
    walk.at(outer)
    walk.loops.pop()
    walk.arrive(loop.breaks)


def items_of(walk: Walk, command: For) -> list[Word]:
    """The words of a ``for``."""
    if command.items is None:
        return [Word(text, command.word.place) for text in walk.w.scope.arguments]
    items = [item for word in command.items for item in expand(word, walk.w.scope)]
    walk.w.scope.live.wanted.clear()
    for item in items:
        if is_live(item.text):
            raise refuse(item, "so are the rounds of this loop")
    return items


def write_while(walk: Walk, command: While) -> None:
    """A loop of the program."""
    loop = Loop()
    walk.loops.append(loop)
    walk.w.endless += 1
    for _ in range(MOST_ROUNDS):
        walk.counted(command.word)
        before, top = walk.w.scope.copy(), walk.w.asm.here
        walk.w.asm.emit(n.OP_COMPUTE, a=ROUND_NS)
        loop_condition(walk, command, loop)
        walk.script(command.body)
        walk.arrive(loop.continues)
        loop.continues = []
        if not walk.reachable:
            break
        if walk.w.scope == before:
            walk.w.asm.emit(n.OP_JUMP, a=top)
            walk.reachable = False
            break
    else:
        raise _never_the_same(command.word, before, walk.w.scope)
    walk.w.endless -= 1
    walk.loops.pop()
    walk.arrive(loop.breaks)
    if walk.reachable:
        walk.w.asm.emit(n.OP_STATUS)


def loop_condition(walk: Walk, command: While, loop: Loop) -> None:
    """What is run before each round, and the jump out of the loop, if it can end so."""
    sure = asks(walk, command.condition)
    if sure is None:
        loop.breaks.append(walk.jump(n.JUMP_IF_OK if command.until else n.JUMP_IF_FAILED))
    elif sure == command.until:
        loop.breaks.append(walk.jump(n.JUMP_ALWAYS))


def _never_the_same(word: Word, before: Scope, after: Scope) -> InputError:
    """The error for a loop in which something changes in every round."""
    names = [name for name, value in after.variables.items() if before.variables.get(name) != value]
    what = "$" + names[0] if names else "the directory" if before.directory != after.directory else "the shell's group"
    return word.error(
        f"{what} changes in every round of this loop, and what it is must be known before the run",
        "for i in $(seq 1 10); do ...; done has as many rounds as are written",
    )
