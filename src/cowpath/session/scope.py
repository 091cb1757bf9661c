"""What the shell knows at a place of the script: variables, directory, jobs. All of it is known before the run.

Which groups there are is not: commands that make and remove them may fail, and others may do so at the same time.

A background job's number is not: in a value it stands as ``\\0N\\0``, N being the job's number among all background
commands of the script (``%N``). No script can hold a zero byte, so such a value can be passed on, split and compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from cowpath.errors import InputError, ToldError
from cowpath.session.uses import Uses

HOME = "/root"
UNSURE = "\0?\0"  # a value that depends on how a command ended
BROKEN = "\0!\0"  # the value of what is wrong: the error is told already
SHELL_ITSELF = "\0$\0"  # $$
JOB = re.compile("\0([0-9]+)\0")
LOST_JOB = re.compile("\0-[0-9]+\0")  # a job that the loop has started again since


def job_value(number: int) -> str:
    """A job as a variable's value."""
    return f"\0{number}\0"


def readable(text: str) -> str:
    """A text for people: what stands for a number that is not known is shown as it was meant."""
    text = text.replace("\\x00", "\0")  # as repr() writes it
    text = re.sub("\0-?([0-9]+)\0", r"%\1", text)
    return text.replace(SHELL_ITSELF, "$$").replace(UNSURE, "?").replace(BROKEN, "?")


def for_people(error: InputError) -> InputError:
    """The error without what stands for a job's number."""
    if isinstance(error, ToldError) or ("\0" not in str(error) and "\\x00" not in str(error)):
        return error
    hint = None if error.hint is None else readable(error.hint)
    return InputError(readable(error.problem), file=error.file, line=error.line, column=error.column, hint=hint)


@dataclass
class Scope:
    """The shell's knowledge; two places with equal scopes go on in the same way."""

    variables: dict[str, str] = field(default_factory=lambda: {"HOME": HOME})
    directory: str = HOME
    last_directory: str = HOME
    last_job: str | None = None  # $!
    member: str = ""  # the group that the shell itself has joined
    uses: Uses = field(default_factory=Uses, compare=False)  # one for the whole session

    def copy(self) -> Scope:
        """A scope that changes on its own from now on."""
        return replace(self, variables=dict(self.variables))

    def forget_job(self, number: int) -> None:
        """A loop starts this job anew: what names the last one names it no longer."""
        old, new = job_value(number), f"\0-{number}\0"
        self.variables = {name: value.replace(old, new) for name, value in self.variables.items()}

    def joined(self, other: Scope) -> Scope:
        """What is known where two ways through the script meet."""

        def agree(ours: str | None, theirs: str | None) -> str:
            return ours if ours is not None and ours == theirs else UNSURE

        names = self.variables.keys() | other.variables.keys()
        variables = {name: agree(self.variables.get(name), other.variables.get(name)) for name in sorted(names)}
        return Scope(
            variables,
            agree(self.directory, other.directory),
            agree(self.last_directory, other.last_directory),
            self.last_job if self.last_job == other.last_job else UNSURE,
            agree(self.member, other.member),
            self.uses,
        )
