"""Instructions that make, limit, show and remove groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from cowpath.kernel import names as n
from cowpath.kernel.state import CLOCK
from cowpath.session import commands as c
from cowpath.session.cgroupfs import not_on_root
from cowpath.session.program.writer import EBUSY, EEXIST, EINVAL, TOOL_NS, Writer, renumbered
from cowpath.words import Word, nearest


def settle_groups(w: Writer) -> tuple[str, ...]:
    """The groups that the script makes, parents first. What was numbered on the way gets its number among them."""
    groups = [""]
    for name, (word, in_a_parent) in w.made.items():
        if in_a_parent and not is_made(w, name.rpartition("/")[0]):
            continue
        parts = name.split("/")
        paths = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
        groups += [path for path in paths if path not in groups]
        if len(groups) > CLOCK.groups:
            w.errors.add(word.error(f"more than {CLOCK.groups - 1} groups", "fewer groups"))
            w.lost_groups = True  # what is missing follows from it
            break
    for word in w.wanted:
        if word.text not in groups and not w.lost_groups:
            make = f"cgcreate -g memory:{word.text} first"
            w.errors.add(word.error(f"no such group: {word.text!r}", nearest(word.text, groups[1:], make)))
    numbers = {number: groups.index(name) for name, number in w.named.items() if name in groups}
    for at, row in enumerate(w.asm.rows):
        w.asm.rows[at] = renumbered(row, numbers)
    w.texts = [replace(text, group=numbers.get(text.group, 0)) for text in w.texts]
    return tuple(groups)


def is_made(w: Writer, name: str) -> bool:
    """Some command of the script makes the group, and those above it."""
    while name:
        if name not in w.made:
            return any(other.startswith(name + "/") and not alone for other, (_, alone) in w.made.items())
        if not w.made[name][1]:
            return True
        name = name.rpartition("/")[0]
    return True


def create(w: Writer, action: c.Create) -> None:
    """Make groups, each with its parents (cgcreate, mkdir -p), or only itself (mkdir)."""
    if not action.parents:
        one_by_one(w, action.groups, lambda word: create_one(w, word, action))
        return
    for word in action.groups:  # with its parents each can be made
        create_one(w, word, action)


def create_one(w: Writer, word: Word, action: c.Create) -> None:
    """A group: what is there already is a failure to mkdir, and none to the others."""
    parts = word.text.split("/") if word.text else []
    if not parts and not action.parents:
        w.asm.emit(n.OP_STATUS, a=EEXIST)
        or_error(w, "", action.word)
    for depth in range(1 if action.parents else max(1, len(parts)), len(parts) + 1):
        name = "/".join(parts[:depth])
        if name not in w.made or action.parents:
            w.made[name] = (word, not action.parents)
        bits = (n.CREATE_MISSING if action.parents else 0) | (n.CREATE_ENABLES if action.enables else 0)
        checked(w, n.OP_CG_CREATE, name, action.word, bits)
        add_fixed(w, name, action.word, n.CG_MADE)


def add_fixed(w: Writer, name: str, word: Word, behind: int) -> None:
    """What is fixed of a group, no command of the script writes, and is to be written behind this."""
    for (group, file), (value, more) in w.fixed.items():
        if group == name and w.added.get((group, file)) == behind:
            w.asm.emit(n.OP_CG_SET, a=w.number(name), b=file, c=value, d=more)
            ok = w.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
            w.host("error", word, w.number(name), (), f"cowpath: {name}: {n.CG_FILES[file]}: ")
            w.asm.patch(ok, "a", w.asm.here)
            w.asm.emit(n.OP_STATUS)


def delete(w: Writer, action: c.Delete) -> None:
    """Remove groups, with those below them if they go too."""
    one_by_one(w, action.groups, lambda word: delete_one(w, word, action))


def delete_one(w: Writer, word: Word, action: c.Delete) -> None:
    """A group; the root group is always busy. The tool starts first: a job of the line before is there by then."""
    if w.jobs:
        w.asm.emit(n.OP_SLEEP, a=TOOL_NS)
    if word.text:
        checked(w, n.OP_CG_DELETE, word.text, action.word, n.DELETE_TREE if action.recursive else 0)
    else:
        w.asm.emit(n.OP_STATUS, a=EBUSY)
        or_error(w, "", action.word)


def one_by_one(w: Writer, words: Sequence[Word], one: Callable[[Word], None]) -> None:
    """Something for each word. If it fails for one it goes on with the next, and the command has failed."""
    failed: list[int] = []
    for word in words:
        one(word)
        failed.append(w.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED) if word is not words[-1] else n.NONE)
    if len(words) == 1:
        return
    end = w.asm.emit(n.OP_JUMP)
    for before, word in zip(failed, words[1:], strict=False):  # the same again, for who has failed before
        w.asm.patch(before, "a", w.asm.here)
        one(word)
    w.asm.emit(n.OP_STATUS, a=1)
    w.asm.patch(end, "a", w.asm.here)


def write_files(w: Writer, action: c.Set) -> None:
    """Write files; the first that the kernel refuses ends the command, as in cgset."""
    failed: list[int] = []
    last = (action.groups[-1], action.settings[-1])
    for word in action.groups:
        group = w.group(word)
        if not word.text and any(setting.file != n.CG_SUBTREE for setting in action.settings):
            raise word.error("the root group's files cannot be written here", "name a group: A")
        for setting in action.settings:
            prefix = f"{action.word.text}: {word.text or '/'}: {n.CG_FILES[setting.file]}: "
            if setting.note:
                w.note(setting.word, setting.note)
            write_file(w, group, setting, word)
            ok = w.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
            w.host("error", action.word, group, (n.CG_FILES[setting.file],), prefix)
            if (word, setting) != last:
                failed.append(w.asm.emit(n.OP_JUMP))
            w.asm.patch(ok, "a", w.asm.here)
            add_fixed(w, word.text, action.word, setting.file)
    for jump in failed:
        w.asm.patch(jump, "a", w.asm.here)


def write_file(w: Writer, group: int, setting: c.Setting, word: Word) -> None:
    """Write a file. What the kernel cannot read is its EINVAL, if the group is there."""
    value, more = w.fixed.get((word.text, setting.file), (setting.value, setting.more))
    if value is not None:
        w.asm.emit(n.OP_CG_SET, a=group, b=setting.file, c=value, d=more)
        return
    w.host("exists", word, group, (n.CG_FILES[setting.file],), "")
    missing = w.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_FAILED)
    w.asm.emit(n.OP_STATUS, a=EINVAL)
    w.asm.patch(missing, "a", w.asm.here)


def test(w: Writer, action: c.Test) -> None:
    """A test of values that only the run shows, or of whether a group is there."""
    if action.group is None:
        w.host("test", action.word, 0, (), "", words=action.words)
    else:
        w.host("test", action.word, w.number(action.group.text), (), "", reads=True, negated=action.negated)


def adjust(w: Writer, action: c.Adjust) -> None:
    """oom_score_adj: the shell's own, which what it starts inherits, or a job's."""
    if action.job is None:
        w.asm.emit(n.OP_OOM_ADJ, a=action.value)
    else:
        w.host("adjust", action.word, 0, (), str(action.value), words=(w.job(action.job),))


def show_files(w: Writer, action: c.Get) -> None:
    """Show files."""
    if not action.group.text:
        for name in filter(not_on_root, action.files):
            raise action.group.error(f"the root group has no {name}", "name a group: A")
    w.host(action.kind, action.word, w.group(action.group), action.files, action.group.text or "/")


def join(w: Writer, group: Word, word: Word) -> None:
    """The task joins a group, or says why not and ends (cgexec)."""
    attach = w.asm.emit(n.OP_ATTACH, a=w.number(group.text))
    w.host("error", word, 0, (), f"cgexec: {group.text or '/'}: ")
    w.asm.emit(n.OP_EXIT, a=1)
    w.asm.patch(attach, "b", w.asm.here - attach - 1)


def checked(w: Writer, code: int, name: str, word: Word, bits: int) -> None:
    """An instruction on a group and its parent, and the message for when it fails."""
    w.asm.emit(code, a=w.number(name), b=w.number(name.rpartition("/")[0]), bits=bits)
    or_error(w, name, word)


def or_error(w: Writer, name: str, word: Word) -> None:
    """The message for when the last instruction, on a group, has failed."""
    ok = w.asm.emit(n.OP_JUMP, bits=n.JUMP_IF_OK)
    w.host("error", word, w.number(name), (), f"{word.text}: {name or '/'}: ")
    w.asm.patch(ok, "a", w.asm.here)
