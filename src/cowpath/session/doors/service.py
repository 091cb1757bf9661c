"""Units of systemd: a service as the systemd-run that it stands for."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from cowpath.errors import Gathered
from cowpath.session import systemd
from cowpath.session.doors.around import Around, command
from cowpath.session.doors.unit_file import Setting, Unit, drop_ins, read_unit
from cowpath.session.doors.written import Written
from cowpath.session.program.writer import base_name
from cowpath.words import Place, Word, nearest, read_text

MODELLED = (*systemd.FILES, "OOMPolicy", "OOMScoreAdjust")
EXEC = ("ExecStartPre", "ExecStart")  # in this order
USED = (*EXEC, "Type", "Environment", "Slice")
NOT_RUN = ("ExecStartPost", "ExecCondition", "ExecReload", "ExecStop", "ExecStopPost")
LEADING = "-@:+!|"  # before a command: how it is run
SLICE = re.compile(r"[A-Za-z0-9_.:]+(-[A-Za-z0-9_.:]+)*")


def write(unit: Unit, written: Written, around: Around, errors: Gathered) -> None:
    """The session of a service. What is wrong is put by."""
    if not unit.name.endswith(".service"):
        raise unit.place.error(
            f"{unit.name} runs nothing", "a service: app.service; its slice's file is read beside it"
        )
    if unit.name.endswith("@.service"):
        raise unit.place.error(f"{unit.name} is a template", f"an instance of it: {unit.name[:-8]}1.service")
    if "Service" not in unit.sections:
        raise unit.place.error("no [Service] in it", "[Service] with ExecStart=")
    options: list[tuple[str, Place]] = []
    with errors.kept():
        options += _slice(unit, written, errors)
    options += _properties(unit, "Service", written, errors)
    with errors.kept():
        runs = _command(unit, written, around)
        name = unit.name.removesuffix(".service")
        begin = (f"systemd-run --wait --unit={shlex.quote(name)}", unit.place)
        written.command([begin, *options, (runs.text, runs.place)])


def _properties(unit: Unit, section: str, written: Written, errors: Gathered) -> Iterator[tuple[str, Place]]:
    """The settings that systemd-run takes with -p."""
    for name, setting in unit.last_of_each(section).items():
        if name.startswith("Limit") and setting.value.text == "infinity":
            written.ignore(f"{name}=")
        elif name in MODELLED or (name in systemd.REFUSED and name not in (*systemd.LEFT_OUT, *USED)):
            value = _specified(setting.value.text, unit) if "%" in setting.value.text[:-1] else setting.value.text
            yield f"-p {shlex.quote(f'{name}={value}')}", setting.name.place
        elif name in systemd.LEFT_OUT:
            written.note(f"{name}= ({systemd.REFUSED[name]}) is not modelled")
        elif name in NOT_RUN:
            written.note(f"{name}= is not run")
        elif name not in USED:
            _other(setting, written, errors)


def _other(setting: Setting, written: Written, errors: Gathered) -> None:
    """A setting that says nothing of memory, or one that was meant to."""
    name = setting.name.text
    slip = nearest(name, MODELLED)
    if slip is not None and name not in systemd.HARMLESS:
        errors.add(setting.name.error(f"systemd knows no {name}=", slip))
    elif name.startswith(("ManagedOOM", "Startup")):
        written.note(f"{name}= is not modelled")
    elif ("Memory" in name or name.startswith("OOM")) and name not in systemd.HARMLESS:
        errors.add(setting.name.error(f"{name}= is not modelled", f"of memory: {', '.join(MODELLED)}"))
    else:
        written.ignore(f"{name}=")


def _slice(unit: Unit, written: Written, errors: Gathered) -> list[tuple[str, Place]]:
    """--slice=, and the limits of the slices whose files stand beside the unit's."""
    word = unit.last_of("Service", "Slice")
    instance = re.fullmatch(r"([^@]+)@.*\.service", unit.name)
    if word is None and instance is None:
        name, place = "system", unit.place
    elif word is None and instance is not None:
        name, place = f"system-{instance[1]}".replace("\\", "_"), unit.place
    else:
        assert word is not None
        name, place = _specified(word.text, unit).removesuffix(".slice"), word.place
        if SLICE.fullmatch(name) is None:
            raise word.error(f"not a slice's name: {word.text!r}", "Slice=batch.slice")
    parts = name.split("-")
    for depth in range(1, len(parts) + 1):
        _of_slice("-".join(parts[:depth]), unit, written, errors)
    return [] if name == "system" else [(f"--slice={shlex.quote(name)}", place)]


