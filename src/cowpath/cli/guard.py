"""What can go wrong in any command becomes one clear message and the right exit status, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import typer
from typer.core import TyperGroup

from cowpath.cli.helped import Helped
from cowpath.errors import CowpathError, InputErrors
from cowpath.observe.text import visible

INPUT_ERROR = 2
INTERRUPTED = 130  # 128 + SIGINT
USAGE_ERROR = cast(type[Exception], typer.BadParameter.__bases__[0])  # for a command line that it cannot read
NOBODY_READS = 141  # 128 + SIGPIPE: what a shell reports for any command whose reader has gone


@contextmanager
def guarded() -> Iterator[None]:
    """Everything written, or one message on stderr."""
    try:
        yield
        sys.stdout.flush()
    except SystemExit:
        flush_or_fail()
        raise
    except CowpathError as error:
        lines = error.lines if isinstance(error, InputErrors) else (str(error),)
        fail("\ncowpath: ".join(lines), error.exit_status)
    except USAGE_ERROR as error:
        fail(usage_message(error), INPUT_ERROR)
    except KeyboardInterrupt:
        fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        drop_output()
        raise SystemExit(NOBODY_READS) from None
    except OSError as error:
        fail_writing(error)
    except Exception as error:
        from cowpath.kernel import own  # not before the command says how the kernel is to run

        found = own.fault_in(error)
        if found is None:
            raise
        fail(str(found), INPUT_ERROR)


def usage_message(error: Any) -> str:
    """What is wrong with a command line, in the words and the form of every other error. Raises it again if it is no
    error, but a command without a word, which prints its help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        raise error
    message = error.format_message().rstrip(".")
    for begins in (" (", ". "):  # of what Typer proposes
        message, found, hint = message.removesuffix(")").partition(begins)
        if found:
            break
    command = error.ctx.command_path if error.ctx is not None else "cowpath"
    hints = [hint[:1].lower() + hint[1:]] if hint else elsewhere(error)
    return f"{message[:1].lower()}{message[1:]} ({'; '.join([*hints, f'{command} --help'])})"


def elsewhere(error: Any) -> list[str]:
    """Where an option would be one: the first command that has it."""
    option = getattr(error, "option_name", None)
    if option is None or error.ctx is None:
        return []
    commands = getattr(error.ctx.find_root().command, "commands", {})
    having = [name for name, command in commands.items() if any(option in param.opts for param in command.params)]
    return [f"cowpath {name} has it" for name in having[:1]]


def flush_or_fail() -> None:
    """Write out what is left on the way to an exit."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
        raise SystemExit(NOBODY_READS) from None
    except OSError as error:
        fail_writing(error)


def fail(message: str, status: int) -> None:
    """Say what is wrong, and stop."""
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError):
        sys.stderr.write(f"cowpath: {visible(message)}\n")
        sys.stderr.flush()
    raise SystemExit(status)


def fail_writing(error: OSError) -> None:
    """A file or the output could not be written (a full disk), or a file not be read."""
    where = f"{error.filename}: " if error.filename else ""
    drop_output()
    fail(f"{where}{error.strerror or error}", INPUT_ERROR)


def drop_output() -> None:
    """Let what cannot be written go, so that Python does not try again, and complain, on its way out."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class GuardedGroup(Helped, TyperGroup):
    """A group of commands, each of which runs guarded."""

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        """Read the command line (and print the help)."""
        with exits_become_typers(), guarded():
            return super().make_context(*arguments, **named)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with exits_become_typers(), guarded():
            return super().invoke(ctx)


@contextmanager
def exits_become_typers() -> Iterator[None]:
    """Typer's test runner wants its own exit exception."""
    try:
        yield
    except SystemExit as end:
        raise typer.Exit(end.code if isinstance(end.code, int) else 0) from None
