"""What each command of a session is to the machine: the instructions of the shell's program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from cowpath.errors import Gathered, ToldError
from cowpath.kernel import names as n
from cowpath.kernel.state import CLOCK
from cowpath.programs.code import Assembler
from cowpath.programs.unit import Call, Unit
from cowpath.session import commands as c
from cowpath.session.cgroupfs import is_the_controllers, not_on_root
from cowpath.session.cgtools import SHELL as ITSELF
from cowpath.session.plan import HostText
from cowpath.session.scope import JOB, SHELL_ITSELF, Scope, job_value
from cowpath.session.uses import Uses
from cowpath.words import Place, Word, nearest

SHELL = "sh"
TIMED_OUT = 124  # timeout's own status
EINVAL = 22
TOOL_NS = 300_000  # until cgdelete or rmdir has started: as long as cgexec, which may have been started just before
ENOENT, EBUSY, EEXIST = 2, 16, 17
KEEPING = ("error", "keep", "status")  # kinds of OP_HOST that leave the status as it is
READS = (n.HOST_READS, n.HOST_READS_MEMORY)
Row = tuple[int, int, int, int, int, int]  # an instruction: code, bits, a, b, c, d


@dataclass(frozen=True)
class Shell:
    """The session's shell: its program, the groups that it ever makes, and what it prints."""

    unit: Unit
    groups: tuple[str, ...]
    parents: tuple[int, ...]
    texts: tuple[HostText, ...]
    notes: tuple[str, ...]
    uses: Uses = field(default_factory=Uses)


@dataclass(frozen=True)
class Output:
    """Where what commands print goes, at a place of the script."""

    out: bool = True  # it is shown
    err: bool = True
    filters: tuple[c.Filter, ...] = ()
    keep: int | None = None  # it is not shown, but kept under this number
    pipefail: bool = False


# operands that are the numbers of groups
GROUPS = {
    n.OP_ATTACH: "a", n.OP_CG_CREATE: "ab", n.OP_CG_SET: "a", n.OP_CG_DELETE: "a", n.OP_HOST: "b", n.OP_CLASSIFY: "a",
}  # fmt: skip