def _of_slice(name: str, unit: Unit, written: Written, errors: Gathered) -> None:
    """The limits of a slice."""
    path = unit.folder / f"{name}.slice"
    if not path.is_file() and not any(drop_ins(path)):
        return
    text = read_text(path) if path.is_file() else "[Slice]\n"
    found = read_unit(path, text, str(path), errors)
    options = [
        (option.removeprefix("-p "), place) for option, place in _properties(found, "Slice", written, errors)
    ]  # fmt: skip
    if options:
        written.add(f"cgcreate -g memory:{systemd.slice_path(name)}", found.place)
        written.command([(f"systemctl set-property {name}.slice", found.place), *options])


def _command(unit: Unit, written: Written, around: Around) -> Word:
    """What the service runs."""
    starts = _separate(unit.all_of("Service", "ExecStart"))
    if not starts:
        raise unit.place.error("no ExecStart= in [Service]", "ExecStart=/usr/bin/make -j4")
    kind = unit.last_of("Service", "Type")
    if len(starts) > 1 and (kind is None or kind.text != "oneshot"):
        raise starts[1].error("a second ExecStart=, which only Type=oneshot may have", "one of them")
    variables = _environment(unit)
    words = [(word, *_words(word, unit, variables)) for word in starts]
    for word in reversed(_separate(unit.all_of("Service", "ExecStartPre"))):
        may_fail, typed = _words(word, unit, variables)
        if around.known(typed, in_shell=True):
            words.insert(0, (word, may_fail, typed))
        else:
            line = shlex.join(each.text for each in typed)[:80]
            written.note(f"ExecStartPre={line}: nobody knows it, and it is not run")
    if len(words) == 1:
        name = re.sub(r"@.*", "", unit.name.removesuffix(".service"))
        return command([name], words[0][2], around, written, starts[0].place)
    lines = []
    for word, may_fail, typed in words:
        line = command([base_name(typed[0])], typed, around, written, word.place, in_shell=True).text
        lines.append(f"{{ {line} || true; }}" if may_fail else line)
    return Word(f"sh -c {shlex.quote(' && '.join(lines))}", starts[0].place)


def _separate(words: list[Word]) -> list[Word]:
    """Commands, also those with a semicolon between them."""
    return [Word(part, word.place) for word in words for part in re.split(r"\s;\s", word.text)]


def _words(word: Word, unit: Unit, variables: dict[str, str]) -> tuple[bool, list[Word]]:
    """Whether a command may fail, and its words: without quotes, specifiers and variables."""
    text = word.text.lstrip(LEADING)
    leading = word.text[: len(word.text) - len(text)]
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise word.error(f"{word.text[:60]!r}: {error}", "quotes in pairs") from None
    if "@" in leading and len(parts) > 1:  # the second word is what the process calls itself
        del parts[1]
    if not parts:
        raise word.error("no command", "ExecStart=/usr/bin/make -j4")
    found: list[str] = []
    for part in parts:
        part = _specified(part, unit)
        if (match := re.fullmatch(r"\$([A-Za-z_]\w*)", part)) is not None:  # split into words
            found += variables.get(match[1], "").split()
        else:
            found.append(re.sub(r"\$\{([A-Za-z_]\w*)\}", lambda each: variables.get(each[1], ""), part))
    if not found:
        raise word.error("no command: its variables are empty", "Environment=NAME=VALUE")
    return "-" in leading, [Word(each, word.place) for each in found]


def _specified(text: str, unit: Unit) -> str:
    """%n, %N, %p, %i, %%: of the unit's name."""
    bare = unit.name.removesuffix(".service")
    prefix, _, instance = bare.partition("@")
    values = {"%": "%", "n": unit.name, "N": bare, "p": prefix, "P": prefix, "i": instance, "I": instance, "j": prefix}
    return re.sub("%(.)", lambda each: values.get(each[1], each[0]), text)


def _environment(unit: Unit) -> dict[str, str]:
    """Environment=: NAME=VALUE, several of them."""
    found: dict[str, str] = {}
    for word in unit.all_of("Service", "Environment"):
        try:
            parts = shlex.split(word.text)
        except ValueError as error:
            raise word.error(f"Environment={word.text[:60]}: {error}", "quotes in pairs") from None
        for part in parts:
            name, _, value = part.partition("=")
            found[name] = value
    return found
