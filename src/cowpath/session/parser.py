"""From a command's words to what it means. What is not understood is an InputError at its word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cowpath.session import cgtools, file_commands, procfs, shell_commands
from cowpath.session import commands as c
from cowpath.session.docker import docker
from cowpath.session.expand import Expanded
from cowpath.session.filters import FILTERS
from cowpath.session.live import is_live, refuse
from cowpath.session.paths import CgroupFile, File, Ordinary, ProcFile, file_of
from cowpath.session.prefix import PREFIXES, environment, strip
from cowpath.session.scope import JOB, SHELL_ITSELF, Scope
from cowpath.session.sh_c import is_shell, plain_name, started
from cowpath.session.sysctl import sysctl
from cowpath.session.systemd import noted, systemctl, systemd_run
from cowpath.session.tools import TOOLS
from cowpath.words import Word

__all__ = ["COMMANDS", "action", "is_program", "no_jobs"]

Meaning = Callable[[Expanded, Scope], c.Action]
TABLE: dict[str, Meaning] = {
    **shell_commands.TABLE,
    "cgcreate": lambda simple, scope: cgtools.cgcreate(simple),
    "cgset": cgtools.cgset, "cgget": cgtools.cgget,
    "cgdelete": lambda simple, scope: cgtools.cgdelete(simple),
    "cgclassify": cgtools.cgclassify,
    "mkdir": file_commands.mkdir, "rmdir": file_commands.rmdir, "[": file_commands.test, "[[": file_commands.test,
    "test": file_commands.test, "sysctl": sysctl, "systemd-run": systemd_run, "systemctl": systemctl,
    "docker": docker, "podman": docker,
}  # fmt: skip
SAYING = {
    "echo": file_commands.echo, "printf": file_commands.printf, "pwd": file_commands.pwd, "nproc": file_commands.nproc,
    "seq": file_commands.sequence,
}  # fmt: skip
BUILT_IN = (*shell_commands.OWN, "true", "false", "kill", "[", "[[", "test", "echo", "printf", "pwd")  # in any shell
TAKES_JOBS = ("wait", "kill", "cgclassify", "[", "[[", "test")  # those that look at numbers of jobs themselves
TAKES_LIVE = ("[", "[[", "test", "exit", "return", "export", *SAYING)
COMMANDS = (*TABLE, *SAYING, "cat", "grep", "head", "tail", *PREFIXES, *TOOLS, *procfs.READERS, "tee")


def action(simple: Expanded, scope: Scope, background: bool = False) -> c.Action:
    """What a simple command means to a shell that knows ``scope``; ``cd`` changes it. In the background: a program."""
    simple = _with_input(simple, scope)
    words, manner = strip(simple.words)
    inner = replace(simple, words=words)
    found = _meaning(inner, manner, scope, background)
    notes = list(manner.notes)
    if _is_started(found):
        notes += [environment(word.text) for word, _ in simple.assigned]
    return noted(found, notes)


def is_program(simple: Expanded, scope: Scope) -> bool:
    """A command that can be a task of its own: a program, or ``sleep``; not what the shell does, or a shell."""
    words, manner = strip(simple.words)
    name = plain_name(words[0].text)
    if manner.timeout_ns is not None or is_shell(words):
        return False
    if name == "sleep" or _is_of_table(name, scope):
        return True
    return (name not in TABLE and name not in SAYING and name != "cat") or procfs.reads_proc(words)


def _is_of_table(name: str, scope: Scope) -> bool:
    """A program that the session's own table names goes before a command that is one in /usr/bin: logger, date."""
    return name in scope.facts.programs and (name in TABLE or name in SAYING) and name not in BUILT_IN


def _is_started(found: c.Action) -> bool:
    while isinstance(found, c.Noted):
        found = found.action
    return isinstance(found, c.Run | c.Contained)


def _meaning(simple: Expanded, manner: c.Manner, scope: Scope, background: bool) -> c.Action:
    """A command by its name."""
    words, name = simple.words, plain_name(simple.name.text)
    if manner.tool is not None and name in shell_commands.OWN and name != ":":
        raise simple.name.error(f"{manner.tool.text} cannot run {name}, which is the shell's own", f"{name} alone")
    for word in words if name not in TAKES_LIVE else ():
        if is_live(word.text):
            raise refuse(word)
    goal, is_own = _kernel_file(simple, scope), _is_of_table(name, scope)
    if goal is not None and (is_own or name not in SAYING):
        raise goal[0].error(
            "the output of a command cannot be redirected to such a file", "echo VALUE > FILE, printf VALUE > FILE"
        )
    if is_shell(words):
        return started(words, manner)
    if procfs.reads_proc(words):
        return c.Run(words[0], words[1:], manner)
    alone = manner.group is None and manner.cpu is None and manner.timeout_ns is None and manner.oom_score_adj is None
    if name not in TAKES_JOBS and name not in SAYING and goal is None:
        no_jobs(words)
    if is_own:
        return c.Run(words[0], words[1:], manner)
    if name in SAYING and (alone or manner.group is None):
        said = SAYING[name](simple, scope)
        return said if goal is None else file_commands.write(said, goal[0], goal[1], scope)
    if name in FILTERS and manner.group is None and (name == "cat" or len(words) > 1):
        text = file_commands.read_text(simple, scope)
        if text is not None and background:
            raise simple.name.error(f"{name} of such a file is not understood in the background", "without &")
        if text is not None:
            return text
    if name in TABLE and not (name == "sleep" and (background or not alone)):
        if not alone:
            assert manner.tool is not None
            raise simple.name.error(
                f"{name} is not understood behind {manner.tool.text}", f"{name} alone, or sh -c '{name} ...'"
            )
        return TABLE[name](simple, scope)
    return c.Run(words[0], words[1:], manner)


def _kernel_file(simple: Expanded, scope: Scope) -> tuple[Word, File] | None:
    """The file of the kernel's that the output goes to."""
    for to in reversed(simple.redirects):
        if to.stream == 1:
            if to.file is None:
                return None
            file = file_of(to.file, scope)
            return (to.file, file) if isinstance(file, CgroupFile | ProcFile) else None
    return None


def _with_input(simple: Expanded, scope: Scope) -> Expanded:
    """``wc -l < FILE`` is ``wc -l FILE``, but for the name, which is not shown either way."""
    inputs = [to.file for to in simple.redirects if to.stream == 0 and to.file is not None]
    if not inputs or simple.words[-1] in inputs:
        return simple
    file = file_of(inputs[-1], scope)
    if isinstance(file, Ordinary | CgroupFile | ProcFile):
        if plain_name(simple.name.text) not in FILTERS or isinstance(file, Ordinary):
            raise inputs[-1].error(f"a redirected input is not understood here: {inputs[-1].text!r}", "< /dev/null")
        return replace(simple, words=(*simple.words, inputs[-1]))
    return simple


def no_jobs(words: tuple[Word, ...]) -> None:
    """Raise InputError for a word that holds a job's number."""
    for word in words:
        if JOB.search(word.text) or SHELL_ITSELF in word.text:
            raise cgtools.refuse_job(word)
