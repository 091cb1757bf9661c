"""From a session's file to a plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cowpath.engine.machine import DEFAULT_CPUS, DEFAULT_MEMORY
from cowpath.errors import Gathered, InputError, ToldError
from cowpath.kernel import names as n
from cowpath.kinds import ARGUMENTS, check_kind
from cowpath.programs.code import Assembler
from cowpath.programs.unit import Unit
from cowpath.session.cgroupfs import MOUNT_2, MOUNTS
from cowpath.session.doors.around import Around
from cowpath.session.doors.door import is_door, session_of
from cowpath.session.doors.written import Written
from cowpath.session.fixed import NONE, Fixed, to_add
from cowpath.session.given import OPTION, check_used, with_programs
from cowpath.session.link import Linker
from cowpath.session.parser import COMMANDS
from cowpath.session.plan import FilePlan, MachineSettings, Plan, Start
from cowpath.session.program.compile import SHELL, Shell, compile_shell
from cowpath.session.programs import LISTS, Programs, Row, rows
from cowpath.session.scope import Facts, Scope, for_people
from cowpath.session.syntax import read_script
from cowpath.session.table import DEFAULT_BYSTANDERS, DEFAULT_SETTLE_NS, PACKAGED, Table, load_tables, with_overrides
from cowpath.session.tree import Script
from cowpath.session.uses import VERSIONS
from cowpath.words import Place, Word, read_text

NOTHING: Mapping[str, str] = {}


def load_session(
    path: str | Path,
    *,
    table: str | Path | None = None,
    copies: int | None = None,
    bystanders: Sequence[str] | None = None,
    cold: bool | None = None,
    settle: int | None = None,
    settings: MachineSettings | None = None,
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] = NOTHING,
    programs: Sequence[str] = (),
    interfaces: Collection[str] = VERSIONS,
    fixed: Fixed = NONE,
) -> Plan:
    """Read a session and its table, and link them with all programs. What is given here wins over the table.

    A session is a file, or "-" for standard input; ``table`` is its table, if that is not beside it. ``copies``
    multiplies the jobs of recorded builds, ``bystanders`` are programs that start at boot outside every group, ``cold``
    empties the page cache, ``settle`` (ns) is how long the shell sleeps first. ``programs`` are "NAME=RECORDING".
    ``interfaces`` are the versions of cgroups that the kernel may have, for commands that know several; ``fixed`` holds
    whatever the script says.

    A file that stands for a session (a pod, a compose file, a unit) is read as that. Raises InputError.
    """
    path = Path(path)
    text = read_text(path)
    stands_for_one = is_door(path, text)
    if not stands_for_one:
        check_kind(path, text, "a session")
    if arguments and (stands_for_one or ARGUMENTS.search(text) is None):
        raise InputError(f"the session reads no arguments: {arguments[0]!r}", file=path, hint="$1, $2, $@ in a script")
    words = None if bystanders is None else tuple(Word(name, Place("bystanders")) for name in bystanders)
    tables, table_errors = tables_of(path, table, programs, settings)
    tables = with_overrides(tables, copies=copies, bystanders=words, cold=cold, settle=settle)
    piped = str(path) in ("-", "/dev/stdin") or path.parent == Path("/dev/fd")
    hint = f"{LISTS}; --table FILE names those of a session that is no file" if piped and table is None else LISTS
    name, shown = ("stdin", "stdin") if piped else (path.name, str(path))
    written = Written()
    if stands_for_one:
        written = session_of(path, text, shown, around(tables, environment, interfaces))
        text, hint = written.text(), f"{OPTION} NAME=RECORDING says what it is; {LISTS}"
    try:
        plan = plan_session(
            text,
            name,
            tables,
            shown=shown,
            lists=hint,
            wrong=table_errors.found,
            arguments=arguments,
            environment=environment,
            interfaces=interfaces,
            fixed=fixed,
        )
    except InputError as error:
        raise written.at_its_place(error, shown) from None
    return replace(plan, notes=(*written.notes, *map(written.note_at_its_place, plan.notes)))


def tables_of(
    session: Path, own: str | Path | None, programs: Sequence[str], settings: MachineSettings | None
) -> tuple[Table, Gathered]:
    """The session's tables with the caller's programs and settings, and what is wrong in them."""
    errors = Gathered()
    tables = Table()
    with errors.kept():
        tables = load_tables(session, None if own is None else Path(own))
    with errors.kept():
        tables = with_programs(tables, programs)
    if settings is not None:
        tables = with_overrides(tables, settings=settings.over(tables.settings))
    return tables, errors


def around(
    table: Table, environment: Mapping[str, str], interfaces: Collection[str], memory_qos: bool = True
) -> Around:
    """What is known around a file that stands for a session."""
    version = table.settings.cgroup or ("v2" if "v2" in interfaces else "v1")
    return Around(version, table.settings.memory or DEFAULT_MEMORY, table, environment, memory_qos)


def plan_session(
    text: str,
    name: str,
    table: Table | None = None,
    *,
    shown: str | None = None,
    lists: str = LISTS,
    wrong: Sequence[InputError] = (),
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] = NOTHING,
    interfaces: Collection[str] = VERSIONS,
    fixed: Fixed = NONE,
) -> Plan:
    """A plan from a script's text. ``shown`` is the file that errors name (default: ``name``).

    ``lists`` says where the programs are listed, for who names another. ``wrong`` are the errors of the table: they
    are told with those of the script, and no program is unknown then.
    """
    table = load_tables(None) if table is None else table
    by_default = tuple(Word(program, Place("bystanders")) for program in DEFAULT_BYSTANDERS)
    bystanders = by_default if table.bystanders is None else table.bystanders
    settle = table.settle
    if settle is None:
        settle = DEFAULT_SETTLE_NS if bystanders else 0
    errors = Gathered(for_people)
    script = read_script(text, shown or name, errors)

    def known() -> Scope:
        return known_of(text, name, table, arguments, environment, interfaces)

    shell = _shell(script, settle, errors, known, text, fixed)
    programs = Programs(table, 1 if table.copies is None else table.copies, lists, COMMANDS, fixed)
    linker = Linker(unknown if wrong else programs.find, errors, shell.groups)
    entry = linker.add(shell.unit, "", outside=True)  # first: its commands get the short names
    starts: list[Start] = []
    for word in bystanders:
        with errors.kept():
            starts.append(_bystander(linker, word))
    shell_number = len(starts)
    starts.append(Start(entry, linker.comm(SHELL), n.NONE, n.NONE, bystander=False))
    starts += [_kthread(linker, which) for which in (n.KT_KSWAPD, n.KT_FLUSHER)]
    ops = linker.image()
    files: tuple[FilePlan, ...] = ()
    for group in linker.cloned_into:
        shell.uses.note("v2", Word(f"into {group.text}", group.place))
    errors.found[:0] = wrong
    if (mixed := shell.uses.check(table.settings.cgroup)) is not None:
        errors.add(mixed)
    if not errors:  # else files may only seem to be unused
        files = linker.file_plans(table.files, cold=bool(table.cold))
        with errors.kept():
            check_used(table, programs.asked)
    errors.tell()
    programs.check_fixed()
    return Plan(
        name=name,
        source=text,
        ops=ops,
        comms=tuple(linker.comms),
        slots=tuple(linker.slots),
        files=files,
        groups=shell.groups,
        parents=shell.parents,
        starts=tuple(starts),
        shell=shell_number,
        texts=shell.texts,
        settings=table.settings,
        regions=tuple(linker.regions),
        notes=(*([] if script else ["the session has no command"]), *shell.notes, *programs.notes),
        interfaces=frozenset(shell.uses) | ({table.settings.cgroup} if table.settings.cgroup else set()),
        meant=tuple(shell.uses.items()),
        cloned_into=next(iter(linker.cloned_into), None),
        sources=(*table.sources.items(), *programs.sources.items()),
    )


def _shell(script: Script, settle: int, errors: Gathered, known: Callable[[], Scope], text: str, fixed: Fixed) -> Shell:
    """The script as instructions. What is ``fixed`` holds whatever the script writes; what it never writes comes behind
    it, which is known only when it has been read once. ``known`` makes what the shell knows at the start.
    """

    def compiled(added: Mapping[tuple[str, int], int] | None = None) -> Shell:
        scope = known()
        for version, word in fixed.named():
            scope.uses.note(version, word)
        return compile_shell(script, settle, errors, scope, text, values, added)

    values = fixed.values(known().facts.cgroup)
    shell = compiled()
    if values and not errors:
        fixed.check_groups(shell.groups)
        if added := to_add(values, shell.unit.code.ops, shell.groups):
            return compiled(added)
    return shell


def known_of(
    text: str,
    name: str,
    table: Table,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    interfaces: Collection[str] = VERSIONS,
) -> Scope:
    """What the shell knows at the start: the machine, its arguments, and its environment."""
    settings = table.settings
    only = next(iter(interfaces)) if len(interfaces) == 1 else None
    facts = Facts(
        settings.cpus or DEFAULT_CPUS, settings.memory or DEFAULT_MEMORY, settings.swap or 0,
        settings.cgroup or version_of(text) or only, name,
        frozenset(each for each, entry in table.programs.items() if entry.table != PACKAGED),
    )  # fmt: skip
    scope = Scope(arguments=tuple(arguments), facts=facts)
    scope.variables |= environment
    scope.exported |= environment.keys()
    return scope


def version_of(text: str) -> str | None:
    """The version of cgroups whose names a script has, if it has those of one only."""
    v1 = re.search(rf"{'|'.join(MOUNTS)}|memory\.(memsw\.)?(limit|usage|max_usage)_in_bytes|memory\.oom_control", text)
    v2 = re.search(rf"{MOUNT_2}/(?!memory\b)|memory\.(max|high|low|min|peak|current|events)\b", text)
    return None if bool(v1) == bool(v2) else "v1" if v1 else "v2"


def unknown(word: Word, arguments: tuple[Word, ...]) -> Unit:
    """No program is known, for the table is wrong."""
    raise ToldError


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


def list_programs(session: str | Path | None = None, table: str | Path | None = None) -> list[Row]:
    """The programs that a session (or any session) can name."""
    if session is not None:
        text = read_text(Path(session))
        if not is_door(Path(session), text):
            check_kind(session, text, "a session")
    return rows(load_tables(None if session is None else Path(session), None if table is None else Path(table)))
