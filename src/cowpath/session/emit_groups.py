"""Instructions that make, limit, show and remove groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cowpath.kernel import names as n
from cowpath.kernel.state import CLOCK
from cowpath.session import commands as c
from cowpath.session.cgroupfs import not_on_root
from cowpath.session.writing import EBUSY, EEXIST, EINVAL, TOOL_NS, Writing, renumbered
from cowpath.words import Word, nearest


@dataclass
class Groups(Writing):
    """Writes what is done with groups."""

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
                self.lost_groups = True  # what is missing follows from it
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
            self.add_fixed(name, action.word, n.CG_MADE)

    def add_fixed(self, name: str, word: Word, behind: int) -> None:
        """What is fixed of a group, no command of the script writes, and is to be written behind this."""
        for (group, file), (value, more) in self.fixed.items():
            if group == name and self.added.get((group, file)) == behind:
                self.asm.emit(n.OP_CG_SET, a=self.number(name), b=file, c=value, d=more)
                ok = self.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
                self.host("error", word, self.number(name), (), f"cowpath: {name}: {n.CG_FILES[file]}: ")
                self.asm.patch(ok, "a", self.asm.here)
                self.asm.emit(n.OP_STATUS)

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
                self.add_fixed(word.text, action.word, setting.file)
        for jump in failed:
            self.asm.patch(jump, "a", self.asm.here)

    def set_one(self, group: int, setting: c.Setting, word: Word) -> None:
        """Write a file. What the kernel cannot read is its EINVAL, if the group is there."""
        value, more = self.fixed.get((word.text, setting.file), (setting.value, setting.more))
        if value is not None:
            self.asm.emit(n.OP_CG_SET, a=group, b=setting.file, c=value, d=more)
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
