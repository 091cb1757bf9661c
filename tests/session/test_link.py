"""Linking: what counted from 0 in each program fits the image."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.code import Assembler
from cowpath.programs.unit import Call, Unit
from cowpath.programs.written import compile_written
from cowpath.session.link import Linker
from cowpath.session.load import plan_session
from cowpath.session.table import FileSettings, Table
from cowpath.words import Place, Word


def word(text: str) -> Word:
    return Word(text, Place("t"))


def program(name: str) -> Unit:
    """A program with an operand of every kind that is shifted."""
    asm = Assembler(name)
    asm.emit(n.OP_EXEC, a=1, c=asm.comm(name))
    asm.emit(n.OP_MMAP, a=100, b=4, c=asm.file("common", 4))
    asm.emit(n.OP_MMAP, a=200, b=4, c=n.NONE)
    asm.emit(n.OP_LOOP, a=0)
    asm.emit(n.OP_READ, a=asm.file(f"{name}.data", 8), b=0, c=1, d=n.NONE)
    asm.emit(n.OP_NEXT, a=0, b=5, c=4)
    asm.emit(n.OP_FORK, a=9, b=asm.slot("child"), c=asm.comm("child"))
    asm.emit(n.OP_WAIT, a=n.ANY_CHILD)
    asm.emit(n.OP_KILL, a=asm.slot("child"))
    asm.emit(n.OP_EXIT)
    return Unit(asm.code())


def test_relocation() -> None:
    units = {name: program(name) for name in ("p", "q")}
    linker = Linker(lambda name, _: units[name.text])
    assert linker.program(word("p"), (), "p", outside=True) == 0
    assert linker.program(word("q"), (), "q", outside=False) == 10
    assert linker.program(word("q"), (), "q.2", outside=False) == 20  # it has slots: a use of its own
    ops = linker.image()
    assert list(ops["a"][ops["code"] == n.OP_EXEC]) == [1, 11, 21]
    assert list(ops["c"][ops["code"] == n.OP_EXEC]) == [0, 2, 2]
    assert list(ops["c"][ops["code"] == n.OP_MMAP]) == [0, n.NONE] * 3
    assert list(ops["a"][ops["code"] == n.OP_READ]) == [1, 2, 2]
    assert list(ops["c"][ops["code"] == n.OP_NEXT]) == [4, 14, 24]
    assert list(ops["a"][ops["code"] == n.OP_FORK]) == [9, 19, 29]
    assert list(ops["c"][ops["code"] == n.OP_FORK]) == [1, 1, 1]
    assert list(ops["a"][ops["code"] == n.OP_WAIT]) == [n.ANY_CHILD] * 3
    slots = [list(linker.slots).index(f"{use}.child") for use in ("p", "q", "q.2")]
    assert list(ops["b"][ops["code"] == n.OP_FORK]) == slots
    assert list(ops["a"][ops["code"] == n.OP_KILL]) == slots
    assert list(linker.comms) == ["p", "child", "q"]
    warm = {plan.name: plan.warm for plan in linker.file_plans({}, cold=False)}
    assert warm == {"common": True, "p.data": True, "q.data": False}
    assert not any(plan.warm for plan in linker.file_plans({}, cold=True))


def test_a_program_without_slots_is_linked_once() -> None:
    unit = compile_written("readf @a 0 4\n", "p.prog", "p")
    linker = Linker(lambda *_: unit)
    assert linker.program(word("p"), (), "p", outside=False) == linker.program(word("p"), (), "p.2", outside=True)
    assert linker.file_plans({}, cold=False)[0].warm  # one of its uses is outside


def test_tables_say_more_of_files() -> None:
    linker = Linker(lambda *_: compile_written("mapf m @a 8 r private\nreadf @b 0 1\nwritef @b 10 6", "p.prog", "p"))
    linker.program(word("p"), (), "p", outside=False)
    a, b = linker.file_plans({"a": FileSettings(word("a"), pages=4, warm=True)}, cold=False)
    assert (a.pages, a.room, a.warm) == (4, 8, True)
    assert (b.pages, b.room, b.warm) == (1, 16, False)
    with pytest.raises(InputError, match=r"t: no program of the session uses the file 'bb' \(did you mean b\?\)"):
        linker.file_plans({"bb": FileSettings(word("bb"))}, cold=False)


def test_fadvise_of_a_whole_file_has_no_number_of_pages() -> None:
    programs = {"p": "fadv @a dontneed", "q": "writef @a 0 100"}
    linker = Linker(lambda name, _: compile_written(programs[name.text], "x.prog", name.text))
    for name in programs:
        linker.program(word(name), (), name, outside=False)
    ops = linker.image()
    assert list(ops["c"][ops["code"] == n.OP_FADVISE]) == [n.NONE]  # all that the file has by then


def test_tasks_of_other_programs() -> None:
    programs = {"p": "readproc q.child", "q": "fork child\nend\nwait all"}
    linker = Linker(lambda name, _: compile_written(programs[name.text], "x.prog", name.text))
    linker.program(word("p"), (), "p", outside=True)
    with pytest.raises(InputError, match=r"x.prog:1:10: no task of the session is called 'q.child'"):
        linker.image()
    linker.program(word("q"), (), "q", outside=False)
    ops = linker.image()
    forks = ops[ops["code"] == n.OP_FORK]
    assert ops["a"][ops["code"] == n.OP_READ_PROC][0] == forks["b"][0]


def test_programs_run_programs() -> None:
    programs = {"p": "run q\nrun q", "q": "touch x 0 1 1 r\nanon x 1"}
    linker = Linker(lambda name, _: compile_written(programs[name.text], "x.prog", name.text))
    linker.program(word("p"), (), "p", outside=True)
    ops = linker.image()
    assert list(ops["a"][ops["code"] == n.OP_FORK]) == [6, 6]


def test_programs_that_run_themselves() -> None:
    linker = Linker(lambda *_: compile_written("run p", "x.prog", "p"))
    with pytest.raises(InputError, match=r"x.prog:1:5: programs run each other without end: 'p'"):
        linker.program(word("p"), (), "p", outside=True)


def test_a_call_may_be_outside() -> None:
    asm = Assembler("sh")
    call = Call(asm.emit(n.OP_JUMP), word("p"), (), "p", outside=False)
    linker = Linker(lambda *_: program("p"))
    linker.add(Unit(asm.code(), (call,)), "", outside=True)
    assert linker.used_outside == set()


def test_the_same_session_gives_the_same_plan() -> None:
    text = "sleep 1 & cgcreate -g memory:A; cgexec -g memory:A sleep 2; wait"
    first, second = (plan_session(text, "s.sh", Table(bystanders=())) for _ in range(2))
    assert first.ops.tobytes() == second.ops.tobytes()
    plain = [{k: v for k, v in asdict(plan).items() if k != "ops"} for plan in (first, second)]
    assert plain[0] == plain[1]
    assert np.array_equal(first.ops, second.ops)