@dataclass
class Emitter:
    """Writes instructions. ``scope`` is what the shell knows at this place, ``rounds`` and ``endless`` say where it is.

    A command is started under a name of its own; in a "while" loop it has the same name in every round. Groups are
    numbered as they are named; which of them the script makes is known at its end.
    """

    asm: Assembler = field(default_factory=lambda: Assembler(SHELL))
    scope: Scope = field(default_factory=Scope)
    errors: Gathered = field(default_factory=Gathered)
    rounds: tuple[int, ...] = ()  # of the "for" loops around this place, and the calls of functions
    output: Output = Output()
    endless: int = 0  # "while" loops around it
    named: dict[str, int] = field(default_factory=lambda: {"": 0})  # groups, by any command
    made: dict[str, tuple[Word, bool]] = field(default_factory=dict)  # those to make: where, and only in a parent
    wanted: list[Word] = field(default_factory=list)  # those that commands need
    lost_groups: bool = False  # a command that was not understood may make others
    texts: list[HostText] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)  # each once, in order
    calls: list[Call] = field(default_factory=list)
    stubs: list[tuple[int, c.Run, str, bool]] = field(default_factory=list)  # fork, what it starts, slot, from outside
    uses: dict[str, int] = field(default_factory=dict)
    slots: dict[tuple[Place, tuple[int, ...], str], str] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)  # slots of background jobs, in order
    lost_jobs: bool = False  # a command that was not understood may start others

    def emit(self, action: c.Action, background: bool) -> None:
        """The instructions of one command."""
        match action:
            case c.Noted():
                self.note(action.word, action.note)
                self.emit(action.action, background)
            case c.Several():
                for each in action.actions:
                    self.emit(each, background)
            case c.Filtered():
                both = (*action.filters, *self.output.filters)
                with self.printing(filters=both, pipefail="pipefail" in self.scope.options):
                    self.emit(action.source, background)
            case c.Create():
                self.create(action)
            case c.Delete():
                self.delete(action)
            case c.Set():
                self.set(action)
            case c.Get():
                self.get(action)
            case c.Pressure():
                self.host("pressure", action.word, 0, (), "")
            case c.Say():
                self.host("echo", action.word, 0, (), action.text, end=action.end)
            case c.Test():
                self.test(action)
            case c.Run():
                self.run(action, background)
            case c.Sleep():
                self.asm.emit(n.OP_SLEEP, a=action.ns)
            case c.Wait():
                self.wait(action)
            case c.Kill():
                for job in action.jobs:
                    self.asm.emit(n.OP_KILL, a=self.asm.slot(self.job(job)), bits=action.bits)
            case c.End() if action.waits:
                self.asm.emit(n.OP_WAIT, a=self.asm.slot(action.slot))
            case c.End():
                self.asm.emit(n.OP_KILL, a=self.asm.slot(action.slot), bits=n.KILL_TREE)
                self.asm.emit(n.OP_STATUS)
            case c.Classify():
                self.classify(action)
            case c.Adjust():
                self.adjust(action)
            case c.Sysctl():
                self.host("sysctl", action.word, 0, (), str(action.value), words=(action.name,))
            case c.Nothing() if action.status:
                self.asm.emit(n.OP_STATUS, a=action.status)

    def note(self, word: Word, text: str) -> None:
        """Something that the user should know, once."""
        self.notes[f"line {word.place.line}: {text}"] = None

    @contextmanager
    def printing(self, **changes: Any) -> Iterator[None]:
        """What the block's commands print goes elsewhere."""
        outer = self.output
        self.output = replace(outer, **changes)
        try:
            yield
        finally:
            self.output = outer

    def finish(self) -> Shell:
        """The end of the script, and after it a few instructions for each command that it starts."""
        self.asm.emit(n.OP_EXIT)
        for fork, run, slot, outside in self.stubs:
            self.asm.patch(fork, "a", self.asm.here)
            if run.group is not None and (run.group.text or not outside):
                attach = self.asm.emit(n.OP_ATTACH, a=self.number(run.group.text))
                self.host("error", run.word, 0, (), f"cgexec: {run.group.text or '/'}: ")
                self.asm.emit(n.OP_EXIT, a=1)
                self.asm.patch(attach, "b", self.asm.here - attach - 1)
            if run.cpu is not None:
                self.asm.emit(n.OP_AFFINITY, a=run.cpu)
            if run.manner.oom_score_adj is not None:
                self.asm.emit(n.OP_OOM_ADJ, a=run.manner.oom_score_adj)
            stays_out = outside if run.group is None else not run.group.text
            self.calls.append(Call(self.asm.emit(n.OP_JUMP), run.word, run.arguments, slot, outside=stays_out))
        groups = self.settle_groups()
        parents = tuple(groups.index(name.rpartition("/")[0]) if name else n.NONE for name in groups)
        unit = Unit(self.asm.code(), tuple(self.calls))
        return Shell(unit, groups, parents, tuple(self.texts), tuple(self.notes), self.scope.uses)

    # --- groups

    def number(self, name: str) -> int:
        """A group's number while the script is gone through."""
        return self.named.setdefault(name, len(self.named))

    def group(self, word: Word) -> int:
        """The number of a group that a command needs; whether it is there then shows the run."""
        self.wanted.append(word)
        return self.number(word.text)

    def settle_groups(self) -> tuple[str, ...]:
        """The groups that the script makes, parents first. What was numbered on the way gets its number among them."""
        groups = [""]
        for name, (word, in_a_parent) in self.made.items():
            if in_a_parent and not self.is_made(name.rpartition("/")[0]):
                continue
            parts = name.split("/")
            paths = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
            groups += [path for path in paths if path not in groups]
            if len(groups) > CLOCK.groups:
                self.errors.add(word.error(f"more than {CLOCK.groups - 1} groups", "fewer groups"))
                break
        for word in self.wanted:
            if word.text not in groups and not self.lost_groups:
                make = f"cgcreate -g memory:{word.text} first"
                self.errors.add(word.error(f"no such group: {word.text!r}", nearest(word.text, groups[1:], make)))
        numbers = {number: groups.index(name) for name, number in self.named.items() if name in groups}
        for at, row in enumerate(self.asm.rows):
            self.asm.rows[at] = renumbered(row, numbers)
        self.texts = [replace(text, group=numbers.get(text.group, 0)) for text in self.texts]
        return tuple(groups)

    def is_made(self, name: str) -> bool:
        """Some command of the script makes the group, and those above it."""
        while name:
            if name not in self.made:
                return any(other.startswith(name + "/") and not alone for other, (_, alone) in self.made.items())
            if not self.made[name][1]:
                return True
            name = name.rpartition("/")[0]
        return True

    def create(self, action: c.Create) -> None:
        """Make groups, each with its parents (cgcreate, mkdir -p), or only itself (mkdir)."""
        if not action.parents:
            self.one_by_one(action.groups, lambda word: self.create_one(word, action))
            return
        for word in action.groups:  # with its parents each can be made
            self.create_one(word, action)

    def create_one(self, word: Word, action: c.Create) -> None:
        """A group: what is there already is a failure to mkdir, and none to the others."""
        parts = word.text.split("/") if word.text else []
        if not parts and not action.parents:
            self.asm.emit(n.OP_STATUS, a=EEXIST)
            self.or_error("", action.word)
        for depth in range(1 if action.parents else max(1, len(parts)), len(parts) + 1):
            name = "/".join(parts[:depth])
            if name not in self.made or action.parents:
                self.made[name] = (word, not action.parents)
            bits = (n.CREATE_MISSING if action.parents else 0) | (n.CREATE_ENABLES if action.enables else 0)
            self.checked(n.OP_CG_CREATE, name, action.word, bits)

    def delete(self, action: c.Delete) -> None:
        """Remove groups, with those below them if they go too."""
        self.one_by_one(action.groups, lambda word: self.delete_one(word, action))

    def delete_one(self, word: Word, action: c.Delete) -> None:
        """A group; the root group is always busy. The tool starts first: a job of the line before is there by then."""
        if self.jobs:
            self.asm.emit(n.OP_SLEEP, a=TOOL_NS)
        if word.text:
            self.checked(n.OP_CG_DELETE, word.text, action.word, n.DELETE_TREE if action.recursive else 0)
        else:
            self.asm.emit(n.OP_STATUS, a=EBUSY)
            self.or_error("", action.word)

    def one_by_one(self, words: Sequence[Word], one: Callable[[Word], None]) -> None:
        """Something for each word. If it fails for one it goes on with the next, and the command has failed."""
        failed: list[int] = []
        for word in words:
            one(word)
            failed.append(self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED) if word is not words[-1] else n.NONE)
        if len(words) == 1:
            return
        end = self.asm.emit(n.OP_JUMP)
        for before, word in zip(failed, words[1:], strict=False):  # the same again, for who has failed before
            self.asm.patch(before, "a", self.asm.here)
            one(word)
        self.asm.emit(n.OP_STATUS, a=1)
        self.asm.patch(end, "a", self.asm.here)

    def set(self, action: c.Set) -> None:
        """Write files; the first that the kernel refuses ends the command, as in cgset."""
        failed: list[int] = []
        last = (action.groups[-1], action.settings[-1])
        for word in action.groups:
            group = self.group(word)
            if not word.text and any(setting.file != n.CG_SUBTREE for setting in action.settings):
                raise word.error("the root group's files cannot be written here", "name a group: A")
            for setting in action.settings:
                prefix = f"{action.word.text}: {word.text or '/'}: {n.CG_FILES[setting.file]}: "
                if setting.note:
                    self.note(setting.word, setting.note)
                self.set_one(group, setting, word)
                ok = self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
                self.host("error", action.word, group, (n.CG_FILES[setting.file],), prefix)
                if (word, setting) != last:
                    failed.append(self.asm.emit(n.OP_JUMP))
                self.asm.patch(ok, "a", self.asm.here)
        for jump in failed:
            self.asm.patch(jump, "a", self.asm.here)

    def set_one(self, group: int, setting: c.Setting, word: Word) -> None:
        """Write a file. What the kernel cannot read is its EINVAL, if the group is there."""
        if setting.value is not None:
            self.asm.emit(n.OP_CG_SET, a=group, b=setting.file, c=setting.value, d=setting.more)
            return
        self.host("exists", word, group, (n.CG_FILES[setting.file],), "")
        missing = self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED)
        self.asm.emit(n.OP_STATUS, a=EINVAL)
        self.asm.patch(missing, "a", self.asm.here)

    def test(self, action: c.Test) -> None:
        """A test of values that only the run shows, or of whether a group is there."""
        if action.group is None:
            self.host("test", action.word, 0, (), "", words=action.words)
        else:
            self.host("test", action.word, self.number(action.group.text), (), "", reads=True, negated=action.negated)

    def adjust(self, action: c.Adjust) -> None:
        """oom_score_adj: the shell's own, which what it starts inherits, or a job's."""
        if action.job is None:
            self.asm.emit(n.OP_OOM_ADJ, a=action.value)
        else:
            self.host("adjust", action.word, 0, (), str(action.value), words=(self.job(action.job),))

    def get(self, action: c.Get) -> None:
        """Show files."""
        if not action.group.text:
            for name in filter(not_on_root, action.files):
                raise action.group.error(f"the root group has no {name}", "name a group: A")
        self.host(action.kind, action.word, self.group(action.group), action.files, action.group.text or "/")

    def checked(self, code: int, name: str, word: Word, bits: int) -> None:
        """An instruction on a group and its parent, and the message for when it fails."""
        self.asm.emit(code, a=self.number(name), b=self.number(name.rpartition("/")[0]), bits=bits)
        self.or_error(name, word)

    def or_error(self, name: str, word: Word) -> None:
        """The message for when the last instruction, on a group, has failed."""
        ok = self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
        self.host("error", word, self.number(name), (), f"{word.text}: {name or '/'}: ")
        self.asm.patch(ok, "a", self.asm.here)

    def host(
        self, kind: str, word: Word, group: int, files: tuple[str, ...], text: str, reads: bool = False, **more: Any
    ) -> None:
        """Let Python print something; an error leaves the status, which is its reason, as it was.

        The group must be there if ``files`` of it are wanted, or with ``reads``.
        """
        bits = n.HOST_KEEPS_STATUS if kind in KEEPING else n.HOST_READS if files or reads else 0
        if bits == n.HOST_READS and any(is_the_controllers(name) for name in files):
            bits = n.HOST_READS_MEMORY
        self.asm.emit(n.OP_HOST, a=len(self.texts), b=group if bits in READS else 0, bits=bits)
        goes = {"out": self.output.out, "err": self.output.err}
        if kind not in KEEPING:
            goes |= {"filters": self.output.filters, "keep": self.output.keep, "pipefail": self.output.pipefail}
        text = JOB.sub(lambda match: f"\0p{self.job(Word(f'%{match[1]}', word.place))}\0", text)
        self.texts.append(HostText(kind, group, files, text, word.place.line or 0, **{**goes, **more}))

    def keep_status(self, word: Word) -> int:
        """The status of now is kept, for ``restore_status``."""
        number = self.scope.live.number(word, "status")
        self.host("status", word, 0, (), "", keep=number)
        return number

    def restore_status(self, word: Word, number: int) -> None:
        """The status is what it was."""
        self.host("restore", word, 0, (), "", words=(str(number),))

    # --- tasks

    def slot(self, place: Place, name: str, subshell: bool = False) -> str:
        """The name of what is started at this place of the script."""
        key = (place, self.rounds, name if subshell else "")
        if key not in self.slots:
            self.uses[name] = self.uses.get(name, 0) + 1
            self.slots[key] = name if self.uses[name] == 1 else f"{name}.{self.uses[name]}"
        return self.slots[key]

    def spawn(self, name: str, slot: str, cpu: int | None = None) -> int:
        """Start a task; its first instruction is patched later."""
        number, bits = self.asm.slot(slot), n.FORK_SHELL | (n.FORK_ANEW if self.endless else 0)
        return self.asm.emit(n.OP_FORK, b=number, c=self.asm.comm(name), d=0 if cpu is None else 1 + cpu, bits=bits)

    def fork(self, name: str, slot: str, cpu: int | None, background: bool) -> int:
        """Start a task and, in the foreground, wait for it."""
        fork = self.spawn(name, slot, cpu)
        if not background:
            self.asm.emit(n.OP_WAIT, a=self.asm.slot(slot))
            return fork
        if slot in self.jobs:
            self.scope.forget_job(1 + self.jobs.index(slot))
        else:
            self.jobs.append(slot)
        self.scope.last_job = job_value(1 + self.jobs.index(slot))
        return fork

    def run(self, action: c.Run, background: bool) -> None:
        """Start a command."""
        slot = self.slot(action.word.place, base_name(action.word))
        if action.manner.timeout_ns is None:
            self.started(action, slot, self.fork(base_name(action.word), slot, action.cpu, background))
            return
        self.started(action, slot, self.spawn(base_name(action.word), slot, action.cpu))
        self.timed(slot, action.manner.timeout_ns, action.word)

    def started(self, action: c.Run, slot: str, fork: int) -> None:
        """What a task that was forked runs."""
        if action.group is not None:
            self.group(action.group)
        action = replace(action, arguments=tuple(self.named_job(word) for word in action.arguments))
        self.stubs.append((fork, action, slot, not self.scope.member))

    def timed(self, slot: str, ns: int, word: Word) -> None:
        """Wait for a task; when the time is over another one kills it and all that it has started (timeout)."""
        watch = self.slot(word.place, "timeout", subshell=True)
        fork, over = self.spawn("timeout", watch), self.asm.emit(n.OP_JUMP)
        self.asm.patch(fork, "a", self.asm.here)
        self.asm.emit(n.OP_SLEEP, a=ns)
        self.asm.emit(n.OP_KILL, a=self.asm.slot(slot), bits=n.KILL_TREE)
        self.asm.emit(n.OP_EXIT)
        self.asm.patch(over, "a", self.asm.here)
        self.asm.emit(n.OP_WAIT, a=self.asm.slot(slot))
        status = self.keep_status(word)
        self.asm.emit(n.OP_KILL, a=self.asm.slot(watch))
        self.asm.emit(n.OP_WAIT, a=self.asm.slot(watch))  # 0: it was in time to kill
        killed = self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
        self.restore_status(word, status)
        end = self.asm.emit(n.OP_JUMP)
        self.asm.patch(killed, "a", self.asm.here)
        self.asm.emit(n.OP_STATUS, a=TIMED_OUT)
        self.asm.patch(end, "a", self.asm.here)

    def classify(self, action: c.Classify) -> None:
        """Move tasks into a group, each without its children."""
        group = self.group(action.group)

        def one(word: Word) -> None:
            if word.text == ITSELF:
                self.asm.emit(n.OP_ATTACH, a=group)
                self.scope.member = action.group.text
            else:
                self.asm.emit(n.OP_CLASSIFY, a=group, b=self.asm.slot(self.job(word)), bits=int(action.threads))
            self.or_error(action.group.text, action.word)

        self.one_by_one(action.jobs, one)

    def wait(self, action: c.Wait) -> None:
        """Wait for some jobs, or for all."""
        if action.jobs is not None:
            for job in action.jobs:
                self.asm.emit(n.OP_WAIT, a=self.asm.slot(self.job(job)))
        elif self.scope.last_job is not None:
            self.asm.emit(n.OP_WAIT, a=n.ALL_CHILDREN)

    def named_job(self, word: Word) -> Word:
        """A word in which a job stands for its task: "/proc/$!/maps"."""
        text = JOB.sub(lambda match: self.job(Word(f"%{match[1]}", word.place)), word.text)
        return Word(text.replace(SHELL_ITSELF, "self"), word.place)

    def job(self, word: Word) -> str:
        """The slot of a background job, "%1"."""
        number = int(word.text[1:])
        if 0 < number <= len(self.jobs):
            return self.jobs[number - 1]
        if self.lost_jobs:
            raise ToldError
        count = f"{len(self.jobs)} so far" if self.jobs else "none so far"
        raise word.error(f"no such background job: {word.text}", f"jobs are started with '&': {count}")


def base_name(word: Word) -> str:
    """A program's name without its directory."""
    return word.text.rpartition("/")[2]


def renumbered(row: Row, numbers: dict[int, int]) -> Row:
    """An instruction with other numbers of groups. What makes or removes one that is never there fails as it would."""
    values = list(row)
    for operand in GROUPS.get(row[0], ""):
        at = 2 + "abcd".index(operand)
        if values[at] not in numbers:
            return (n.OP_STATUS, 0, ENOENT, 0, 0, 0)
        values[at] = numbers[values[at]]
    return (values[0], values[1], values[2], values[3], values[4], values[5])
