"""``A | B | C`` and ``$(A | B)``: what a command prints goes through others that read text, or is a value."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import replace

from cowpath.errors import Gathered, InputError
from cowpath.kernel.names import PAGE_SIZE
from cowpath.session import commands as c
from cowpath.session import filters
from cowpath.session.expand import Expanded, To, expand_command
from cowpath.session.file_commands import not_written, tee
from cowpath.session.live import is_live, refuse
from cowpath.session.parser import action
from cowpath.session.paths import Ordinary, Stream, file_of
from cowpath.session.prefix import strip
from cowpath.session.scope import Scope
from cowpath.session.shell_word import Part, ShellWord
from cowpath.session.syntax import read_tokens
from cowpath.session.tree import Piped, Simple
from cowpath.words import Word

MACHINES = {"v2": "cgroup2fs", "v1": "tmpfs"}  # what stat -fc %T /sys/fs/cgroup prints


def pipeline(command: Piped, scope: Scope, errors: Gathered) -> tuple[c.Action | None, str | None]:
    """What a pipe does; None for a block, whose commands print as they would alone. If what a program prints would
    matter to nobody but who reads it, a note says so.
    """
    first, *rest = command.commands
    names = [_name(each, pipe, scope) for each, pipe in zip(rest, command.pipes, strict=True)]
    if not isinstance(first, Simple):
        if any(not _passes(each, scope) for each in names):
            raise _refused(command.pipes[0])
        return None, f"{names[0].name.text}: what is shown is what the commands before it print"
    expanded = expand_command(first, scope)
    if expanded is None:
        raise _refused(command.pipes[0])
    source = action(expanded, scope)
    quiet = any(to.stream == 1 for to in expanded.redirects)
    inner = source
    while isinstance(inner, c.Noted):
        inner = inner.action
    if isinstance(inner, c.Run | c.Contained | c.Subshell):
        for each, pipe in zip(names, command.pipes, strict=True):
            if each.name.text not in filters.READS_ALL:
                raise _refused(pipe)
        return source, f"{names[0].name.text}: what programs print is not modelled, and nothing is shown of it"
    if quiet or not isinstance(inner, c.Say | c.Get | c.Pressure | c.Filtered):
        raise _refused(command.pipes[0])
    return _through(source, names, command.pipes, scope), None


def _refused(pipe: ShellWord) -> InputError:
    return pipe.error(
        "a pipe is not understood here: '|'",
        "of what cat, cgget and echo print, to grep, head, tail, wc, cut, awk, sort, tr, tee; else one by one",
    )


def _name(command: object, pipe: ShellWord, scope: Scope) -> Expanded:
    """A command behind a pipe."""
    if not isinstance(command, Simple):
        raise _refused(pipe)
    expanded = expand_command(command, scope)
    if expanded is None:
        raise _refused(pipe)
    words, manner = strip(expanded.words)
    found = replace(expanded, words=words)
    if manner.group is not None or (found.name.text not in filters.FILTERS and found.name.text != "tee"):
        raise _refused(pipe)
    return found


def _passes(each: Expanded, scope: Scope) -> bool:
    """It prints what it reads: cat, tee of a file that is none of the kernel's."""
    files = [file_of(word, scope) for word in each.words[1:] if not word.text.startswith("-")]
    if each.name.text not in ("cat", "tee", "less", "more"):
        return False
    return all(isinstance(file, Ordinary | Stream) for file in files) and not each.redirects


def _through(source: c.Action, names: Sequence[Expanded], pipes: Sequence[ShellWord], scope: Scope) -> c.Action:
    """A text, through filters and tees."""
    for each, pipe in zip(names, pipes, strict=True):
        if each.name.text == "tee":
            source = _tee(source, each, pipe, scope)
            continue
        found, files = filters.understood(each)
        if [word for word in files if word.text != "-"]:
            raise files[0].error(f"{each.name.text} has a file and a pipe to read", "one of both")
        source = c.Filtered(each.name, source, (found,))
    last = names[-1]
    hidden = _hides(last.redirects, scope)
    return c.Filtered(last.name, source, (c.Filter(last.name, filters.HIDE, ()),)) if hidden else source


