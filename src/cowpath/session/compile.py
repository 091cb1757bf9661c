"""From a script's tree to the program of its shell.

What the shell knows (variables, directory, jobs) is followed along the script, so that every word is known
before the run. A ``for`` is written out, a round behind the other. A ``while`` is a loop of the program: its body is
written once if the shell knows the same at its end as at its beginning, else again for the next round, until it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from cowpath.errors import Gathered, InputError, ToldError
from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.contained import Contained
from cowpath.session.emit import SHELL, Shell, base_name
from cowpath.session.expand import (
    Expanded,
    To,
    all_redirected,
    assigned,
    assignments,
    expand,
    expand_command,
    value_of,
)
from cowpath.session.file_commands import not_written
from cowpath.session.live import STATUS, is_live, refuse
from cowpath.session.parser import action, is_program
from cowpath.session.paths import Ordinary, Stream, file_of
from cowpath.session.pipes import pipeline, substitution
from cowpath.session.scope import BROKEN, Scope, for_people
from cowpath.session.tokens import Part, ShellWord
from cowpath.session.tree import (
    Block,
    Case,
    Command,
    For,
    Function,
    If,
    Joined,
    Piped,
    Script,
    Simple,
    While,
)
from cowpath.words import Place, Word

__all__ = ["SHELL", "Shell", "compile_shell"]

COMMENT = re.compile(r"(?:^|\s)#.*", re.MULTILINE)
LOOKS = re.compile(r"\$\?|\b(?:set|exit|return)\b")  # words of a script that looks at the status of every command
ROUND_NS = 10_000  # of CPU, for each round of a "while": no loop may stop the clock
MOST_COMMANDS = 10_000  # that a script's loops may stand for
NO_MANNER = c.Manner()
DEEPEST_CALLS = 16  # of functions
MOST_ROUNDS = 8  # of a "while" until the shell learns nothing new

Jumps = list[tuple[int, Scope | None]]  # each with what the shell knows there; None: it never gets there


def compile_shell(
    script: Script, settle: int, errors: Gathered | None = None, known: Scope | None = None, source: str = ""
) -> Shell:
    """The shell's program. It sleeps ``settle`` ns first. ``known`` is what it knows at the start.

    What commands cannot mean is put by in ``errors``, and the program is of no use then; without it, InputError is
    raised. ``source`` is the script's text, which says whether it looks at each command's status.
    """
    compiler = _Compiler(errors=Gathered(for_people) if errors is None else errors)
    compiler.scope = known or Scope()
    compiler.scope.output = compiler.substituted
    compiler.exact_status = LOOKS.search(COMMENT.sub("", source)) is not None
    if settle:
        compiler.asm.emit(n.OP_SLEEP, a=settle)
    with compiler.errors.kept():
        compiler.script(script)
    shell = compiler.finish()
    if errors is None:
        compiler.errors.tell()
    return shell


@dataclass
class _Call:
    """A function that is being written: the jumps to its end, and the outer values of its own variables."""

    returns: Jumps = field(default_factory=list)
    local: dict[str, str | None] = field(default_factory=dict)


@dataclass
class _Loop:
    """A loop that is being written: the jumps to its end and to its next round."""

    breaks: Jumps = field(default_factory=list)
    continues: Jumps = field(default_factory=list)


@dataclass
class _Compiler(Contained):
    """Goes through the tree. Commands whose success is known say so: True, False, or None for what the run shows."""

    loops: list[_Loop] = field(default_factory=list)
    calls_of: list[_Call] = field(default_factory=list)  # of functions, one within the other
    reachable: bool = True  # False behind a break, or an endless loop
    asked: int = 0  # conditions around this place: "set -e" has no effect there
    succeeds: bool = False  # the last command does, though the run has yet to show it
    exited: bool = False  # the shell has come to its end here: what follows is not read
    exact_status: bool = False  # the script looks at the status of every command
    count: int = 0  # commands and rounds so far

    # --- lists

    def script(self, script: Script) -> None:
        """Commands one after the other."""
        for joined in script:
            if self.exited and not self.reachable:
                return
            if joined.background and not self.is_job(joined):
                self.subshell(joined.commands[0].word.place, (replace(joined, background=False),), background=True)
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
        finally:
            self.scope.live.wanted.clear()
        return expanded is not None and expanded.name.text not in self.scope.functions and is_program(expanded)

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

    def joined(self, joined: Joined) -> None:
        """Commands with && or || between them: each may jump over the next."""
        skip: Jumps = []
        skipped: bool | None = None  # who comes by the jump has succeeded (&&), or failed (||)
        for command, operator in zip(joined.commands, (*joined.operators, None), strict=True):
            start = self.asm.here
            self.asked += operator is not None
            self.succeeds = False
            sure = self.command(command, joined.background)
            self.asked -= operator is not None
            if self.asm.here == start and (len(joined.commands) > 1 or self.exact_status):
                self.asm.emit(n.OP_STATUS)
            if operator is None and not joined.background:
                self.ends_if_failed(command, sure)
            if skip:
                both = self.reachable and skip[0][1] is not None
                sure = (sure if sure == skipped else None) if both else sure if self.reachable else skipped
                self.arrive(skip)
            skip, skipped = [], operator == "||"
            if operator is not None and sure != (operator == "&&"):
                bits = n.JUMP_IF_FAILED if operator == "&&" else n.JUMP_IF_OK
                skip = [self.jump(bits if sure is None else n.JUMP_ALWAYS)]
                if self.succeeds and operator == "&&":
                    skip = [(skip[0][0], None)]  # nobody ever comes by this way

    def ends_if_failed(self, command: Command, sure: bool | None) -> None:
        """``set -e``: a command that has failed ends the shell, where nothing asks whether it has."""
        if "errexit" not in self.scope.options or self.asked or sure is True or not self.reachable:
            return
        if isinstance(command, Piped) and command.negated:
            return
        if not (isinstance(command, Simple | Piped) or (isinstance(command, Block) and command.subshell)):
            return
        ok = self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
        self.asm.emit(n.OP_EXIT, a=n.EXIT_ERRNO)
        self.asm.patch(ok, "a", self.asm.here)
        if sure is False:
            self.reachable, self.exited = False, True

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
                self.reachable, self.exited = True, False

    def counted(self, word: Word) -> None:
        """One command or one round more."""
        self.count += 1
        if self.count > MOST_COMMANDS:
            raise word.error(
                f"the script's loops stand for more than {MOST_COMMANDS} commands",
                "fewer rounds of 'for'; while true; do ...; done has no end",
            )

    def at(self, rounds: tuple[int, ...]) -> None:
        """Which round of which loop, and which call of which function, is being written."""
        self.rounds = self.scope.live.site = rounds

    # --- commands

    def command(self, command: Command, background: bool = False) -> bool | None:
        """A command."""
        if isinstance(command, Simple):
            return self.simple(command, background)
        outer = self.loops[:], self.endless, self.asked, self.calls_of[:]
        try:
            with self.redirected(all_redirected(command.redirects, self.scope), command.word):
                return self.compound(command)
        except InputError as error:
            if self.count > MOST_COMMANDS:
                raise
            self.errors.add(error)
            self.loops, self.endless, self.asked, self.calls_of = outer
        return None

    def compound(self, command: Command) -> bool | None:
        """Loops, conditions, blocks, pipes."""
        match command:
            case Piped():
                return self.piped(command)
            case For():
                self.for_(command)
            case While():
                self.while_(command)
            case If():
                self.if_(command)
            case Case():
                self.case_(command)
            case Block() if command.subshell:
                self.subshell(command.word.place, command.body)
            case Block():
                self.script(command.body)
            case Function():
                self.scope.functions[command.name] = command
        return None

    @contextmanager
    def redirected(self, redirects: tuple[To, ...], word: Word) -> Iterator[None]:
        """What the block's commands print goes where the redirections say."""
        out, err = self.output.out, self.output.err
        for to in redirects:
            shown = {1: out, 2: err}[to.onto] if to.onto is not None else True
            if to.file is not None:
                file = file_of(to.file, self.scope)
                if to.stream == 0 and (not isinstance(file, Stream) or file.shown):
                    raise to.file.error(f"a redirected input is not understood here: {to.file.text!r}", "< /dev/null")
                if isinstance(file, Ordinary):
                    self.note(to.file, not_written(file.path))
                elif not isinstance(file, Stream):
                    raise to.file.error("the output of several commands cannot go to such a file", "echo VALUE > FILE")
                shown = isinstance(file, Stream) and file.shown
            out, err = (shown if to.stream == 1 else out), (shown if to.stream == 2 else err)
        with self.printing(out=out, err=err):
            yield

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
        self.scope.live.wanted.clear()
        self.scope.variables.update(dict.fromkeys(assigned(words), BROKEN))
        if not words:
            return
        shape_unknown = words[0].broken
        makes = ("cgcreate", "mkdir", "systemd-run", "docker", "podman", "sudo", "sh", "bash")
        self.lost_groups |= shape_unknown or words[0].text.startswith("$") or words[0].text in makes
        self.lost_jobs |= shape_unknown or background
        if shape_unknown or background:
            self.scope.last_job = BROKEN

    def understood(self, command: Simple, background: bool) -> bool | None:
        """The instructions of a simple command."""
        values = assignments(command, self.scope)
        if values is not None:
            with self.redirected(all_redirected(command.redirects, self.scope), command.word):
                asks = self.read_values()
            self.scope.variables.update({word.text: value for word, value in values})
            return None if asks else True
        expanded = expand_command(command, self.scope)
        self.read_values()
        if expanded is None:
            return True
        if expanded.name.text in self.scope.functions and not background:
            with self.redirected(expanded.redirects, expanded.name):
                return self.call(self.scope.functions[expanded.name.text], expanded)
        if expanded.name.text == "exec" and len(expanded.words) > 1:
            return self.exec(replace(expanded, words=expanded.words[1:]))
        if expanded.name.text == "local":
            return self.local(expanded)
        does = action(expanded, self.scope, background)
        with self.redirected(_without_kernel_files(expanded, self.scope), expanded.name):
            return self.does(does, expanded, background)

    def does(self, does: c.Action, expanded: Expanded, background: bool) -> bool | None:
        """An action's instructions."""
        notes = []
        while isinstance(does, c.Noted):
            notes.append(does.note)
            does = does.action
        for note in notes:
            self.note(does.word, note)
        if isinstance(does, c.Create | c.Delete):
            self.follow_groups(does)
        if isinstance(does, c.Leave):
            self.leave(does)
        elif isinstance(does, c.Exit):
            self.exit(does)
        elif isinstance(does, c.Subshell):
            known = self.knows_exported(does, {word.text: value for word, value in expanded.assigned})
            self.subshell(does.word.place, does.script, manner=does.manner, inner=known)
        elif isinstance(does, c.Contained):
            self.contained(does)
        else:
            self.emit(does, background)
        return does.status == 0 if isinstance(does, c.Nothing) else None

    def follow_groups(self, does: c.Create | c.Delete) -> None:
        """Which groups are surely there; the first mkdir of one in a group that is there does not fail."""
        names = {group.text for group in does.groups}
        if isinstance(does, c.Delete):
            self.scope.there = frozenset(
                each for each in self.scope.there if not any(f"{each}/".startswith(f"{name}/") for name in names)
            )
            return
        above = {name.rpartition("/")[0] for name in names} - names - {""}
        fresh = not self.endless and not names & self.made.keys() and above <= self.scope.there
        self.succeeds = does.parents or fresh
        if self.succeeds:
            parts = [name.split("/") for name in names]
            self.scope.there |= {"/".join(each[: at + 1]) for each in parts for at in range(len(each))}

    def read_values(self) -> bool:
        """What only the run shows, and the command in hand speaks of, is kept; whether a command was run for it."""
        ran = False
        for reading in self.scope.live.wanted:
            if reading.shows is STATUS:
                self.host("status", reading.word, 0, (), "", keep=reading.number)
            elif isinstance(reading.shows, str):
                self.host("keep", reading.word, 0, (), reading.shows, keep=reading.number)
            else:
                ran = True
                with self.printing(keep=reading.number, filters=()):
                    self.emit(reading.shows, background=False)
        self.scope.live.wanted.clear()
        return ran

    def substituted(self, part: Part, scope: Scope) -> str:
        """What ``$(...)`` stands for: a text, or a value that is kept in the run."""
        return substitution(part, scope, self.errors)

    def piped(self, command: Piped) -> bool | None:
        """``A | B``, ``! A``."""
        if not command.pipes:
            self.asked += 1
            sure = self.command(command.commands[0])
            self.asked -= 1
            if sure is not None:
                self.asm.emit(n.OP_STATUS, a=int(sure))
                return not sure
        else:
            self.pipeline(command)
        if command.negated:
            failed = self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED)
            self.asm.emit(n.OP_STATUS, a=1)
            over = self.asm.emit(n.OP_JUMP)
            self.asm.patch(failed, "a", self.asm.here)
            self.asm.emit(n.OP_STATUS)
            self.asm.patch(over, "a", self.asm.here)
        return None

    def pipeline(self, command: Piped) -> None:
        """``A | B | C``, of which B and C read text."""
        does, printed = pipeline(command, self.scope, self.errors)
        self.read_values()
        if does is not None:
            self.does(does, Expanded((command.word,)), background=False)
        else:
            self.subshell(command.word.place, (Joined((command.commands[0],), (), False),))
        if printed is not None:  # what was piped is not modelled: the last of the pipe succeeds
            self.note(command.pipes[0], printed)
            if "pipefail" not in self.scope.options:
                self.asm.emit(n.OP_STATUS)

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
        call = _Call()
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
        if not action.returns:
            self.asm.emit(n.OP_EXIT, a=status)
            self.reachable, self.exited = False, True
            return
        if not self.calls_of:
            raise action.word.error("'return' outside of a function", "exit ends the script")
        if action.status is not None:
            self.asm.emit(n.OP_STATUS, a=action.status)
        self.calls_of[-1].returns.append(self.jump(n.JUMP_ALWAYS))

    # --- conditions

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
        loop, outer = _Loop(), self.rounds
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
        sure = self.asks(command.condition)
        if sure is None:
            loop.breaks.append(self.jump(n.JUMP_IF_OK if command.until else n.JUMP_IF_FAILED))
        elif sure == command.until:
            loop.breaks.append(self.jump(n.JUMP_ALWAYS))


def _without_kernel_files(expanded: Expanded, scope: Scope) -> tuple[To, ...]:
    """The redirections that are not what the command is about: ``echo VALUE > FILE`` of a group is read as one."""
    return tuple(
        to for to in expanded.redirects
        if to.file is None or to.stream == 2 or isinstance(file_of(to.file, scope), Stream | Ordinary)
    )  # fmt: skip


def _never_the_same(word: Word, before: Scope, after: Scope) -> InputError:
    """The error for a loop in which something changes in every round."""
    names = [name for name, value in after.variables.items() if before.variables.get(name) != value]
    what = "$" + names[0] if names else "the directory" if before.directory != after.directory else "the shell's group"
    return word.error(
        f"{what} changes in every round of this loop, and what it is must be known before the run",
        "for i in $(seq 1 10); do ...; done has as many rounds as are written",
    )
