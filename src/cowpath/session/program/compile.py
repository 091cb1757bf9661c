"""From a script's tree to the program of its shell.

What the shell knows (variables, directory, jobs) is followed along the script, so that every word is known
before the run. A ``for`` is written out, a round behind the other. A ``while`` is a loop of the program: its body is
written once if the shell knows the same at its end as at its beginning, else again for the next round, until it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from cowpath.errors import Gathered, InputError
from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.session.expand import (
    Expanded,
    To,
    all_redirected,
    assigned,
    assignments,
    expand_command,
)
from cowpath.session.file_commands import not_written
from cowpath.session.live import STATUS
from cowpath.session.parser import action, is_program
from cowpath.session.paths import Ordinary, Stream, file_of
from cowpath.session.pipes import pipeline, substitution
from cowpath.session.program import actions, blocks, contained, shells
from cowpath.session.program.walk import MOST_COMMANDS, Jumps, Walk
from cowpath.session.program.writer import SHELL, Shell, Writer
from cowpath.session.scope import BROKEN, Scope, for_people
from cowpath.session.shell_word import Part, ShellWord
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
from cowpath.words import Word

__all__ = ["SHELL", "Shell", "compile_shell"]

COMMENT = re.compile(r"(?:^|\s)#.*", re.MULTILINE)
LOOKS = re.compile(r"\$\?|\b(?:set|exit|return)\b")  # words of a script that looks at the status of every command


def compile_shell(
    script: Script,
    settle: int,
    errors: Gathered | None = None,
    known: Scope | None = None,
    source: str = "",
    fixed: Mapping[tuple[str, int], tuple[int, int]] | None = None,
    added: Mapping[tuple[str, int], int] | None = None,
) -> Shell:
    """The shell's program. It sleeps ``settle`` ns first. ``known`` is what it knows at the start.

    What commands cannot mean is put by in ``errors``, and the program is of no use then; without it, InputError is
    raised. ``source`` is the script's text, which says whether it looks at each command's status. ``fixed`` and
    ``added`` are those of ``Writer``.
    """
    writer = Writer(errors=Gathered(for_people) if errors is None else errors, scope=known or Scope())
    writer.fixed, writer.added = dict(fixed or {}), dict(added or {})
    compiler = _Compiler(writer, exact_status=LOOKS.search(COMMENT.sub("", source)) is not None)
    writer.scope.output = compiler.substituted
    if settle:
        writer.asm.emit(n.OP_SLEEP, a=settle)
    with writer.errors.kept():
        compiler.script(script)
    shell = actions.finish(writer)
    if errors is None:
        writer.errors.tell()
    return shell


@dataclass
class _Compiler(Walk):
    """Goes through the tree. Commands whose success is known say so: True, False, or None for what the run shows."""

    # --- lists

    def script(self, script: Script) -> None:
        """Commands one after the other."""
        for joined in script:
            if self.exited and not self.reachable:
                return
            if joined.background and not self.is_job(joined):
                place = joined.commands[0].word.place
                shells.subshell(self, place, (replace(joined, background=False),), background=True)
            else:
                self.joined(joined)

    def is_job(self, joined: Joined) -> bool:
        """What stands in the background is one program, and needs no shell of its own."""
        command = joined.commands[0]
        if len(joined.commands) > 1 or not isinstance(command, Simple):
            return False
        try:
            if assignments(command, self.w.scope) is not None:
                return False
            expanded = expand_command(command, self.w.scope)
        except InputError:  # told when the command is written
            return True
        finally:
            self.w.scope.live.wanted.clear()
        if expanded is None or expanded.name.text in self.w.scope.functions:
            return False
        return is_program(expanded, self.w.scope)

    def joined(self, joined: Joined) -> None:
        """Commands with && or || between them: each may jump over the next."""
        skip: Jumps = []
        skipped: bool | None = None  # who comes by the jump has succeeded (&&), or failed (||)
        for command, operator in zip(joined.commands, (*joined.operators, None), strict=True):
            start = self.w.asm.here
            self.asked += operator is not None
            self.succeeds = False
            sure = self.command(command, joined.background)
            self.asked -= operator is not None
            if self.w.asm.here == start and (len(joined.commands) > 1 or self.exact_status):
                self.w.asm.emit(n.OP_STATUS)
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
        if "errexit" not in self.w.scope.options or self.asked or sure is True or not self.reachable:
            return
        if isinstance(command, Piped) and command.negated:
            return
        if not (isinstance(command, Simple | Piped) or (isinstance(command, Block) and command.subshell)):
            return
        ok = self.w.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
        self.w.asm.emit(n.OP_EXIT, a=n.EXIT_ERRNO)
        self.w.asm.patch(ok, "a", self.w.asm.here)
        if sure is False:
            self.reachable, self.exited = False, True

    # --- commands

    def command(self, command: Command, background: bool = False) -> bool | None:
        """A command."""
        if isinstance(command, Simple):
            return self.simple(command, background)
        outer = self.loops[:], self.w.endless, self.asked, self.calls_of[:]
        try:
            with self.redirected(all_redirected(command.redirects, self.w.scope), command.word):
                return self.compound(command)
        except InputError as error:
            if self.count > MOST_COMMANDS:
                raise
            self.w.errors.add(error)
            self.loops, self.w.endless, self.asked, self.calls_of = outer
        return None

    def compound(self, command: Command) -> bool | None:
        """Loops, conditions, blocks, pipes."""
        match command:
            case Piped():
                return self.piped(command)
            case For():
                blocks.write_for(self, command)
            case While():
                blocks.write_while(self, command)
            case If():
                blocks.write_if(self, command)
            case Case():
                blocks.write_case(self, command)
            case Block() if command.subshell:
                shells.subshell(self, command.word.place, command.body)
            case Block():
                self.script(command.body)
            case Function():
                self.w.scope.functions[command.name] = command
        return None

    @contextmanager
    def redirected(self, redirects: tuple[To, ...], word: Word) -> Iterator[None]:
        """What the block's commands print goes where the redirections say."""
        out, err = self.w.output.out, self.w.output.err
        for to in redirects:
            shown = {1: out, 2: err}[to.onto] if to.onto is not None else True
            if to.file is not None:
                file = file_of(to.file, self.w.scope)
                if to.stream == 0 and (not isinstance(file, Stream) or file.shown):
                    raise to.file.error(f"a redirected input is not understood here: {to.file.text!r}", "< /dev/null")
                if isinstance(file, Ordinary):
                    self.w.note(to.file, not_written(file.path))
                elif not isinstance(file, Stream):
                    raise to.file.error("the output of several commands cannot go to such a file", "echo VALUE > FILE")
                shown = isinstance(file, Stream) and file.shown
            out, err = (shown if to.stream == 1 else out), (shown if to.stream == 2 else err)
        with self.w.printing(out=out, err=err):
            yield

    def simple(self, command: Simple, background: bool) -> bool | None:
        """A simple command: its words are expanded with what the shell knows here."""
        self.counted(command.word)
        try:
            return self.understood(command, background)
        except InputError as error:
            self.w.errors.add(error)
            self.lose(command.words, background)
            return None

    def lose(self, words: Sequence[ShellWord], background: bool) -> None:
        """A command is wrong: what it would have told the shell is not known, and is not told again."""
        self.w.scope.live.wanted.clear()
        self.w.scope.variables.update(dict.fromkeys(assigned(words), BROKEN))
        if not words:
            return
        shape_unknown = words[0].broken
        makes = ("cgcreate", "mkdir", "systemd-run", "docker", "podman", "sudo", "sh", "bash")
        self.w.lost_groups |= shape_unknown or words[0].text.startswith("$") or words[0].text in makes
        self.w.lost_jobs |= shape_unknown or background
        if shape_unknown or background:
            self.w.scope.last_job = BROKEN

    def understood(self, command: Simple, background: bool) -> bool | None:
        """The instructions of a simple command."""
        values = assignments(command, self.w.scope)
        if values is not None:
            with self.redirected(all_redirected(command.redirects, self.w.scope), command.word):
                asks = self.read_values()
            self.w.scope.variables.update({word.text: value for word, value in values})
            return None if asks else True
        expanded = expand_command(command, self.w.scope)
        self.read_values()
        if expanded is None:
            return True
        if expanded.name.text in self.w.scope.functions and not background:
            with self.redirected(expanded.redirects, expanded.name):
                shells.call_function(self, self.w.scope.functions[expanded.name.text], expanded)
            return None
        if expanded.name.text == "exec" and len(expanded.words) > 1:
            shells.exec_program(self, replace(expanded, words=expanded.words[1:]))
            return None
        if expanded.name.text == "local":
            return shells.set_local(self, expanded)
        does = action(expanded, self.w.scope, background)
        with self.redirected(_without_kernel_files(expanded, self.w.scope), expanded.name):
            return self.does(does, expanded, background)

    def does(self, does: c.Action, expanded: Expanded, background: bool) -> bool | None:
        """An action's instructions."""
        notes = []
        while isinstance(does, c.Noted):
            notes.append(does.note)
            does = does.action
        for note in notes:
            self.w.note(does.word, note)
        if isinstance(does, c.Create | c.Delete):
            self.follow_groups(does)
        if isinstance(does, c.Leave):
            blocks.leave_loop(self, does)
        elif isinstance(does, c.Exit):
            shells.leave_shell(self, does)
        elif isinstance(does, c.Subshell):
            known = shells.knows_exported(self, does, {word.text: value for word, value in expanded.assigned})
            shells.subshell(self, does.word.place, does.script, manner=does.manner, inner=known)
        elif isinstance(does, c.Contained):
            contained.run_contained(self.w, does, partial(shells.contained_shell, self))
        else:
            actions.emit(self.w, does, background)
        return does.status == 0 if isinstance(does, c.Nothing) else None

    def follow_groups(self, does: c.Create | c.Delete) -> None:
        """Which groups are surely there; the first mkdir of one in a group that is there does not fail."""
        names = {group.text for group in does.groups}
        if isinstance(does, c.Delete):
            self.w.scope.there = frozenset(
                each for each in self.w.scope.there if not any(f"{each}/".startswith(f"{name}/") for name in names)
            )
            return
        above = {name.rpartition("/")[0] for name in names} - names - {""}
        fresh = not self.w.endless and not names & self.w.made.keys() and above <= self.w.scope.there
        self.succeeds = does.parents or fresh
        if self.succeeds:
            parts = [name.split("/") for name in names]
            self.w.scope.there |= {"/".join(each[: at + 1]) for each in parts for at in range(len(each))}

    def read_values(self) -> bool:
        """What only the run shows, and the command in hand speaks of, is kept; whether a command was run for it."""
        ran = False
        for reading in self.w.scope.live.wanted:
            if reading.shows is STATUS:
                self.w.host("status", reading.word, 0, (), "", keep=reading.number)
            elif isinstance(reading.shows, str):
                self.w.host("keep", reading.word, 0, (), reading.shows, keep=reading.number)
            else:
                ran = True
                with self.w.printing(keep=reading.number, filters=()):
                    actions.emit(self.w, reading.shows, background=False)
        self.w.scope.live.wanted.clear()
        return ran

    def substituted(self, part: Part, scope: Scope) -> str:
        """What ``$(...)`` stands for: a text, or a value that is kept in the run."""
        return substitution(part, scope, self.w.errors)

    def piped(self, command: Piped) -> bool | None:
        """``A | B``, ``! A``."""
        if not command.pipes:
            self.asked += 1
            sure = self.command(command.commands[0])
            self.asked -= 1
            if sure is not None:
                self.w.asm.emit(n.OP_STATUS, a=int(sure))
                return not sure
        else:
            self.pipeline(command)
        if command.negated:
            failed = self.w.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED)
            self.w.asm.emit(n.OP_STATUS, a=1)
            over = self.w.asm.emit(n.OP_JUMP)
            self.w.asm.patch(failed, "a", self.w.asm.here)
            self.w.asm.emit(n.OP_STATUS)
            self.w.asm.patch(over, "a", self.w.asm.here)
        return None

    def pipeline(self, command: Piped) -> None:
        """``A | B | C``, of which B and C read text."""
        does, printed = pipeline(command, self.w.scope, self.w.errors)
        self.read_values()
        if does is not None:
            self.does(does, Expanded((command.word,)), background=False)
        else:
            shells.subshell(self, command.word.place, (Joined((command.commands[0],), (), False),))
        if printed is not None:  # what was piped is not modelled: the last of the pipe succeeds
            self.w.note(command.pipes[0], printed)
            if "pipefail" not in self.w.scope.options:
                self.w.asm.emit(n.OP_STATUS)


def _without_kernel_files(expanded: Expanded, scope: Scope) -> tuple[To, ...]:
    """The redirections that are not what the command is about: ``echo VALUE > FILE`` of a group is read as one."""
    return tuple(
        to for to in expanded.redirects
        if to.file is None or to.stream == 2 or isinstance(file_of(to.file, scope), Stream | Ordinary)
    )  # fmt: skip
