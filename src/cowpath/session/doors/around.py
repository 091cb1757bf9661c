"""What is known around a file that stands for a session: the machine, the programs, the variables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cowpath.errors import InputError
from cowpath.session.commands import Manner, Subshell
from cowpath.session.doors.written import Written
from cowpath.session.parser import COMMANDS
from cowpath.session.procfs import READERS
from cowpath.session.program.compile import compile_shell
from cowpath.session.program.writer import base_name
from cowpath.session.programs import is_another
from cowpath.session.sh_c import is_shell, started
from cowpath.session.table import PACKAGED, Table
from cowpath.session.tools import TOOLS
from cowpath.words import Place, Word

SHOWN = 100  # characters of a command in a comment


@dataclass(frozen=True)
class Around:
    """``version`` is the version of cgroups that the machine has."""

    version: str
    memory: int  # bytes
    table: Table
    environment: Mapping[str, str]
    memory_qos: bool = True  # of the kubelet: feature gate MemoryQoS

    def known(self, words: Sequence[Word], in_shell: bool = False) -> bool:
        """It is known what these words run: a program, or a shell whose script is understood; in a shell, commands."""
        name = base_name(words[0])
        entry = self.table.programs.get(name)
        if is_shell(tuple(words)):
            return _understood(words)
        packaged = entry is not None and entry.table == PACKAGED and entry.kind == "recording"
        if entry is not None and packaged and len(words) > 1 and is_another(entry):
            return False
        if entry is not None or name in (*TOOLS, *READERS, "sleep"):
            return True
        script = shlex.join(word.text for word in words)
        return (
            in_shell and name in COMMANDS and _understood([Word(each, words[0].place) for each in ("sh", "-c", script)])
        )

    def own(self, name: str) -> bool:
        """The caller, or the table beside the file, says what this name is."""
        entry = self.table.programs.get(name)
        return entry is not None and entry.table != PACKAGED


def _understood(words: Sequence[Word]) -> bool:
    """The script of ``sh -c``; whether there are programs of its names is another question."""
    try:
        does = started(tuple(words), Manner())
        if isinstance(does, Subshell):
            compile_shell(does.script, 0)
    except InputError:
        return False
    return True


def command(
    names: Sequence[str],
    typed: Sequence[Word],
    around: Around,
    written: Written,
    place: Place,
    in_shell: bool = False,
) -> Word:
    """What runs in a container or a unit, as words of the shell. ``place`` is where it stands, if nothing is ``typed``.

    What the caller names goes first: the command's own program, then ``names[0]`` (the container, the unit). Then what
    is typed, if it is known; then the other names (the image's). What nobody knows is called by the first name.
    """
    line = shlex.join(word.text for word in typed)
    place = typed[0].place if typed else place
    first, own = names[0], (name for name in names if around.own(name))
    if typed and (around.own(base_name(typed[0])) or (not around.own(first) and around.known(typed, in_shell))):
        return Word(line, place)
    if not typed:
        image = names[-1] if names[-1] in around.table.programs else first
        return Word(shlex.quote(next(own, image)), place)
    name = next(own, first)
    written.comment(f"{name} stands for {line if len(line) <= SHOWN else line[: SHOWN - 3] + '...'}")
    takes = around.own(name) and around.table.programs[name].kind == "build"
    return Word(shlex.join([name, *(word.text for word in typed[1:])]) if takes else shlex.quote(name), place)


def image_name(image: str) -> str:
    """The last word of an image's name: docker.io/library/redis:7 is redis."""
    return re.sub(r"[:@].*", "", image.rpartition("/")[2])
