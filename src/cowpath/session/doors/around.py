"""What is known around a file that stands for a session: the machine, the programs, the variables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cowpath.session.doors.written import Written
from cowpath.session.parser import COMMANDS
from cowpath.session.programs import is_another
from cowpath.session.sh_c import SHELLS, is_shell
from cowpath.session.table import PACKAGED, Table
from cowpath.session.writing import base_name
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

    def known(self, words: Sequence[Word]) -> bool:
        """It is known what these words run."""
        name = base_name(words[0])
        entry = self.table.programs.get(name)
        if is_shell(tuple(words)):
            return True
        packaged = entry is not None and entry.table == PACKAGED and entry.kind == "recording"
        if entry is not None and packaged and len(words) > 1 and is_another(entry):
            return False
        return entry is not None or (name in COMMANDS and name not in SHELLS) or name == "sleep"

    def own(self, name: str) -> bool:
        """The caller, or the table beside the file, says what this name is."""
        entry = self.table.programs.get(name)
        return entry is not None and entry.table != PACKAGED


def command(names: Sequence[str], typed: Sequence[Word], around: Around, written: Written, place: Place) -> Word:
    """What runs in a container or a unit, as words of the shell. ``place`` is where it stands, if nothing is ``typed``.

    What the caller names goes first: the command's own program, then ``names[0]`` (the container, the unit). Then what
    is typed, if it is known; then the other names (the image's). What nobody knows is called by the first name.
    """
    line = shlex.join(word.text for word in typed)
    place = typed[0].place if typed else place
    first = names[0]
    if typed and (around.own(base_name(typed[0])) or (not around.own(first) and around.known(typed))):
        return Word(line, place)
    if not typed:
        known = next((name for name in names if around.own(name) or name in around.table.programs), first)
        return Word(shlex.quote(known), place)
    name = next((name for name in names if around.own(name)), first)
    written.comment(f"{name} stands for {line if len(line) <= SHOWN else line[: SHOWN - 3] + '...'}")
    takes = around.own(name) and around.table.programs[name].kind == "build"
    return Word(shlex.join([name, *(word.text for word in typed[1:])]) if takes else shlex.quote(name), place)


def image_name(image: str) -> str:
    """The last word of an image's name: docker.io/library/redis:7 is redis."""
    return re.sub(r"[:@].*", "", image.rpartition("/")[2])
