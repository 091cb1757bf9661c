"""From a session's file to a plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cowpath.kernel import names as n
from cowpath.programs.code import Assembler
from cowpath.programs.unit import Unit
from cowpath.session.compile import SHELL, compile_shell
from cowpath.session.link import Linker
from cowpath.session.plan import MachineSettings, Plan, Start
from cowpath.session.programs import Programs, Row, rows
from cowpath.session.syntax import read_script
from cowpath.session.table import DEFAULT_BYSTANDERS, DEFAULT_SETTLE_NS, Table, load_tables, with_overrides
from cowpath.words import Place, Word, read_text


def load_session(
    path: str | Path,
    *,
    copies: int | None = None,
    bystanders: Sequence[str] | None = None,
    cold: bool | None = None,
    settle: int | None = None,
    settings: MachineSettings | None = None,
) -> Plan:
    """Read a session and its table, and link them with all programs. What is given here wins over the table.

    ``copies`` multiplies the jobs of recorded builds, ``bystanders`` are programs that start at boot outside every
    group, ``cold`` empties the page cache, ``settle`` (ns) is how long the shell sleeps first. Raises InputError.
    """
    path = Path(path)
    text = read_text(path)
    words = None if bystanders is None else tuple(Word(name, Place("bystanders")) for name in bystanders)
    table = with_overrides(load_tables(path), copies=copies, bystanders=words, cold=cold, settle=settle)
    if settings is not None:
        table = with_overrides(table, settings=settings.over(table.settings))
    return plan_session(text, path.name, table, shown=str(path))


def plan_session(text: str, name: str, table: Table | None = None, *, shown: str | None = None) -> Plan:
    """A plan from a script's text. ``shown`` is the file that errors name (default: ``name``)."""
    table = load_tables(None) if table is None else table
    by_default = tuple(Word(program, Place("bystanders")) for program in DEFAULT_BYSTANDERS)
    bystanders = by_default if table.bystanders is None else table.bystanders
    settle = table.settle
    if settle is None:
        settle = DEFAULT_SETTLE_NS if bystanders else 0
    shell = compile_shell(read_script(text, shown or name), settle)

    programs = Programs(table, 1 if table.copies is None else table.copies)
    linker = Linker(programs.find)
    entry = linker.add(shell.unit, "", outside=True)  # first: its commands get the short names
    starts = [_bystander(linker, word) for word in bystanders]
    starts.append(Start(entry, linker.comm(SHELL), n.NONE, n.NONE, bystander=False))
    shell_number = len(starts) - 1
    starts += [_kthread(linker, which) for which in (n.KT_KSWAPD, n.KT_FLUSHER)]
    return Plan(
        name=name,
        source=text,
        ops=linker.image(),
        comms=tuple(linker.comms),
        slots=tuple(linker.slots),
        files=linker.file_plans(table.files, cold=bool(table.cold)),
        groups=shell.groups,
        parents=shell.parents,
        starts=tuple(starts),
        shell=shell_number,
        texts=shell.texts,
        settings=table.settings,
        regions=tuple(linker.regions),
        notes=tuple(programs.notes),
        sources=(*table.sources.items(), *programs.sources.items()),
    )


def _bystander(linker: Linker, word: Word) -> Start:
    """A program that starts at boot; its words may hold arguments ("make -j2")."""
    first, *arguments = (Word(part, word.place) for part in word.text.split() or [""])
    name = first.text.rpartition("/")[2]
    use = linker.new_use(name)
    entry = linker.program(first, tuple(arguments), use, outside=True)
    return Start(entry, linker.comm(name), linker.slot(use), n.NONE, bystander=True)


def _kthread(linker: Linker, which: int) -> Start:
    """A kernel thread: it does one thing for ever."""
    name = n.KT_NAMES[which]
    asm = Assembler(name)
    asm.emit(n.OP_KTHREAD, a=which)
    entry = linker.add(Unit(asm.code()), name, outside=True)
    return Start(entry, linker.comm(name), n.NONE, n.NONE, bystander=False, kthread=which)


def list_programs(session: str | Path | None = None) -> list[Row]:
    """The programs that a session (or any session) can name."""
    if session is not None:
        read_text(Path(session))
    return rows(load_tables(None if session is None else Path(session)))
