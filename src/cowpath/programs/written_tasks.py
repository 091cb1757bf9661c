"""Commands of written programs about tasks: who is started, waited for, killed, and where it runs."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel.state import CLOCK
from cowpath.programs.lines import Line, choice, named, number
from cowpath.programs.unit import Call
from cowpath.programs.writer import Writer, command
from cowpath.words import Word, nearest


@command("fork [NAME] [into GROUP]")
def _fork(w: Writer, line: Line) -> None:
    words, group = _into(line)
    _child(w, line, words, 0, group)


@command("thread [NAME]")
def _thread(w: Writer, line: Line) -> None:
    _child(w, line, line.arguments, n.FORK_THREAD, None)


def _child(w: Writer, line: Line, words: tuple[Word, ...], bits: int, group: Word | None) -> None:
    """A child whose lines stand here; the parent jumps over them."""
    name = named(words[0], "a task") if words else None
    fork = w.fork(name, bits)
    jump = w.asm.emit(n.OP_JUMP)
    w.asm.patch(fork, "a", w.asm.here)
    if group is not None:
        _attach(w, group)
    with w.as_task(name, thread=bits == n.FORK_THREAD):
        w.process(line.body)
    w.asm.patch(jump, "a", w.asm.here)


def _into(line: Line) -> tuple[tuple[Word, ...], Word | None]:
    """The words before ``into GROUP``, and the group."""
    words = line.arguments
    if len(words) == 3 and words[1].text != "into":
        raise words[1].error(f"{words[1].text!r} is not understood here", "into GROUP")
    if len(words) == 2 and words[0].text != "into":
        raise words[1].error(f"{words[1].text!r} is not understood here", "into GROUP")
    return (words[:-2], words[-1]) if len(words) > 1 else (words, None)


def _attach(w: Writer, group: Word) -> None:
    """clone3 with CLONE_INTO_CGROUP: what fork itself charges is the parent's; the child begins in the group.

    Where there is no such group, or it has no place for tasks, the child ends with the errno of clone3.
    """
    w.asm.emit(n.OP_ATTACH, a=w.group(group), b=1)
    w.asm.emit(n.OP_EXIT, a=n.EXIT_ERRNO)


@command("start TASK [into GROUP]")
def _start(w: Writer, line: Line) -> None:
    (word,), group = _into(line)
    if word.text not in w.defined:
        raise word.error(f"no task {word.text!r}", nearest(word.text, w.defined, "task NAME ... end defines one"))
    fork = w.fork(word.text)
    if group is None:
        w.starts.append((fork, word))
        return
    over = w.asm.emit(n.OP_JUMP)
    w.asm.patch(fork, "a", w.asm.here)
    _attach(w, group)
    w.starts.append((w.asm.emit(n.OP_JUMP), word))
    w.asm.patch(over, "a", w.asm.here)


@command("run PROGRAM ...")
def _run(w: Writer, line: Line) -> None:
    word, *arguments = line.arguments
    name = word.text.rpartition("/")[2]
    fork = w.fork(name)
    w.calls.append(Call(fork, word, tuple(arguments), name))
    w.asm.emit(n.OP_WAIT, a=w.asm.slot(name))


@command("exec PROGRAM ...")
def _exec(w: Writer, line: Line) -> None:
    word, *arguments = line.arguments
    if w.in_thread:
        raise line.word.error("exec in a thread", "fork ... exec ... end")
    slot = word.text.rpartition("/")[2] if w.task is None else w.task
    w.calls.append(Call(w.asm.emit(n.OP_JUMP), word, tuple(arguments), slot))


@command("wait TASK|any|all [stopped]")
def _wait(w: Writer, line: Line) -> None:
    word, *stopped = line.arguments
    if stopped:
        w.asm.emit(n.OP_WAIT, a=w.slot(word), bits=choice(stopped[0], {"stopped": n.WAIT_STOPPED}))
        return
    fixed = {"any": n.ANY_CHILD, "all": n.ALL_CHILDREN}
    if word.text in fixed:
        w.asm.emit(n.OP_WAIT, a=fixed[word.text])
    else:
        bits = n.FORK_THREAD if word.text in w.threads else 0  # join a thread, or wait for a process
        w.asm.emit(n.OP_WAIT, a=w.own_slot(word), bits=bits)


@command("classify TASK GROUP")
def _classify(w: Writer, line: Line) -> None:
    task, group = line.arguments
    w.asm.emit(n.OP_CLASSIFY, a=w.group(group), b=w.slot(task))


@command("kill TASK [tree|term|stop|cont]")
def _kill(w: Writer, line: Line) -> None:
    kinds = {"tree": n.KILL_TREE, "term": n.KILL_TERM, "stop": n.KILL_STOP, "cont": n.KILL_CONT}
    bits = choice(line.arguments[1], kinds) if len(line.arguments) > 1 else 0
    w.asm.emit(n.OP_KILL, a=w.slot(line.arguments[0]), bits=bits)


@command("cpu number|any")
def _cpu(w: Writer, line: Line) -> None:
    word = line.arguments[0]
    w.asm.emit(n.OP_AFFINITY, a=n.NONE if word.text == "any" else number(word, 0, CLOCK.cpus - 1))


@command("oom_score_adj value")
def _oom_score_adj(w: Writer, line: Line) -> None:
    word = line.arguments[0]
    negative = word.text.startswith("-")
    value = number(Word(word.text[1:], word.place) if negative else word, 0, 1000)
    w.asm.emit(n.OP_OOM_ADJ, a=-value if negative else value)


@command("handle sigbus|nothing")
def _handle(w: Writer, line: Line) -> None:
    w.asm.emit(n.OP_SIGBUS, a=choice(line.arguments[0], {"sigbus": 1, "nothing": 0}))
