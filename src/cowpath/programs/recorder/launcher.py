"""Starts the command that is recorded, from under perf: a script of its own, which imports nothing of cowpath.

perf is in a process group of its own, so that Ctrl-C does not reach it; the command goes back into cowpath's, whose
terminal it has. The launcher is in the memory group only while it starts the command, by vfork: so the group pays for
all that the command does, and for a few pages of the launcher's at most.

perf record puts folders of its own before PATH, and sets PREFIX and more; the command gets the environment that
cowpath has.

Words: the descriptor to report to, the file with the environment (JSON), the process group, the files to join the
memory group and to leave it by ("" for none), the command.
"""

import contextlib
import json
import os
import signal
import sys
import time

IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)  # they are the command's
DEFAULT_AGAIN = (*IGNORED, signal.SIGPIPE, signal.SIGXFSZ)  # Python ignores the last two
OWN_PID = "0"  # who writes it


def main() -> None:
    """Start it, wait for it, report: first its pid, then how it ended and what it used, each as a line of JSON."""
    report, environment, process_group, join, leave, *command = sys.argv[1:]
    with open(int(report), "w", encoding="utf-8", buffering=1) as out:  # noqa: PTH123 - a descriptor
        os.set_inheritable(out.fileno(), False)
        with open(environment, encoding="ascii") as variables:  # noqa: PTH123 - pathlib is half of this script's start
            os.environ.clear()
            os.environ.update(json.load(variables))
        with contextlib.suppress(OSError):  # it is gone, or of another session
            os.setpgid(0, int(process_group))
        for number in IGNORED:
            signal.signal(number, signal.SIG_IGN)
        begin_ns = time.monotonic_ns()
        try:
            pid = start(command, join, leave)
        except OSError as error:
            print(json.dumps({"errno": error.errno}), file=out)
            return
        print(json.dumps({"pid": pid, "launcher": os.getpid(), "begin_ns": begin_ns}), file=out)
        _, status, used = os.wait4(pid, 0)
        end_ns = time.monotonic_ns()
        usage = {name: getattr(used, f"ru_{name}") for name in ("minflt", "majflt", "utime", "stime", "maxrss")}
        print(json.dumps({"status": status, "end_ns": end_ns, **usage}), file=out)


def start(command: list[str], join: str, leave: str) -> int:
    """The command's pid; it is in the memory group, and this process is not any more."""
    write(join)
    try:
        return os.posix_spawnp(command[0], command, os.environ, setsigdef=DEFAULT_AGAIN)
    finally:
        write(leave)


def write(file: str) -> None:
    """Go into a group, by its file."""
    if file:
        with open(file, "w", encoding="ascii") as tasks:  # noqa: PTH123
            tasks.write(OWN_PID)


if __name__ == "__main__":
    main()