def _hides(redirects: tuple[To, ...], scope: Scope) -> bool:
    """The last one's output goes nowhere, or to a file."""
    hidden = False
    for to in redirects:
        if to.stream == 1 and to.file is not None:
            file = file_of(to.file, scope)
            if not isinstance(file, Stream | Ordinary):
                raise to.file.error("the output of a pipe cannot go to such a file", "echo VALUE > FILE")
            hidden = not (isinstance(file, Stream) and file.shown)
    return hidden


def _tee(source: c.Action, each: Expanded, pipe: ShellWord, scope: Scope) -> c.Action:
    if isinstance(source, c.Say):
        return tee(each, source, scope)
    for word in each.words[1:]:
        if word.text in ("-a", "--append"):
            continue
        file = file_of(word, scope)
        if not isinstance(file, Ordinary | Stream):
            raise word.error("only what echo and printf print can be written to such a file", "echo VALUE | tee FILE")
        if isinstance(file, Ordinary):
            source = c.Noted(word, source, not_written(file.path))
    return source


# --- $(...) ------------------------------------------------------------------------------------------
def substitution(part: Part, scope: Scope, errors: Gathered) -> str:
    """What ``$(...)`` stands for: a text that is known now, or a value that only the run shows."""
    refusal = part.place.error(
        "a command substitution is not understood here: '$('",
        "write the value itself; of a group's files $(cat FILE) is known, and $(nproc), $(seq 1 5), $(pwd)",
    )
    script = read_tokens(list(part.words), errors)
    if len(script) != 1 or len(script[0].commands) != 1 or script[0].background:
        raise refusal
    (command,) = script[0].commands
    if isinstance(command, Simple):
        expanded = expand_command(command, scope)
        if expanded is None:
            return ""
        words, _ = strip(expanded.words)
        if words[0].text in KNOWN:
            return KNOWN[words[0].text](replace(expanded, words=words), scope)
        does: c.Action | None = action(expanded, scope)
    elif isinstance(command, Piped) and command.pipes and not command.negated:
        does, note = pipeline(command, scope, errors)
        if does is None or note is not None:
            raise refusal
    else:
        raise refusal
    if not isinstance(does, c.Get | c.Pressure | c.Filtered | c.Say):
        raise refusal
    text = part.words[0].text
    return scope.live.keep(Word(text, part.place), does, "(" + " ".join(word.text for word in part.words))


def _said(simple: Expanded, scope: Scope) -> str:
    said = action(simple, scope)
    assert isinstance(said, c.Say)
    return said.text.rstrip("\n")


def _path(part: Callable[[str], str]) -> Callable[[Expanded, Scope], str]:
    """basename, dirname."""

    def of(simple: Expanded, scope: Scope) -> str:
        word = simple.words[-1]
        if len(simple.words) != 2 or is_live(word.text):
            raise refuse(word) if is_live(word.text) else simple.name.error(f"{simple.name.text} takes one path here")
        return part(word.text.rstrip("/") or "/") or "."

    return of


def _id(simple: Expanded, scope: Scope) -> str:
    """id -u, of root."""
    if [word.text for word in simple.words[1:]] not in (["-u"], ["-g"]):
        raise simple.name.error("of id only -u is understood", "id -u")
    return "0"


def _stat(simple: Expanded, scope: Scope) -> str:
    """stat -fc %T /sys/fs/cgroup."""
    if [word.text for word in simple.words[1:]][-1:] not in (
        ["/sys/fs/cgroup"],
        ["/sys/fs/cgroup/"],
    ) or scope.facts.cgroup is None:
        raise simple.name.error(
            "stat is not understood here", 'stat -fc %T /sys/fs/cgroup, with [machine] cgroup = "v2"'
        )
    return MACHINES[scope.facts.cgroup]


def _getconf(simple: Expanded, scope: Scope) -> str:
    known = {"PAGESIZE": PAGE_SIZE, "PAGE_SIZE": PAGE_SIZE, "_NPROCESSORS_ONLN": scope.facts.cpus}
    if simple.words[-1].text not in known:
        raise simple.words[-1].error(f"getconf {simple.words[-1].text} is not known", ", ".join(known))
    return str(known[simple.words[-1].text])


KNOWN: dict[str, Callable[[Expanded, Scope], str]] = {
    **dict.fromkeys(("echo", "printf", "seq", "nproc", "pwd"), _said), "basename": _path(posixpath.basename),
    "dirname": _path(posixpath.dirname), "id": _id, "whoami": lambda simple, scope: "root", "getconf": _getconf,
    "stat": _stat,
}  # fmt: skip
