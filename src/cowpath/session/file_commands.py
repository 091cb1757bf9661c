"""Commands on files: echo, printf, tee, cat and what reads text, mkdir, rmdir, [ ], sysctl."""

from __future__ import annotations

import re
from functools import partial

from cowpath.session import cgroupfs, condition, filters
from cowpath.session import commands as c
from cowpath.session.braces import seq
from cowpath.session.cgtools import SHELL, job, refuse_job, setting, task
from cowpath.session.expand import Expanded
from cowpath.session.live import is_live, refuse
from cowpath.session.options import flags, group_name
from cowpath.session.paths import CgroupFile, File, Ordinary, ProcFile, absolute, file_of, group_of
from cowpath.session.prefix import oom_score_adj
from cowpath.session.scope import SHELL_ITSELF, Scope
from cowpath.session.sysctl import sysctl_set
from cowpath.words import Word

SYSCTL = "/proc/sys/"


# --- echo ------------------------------------------------------------------------------------------
def echo(simple: Expanded, scope: Scope) -> c.Say:
    """The text that echo prints."""
    words, end = simple.words[1:], "\n"
    while words and re.fullmatch("-[neE]+", words[0].text):
        end = "" if "n" in words[0].text else end
        words = words[1:]
    return c.Say(simple.name, " ".join(word.text for word in words), end, words[0] if words else None)


def printf(simple: Expanded, scope: Scope) -> c.Say:
    """printf FORMAT WORDS: %s, %d, %%, \\n, \\t."""
    if len(simple.words) < 2:
        raise simple.name.error("printf needs a format", "printf '%s\\n' 64M")
    form, words = simple.words[1], [word.text for word in simple.words[2:]]
    text, count = "", len(re.findall(r"%[sd]", form.text.replace("%%", "")))
    if re.search(r"%[^sd%]|%$|\\[^nt\\]", form.text.replace("%%", "")):
        raise form.error(f"this format is not understood: {form.text!r}", "%s, %d, %%, \\n, \\t")
    given = iter(words)
    for _ in range(max(-(-len(words) // count), 1) if count else 1):
        piece = re.sub(r"%([sd%])", lambda m: "%" if m[1] == "%" else next(given, ""), form.text)
        text += piece.replace("\\n", "\n").replace("\\t", "\t")
    return c.Say(simple.name, text, "", simple.words[-1])


def pwd(simple: Expanded, scope: Scope) -> c.Say:
    """The shell's directory."""
    return c.Say(simple.name, scope.directory)


def nproc(simple: Expanded, scope: Scope) -> c.Say:
    """How many CPUs the machine has."""
    return c.Say(simple.name, str(scope.facts.cpus))


def sequence(simple: Expanded, scope: Scope) -> c.Say:
    """Seq: numbers, a line each."""
    return c.Say(simple.name, "\n".join(map(str, seq(simple.words[1:], simple.name.place))))


def write(said: c.Say, word: Word, file: File, scope: Scope) -> c.Action:
    """What a text does that is written to a file of the kernel: ``word`` is the file, as the script names it."""
    value = Word(said.text.strip(), (said.value or said.word).place)
    if isinstance(file, CgroupFile):
        return _write_group(said, value, file, scope)
    assert isinstance(file, ProcFile)
    if file.task is not None:
        if file.name != "oom_score_adj":
            raise word.error(f"{word.text!r} is not modelled", "/proc/self/oom_score_adj, /proc/$!/oom_score_adj")
        own = file.task.text in ("self", SHELL_ITSELF)
        return c.Adjust(said.word, None if own else job(file.task, scope), oom_score_adj(value))
    name = word.text.removeprefix(SYSCTL).replace("/", ".")
    if not word.text.startswith(SYSCTL):
        raise word.error(f"{word.text!r} is not modelled", f"{SYSCTL}vm/swappiness, {SYSCTL}vm/drop_caches")
    return sysctl_set(said.word, Word(name, word.place), value)


def _write_group(said: c.Say, value: Word, file: CgroupFile, scope: Scope) -> c.Action:
    """A limit, or a task that joins."""
    name, version = file.name, file.version
    if name.text in cgroupfs.TASK_FILES and (version, name.text) != ("v2", "tasks"):
        if len(value.text.split()) != 1:
            raise said.word.error("one task at a time goes into a group", "echo $! > tasks")
        joins = Word(SHELL, value.place) if value.text == "0" else task(value, scope)  # 0: the task that writes
        return c.Classify(said.word, file.group, (joins,), name.text == "cgroup.procs")
    if is_live(value.text):
        raise refuse(value)
    if "\0" in value.text:
        raise refuse_job(value)
    made = setting(name, name.text, value, version)
    return c.Set(said.word, (file.group,), (made,))


def tee(simple: Expanded, source: c.Say, scope: Scope) -> c.Action:
    """``echo VALUE | tee FILES``: the text goes to the files, and is shown."""
    actions: list[c.Action] = []
    for word in simple.words[1:]:
        if word.text in ("-a", "--append"):
            continue
        file = file_of(word, scope)
        if isinstance(file, CgroupFile | ProcFile):
            actions.append(write(source, word, file, scope))
        elif isinstance(file, Ordinary):
            actions.append(c.Noted(word, c.Nothing(word), not_written(file.path)))
    return c.Several(simple.name, (*actions, source))


def not_written(path: str) -> str:
    """What to say of text that goes to an ordinary file."""
    return f"{path}: what commands print is not written to files here, and needs no memory"


# --- text --------------------------------------------------------------------------------------------
def read_text(simple: Expanded, scope: Scope) -> c.Action | None:
    """cat, grep, head, ... FILES of the kernel's; None if they are other files, or none: then it is a program."""
    if simple.name.text == "cat" and len(simple.words) == 1:
        raise simple.name.error("cat needs a file", f"cat {cgroupfs.MOUNT_2}/A/memory.stat")
    if not any(_is_kernels(word, scope) for word in simple.words[1 if simple.name.text == "cat" else -1 :]):
        return None
    if simple.name.text == "cat":
        found, files = None, list(simple.words[1:])
    else:
        found, files = filters.understood(simple)
    gets = tuple(_get(word, file_of(word, scope)) for word in files)
    if found is None:
        merged = _merged(gets)
        return merged[0] if len(merged) == 1 else c.Several(simple.name, merged)
    if len(gets) != 1:
        raise simple.name.error(f"{simple.name.text} reads one file here", f"cat FILES | {simple.name.text}")
    return c.Filtered(simple.name, gets[0], (found,))


def _is_kernels(word: Word, scope: Scope) -> bool:
    """A word that names a file of a group, or of the machine in /proc."""
    if word.text.startswith("-") or "*" in word.text or _of_a_task(word):
        return False
    return isinstance(file_of(word, scope), CgroupFile | ProcFile)


def _of_a_task(word: Word) -> bool:
    """A file of a task, which only cat as a program reads."""
    return word.text.startswith("/proc/") and word.text.split("/")[2] not in ("pressure", "sys", "meminfo")


def _get(word: Word, file: File) -> c.Action:
    if isinstance(file, CgroupFile):
        name = file.name.place.of(partial(cgroupfs.readable, version=file.version), file.name.text)
        return c.Get(Word("cat", word.place), "cat", file.group, (name,))
    if isinstance(file, ProcFile) and file.name == "pressure/memory":
        return c.Pressure(word)
    if isinstance(file, ProcFile):
        raise word.error(f"cat reads only files of tasks in /proc: {word.text!r}", "cat /proc/$!/maps")
    raise word.error(
        f"cat knows only the files of memory cgroups: {word.text!r}",
        f"{cgroupfs.MOUNT_2}/A/memory.stat, {cgroupfs.MOUNTS[0]}/A/memory.stat",
    )


def _merged(gets: tuple[c.Action, ...]) -> tuple[c.Action, ...]:
    """Files of the same group are read at once."""
    found: list[c.Action] = []
    for get in gets:
        last = found[-1] if found else None
        if isinstance(get, c.Get) and isinstance(last, c.Get) and last.group.text == get.group.text:
            found[-1] = c.Get(last.word, last.kind, last.group, (*last.files, *get.files))
        else:
            found.append(get)
    return tuple(found)


# --- directories -------------------------------------------------------------------------------------
def mkdir(simple: Expanded, scope: Scope) -> c.Action:
    """Mkdir [-p] DIRECTORIES."""
    words, given = flags(simple, ("-p", "-v", "-pv", "--parents"))
    groups, note = _directories(simple, words, scope)
    parents = any("p" in flag for flag in given)
    action: c.Action = c.Create(simple.name, groups, parents=parents) if groups else c.Nothing(simple.name)
    return action if note is None else c.Noted(simple.name, action, note)


def rmdir(simple: Expanded, scope: Scope) -> c.Action:
    """Rmdir DIRECTORIES."""
    words, _ = flags(simple, ("-v", "--ignore-fail-on-non-empty"))
    groups, note = _directories(simple, words, scope)
    action: c.Action = c.Delete(simple.name, groups) if groups else c.Nothing(simple.name)
    return action if note is None else c.Noted(simple.name, action, note)


def _directories(simple: Expanded, words: tuple[Word, ...], scope: Scope) -> tuple[tuple[Word, ...], str | None]:
    """The groups that directories are; others have no effect, which the note says."""
    if not words:
        raise simple.name.error(f"{simple.name.text} needs a directory", f"{cgroupfs.MOUNT_2}/A")
    groups, note = [], None
    for word in words:
        path = absolute(word, word.text, scope)
        group = group_of(word, path, scope)
        if group is not None:
            groups.append(group_name(Word(group.text or "/", group.place)))
        elif path.startswith(("/sys/", "/proc/", "/cgroup", "/dev/")):
            raise word.error(
                f"{simple.name.text} knows only memory cgroups: {word.text!r}",
                f"{cgroupfs.MOUNT_2}/A, {cgroupfs.MOUNTS[0]}/A",
            )
        else:
            note = f"{simple.name.text} {path}: no group, and without an effect here"
    return tuple(groups), note


# --- tests -------------------------------------------------------------------------------------------
def test(simple: Expanded, scope: Scope) -> c.Action:
    """[ ... ], test ..., [[ ... ]]."""
    name, words = simple.name.text, simple.words[1:]
    end = {"[": "]", "[[": "]]"}.get(name)
    if end is not None:
        if not words or words[-1].text != end:
            raise simple.name.error(f"{end!r} is missing", condition.EXAMPLES)
        words = words[:-1]
    for word in words:
        if "\0" in word.text and not is_live(word.text):
            raise refuse_job(word)
    texts = tuple(word.text for word in words)
    negated = len(texts) == 3 and texts[0] == "!"
    if len(texts) - negated == 2 and texts[-2] in ("-d", "-e", "-f", "-r", "-w", "-x", "-s"):
        return _is_there(simple, words[-1], texts[-2], negated, scope)
    where = words[0] if words else simple.name
    if any(map(is_live, texts)):
        if len(texts) > 3 or any(text in ("-d", "-e", "-f") for text in texts):
            raise where.error("a value of the run stands in a test of several parts", "[ A -gt B ] && [ C -gt D ]")
        where.place.of(lambda _: condition.status(tuple("1" if is_live(text) else text for text in texts)), "")
        return c.Test(simple.name, texts)
    status = where.place.of(lambda _: condition.status(texts, double=name == "[["), "")
    if status == condition.WRONG:
        raise where.error(f"a number is missing in this test: {' '.join(texts)!r}", condition.EXAMPLES)
    return c.Nothing(simple.name, status)


def _is_there(simple: Expanded, word: Word, kind: str, negated: bool, scope: Scope) -> c.Action:
    """[ -d GROUP ], [ -f FILE ]."""
    path = absolute(word, word.text, scope)
    mounts = {cgroupfs.MOUNT_2: None, f"{cgroupfs.MOUNT_2}/cgroup.controllers": "v2"}
    mounts |= dict.fromkeys(cgroupfs.MOUNTS, "v1")
    if path in mounts:
        version = mounts[path]
        if version is not None and scope.facts.cgroup is None:
            raise word.error(
                "which version of cgroups the machine has is open", '[machine] cgroup = "v2" in the session\'s table'
            )
        return c.Nothing(simple.name, int((version is None or version == scope.facts.cgroup) == negated))
    if (group := group_of(word, path, scope)) is not None and (kind == "-d" or "." not in path.rpartition("/")[2]):
        there = kind in ("-d", "-e", "-r", "-w", "-x")
        return (
            c.Test(simple.name, (), group_name(group), negated) if there else c.Nothing(simple.name, int(not negated))
        )
    if group is not None:
        file = file_of(word, scope)
        assert isinstance(file, CgroupFile)
        if file.name.text in cgroupfs.TABLES[file.version]:
            return c.Test(simple.name, (), file.group, negated)
    raise word.error(f"whether {path!r} is there is not known", condition.EXAMPLES)
