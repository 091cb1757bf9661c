"""Starts the command that is recorded, from under perf: a script of its own, which imports nothing of cowpath.

perf is in a process group of its own, so that Ctrl-C does not reach it; the command goes back into cowpath's, whose
terminal it has. The command joins its group before its exec, so that the group pays for all of it and for nothing else.

Words: the descriptor to report to, the process group, the file to join the memory group by ("" for none), the command.
"""

import contextlib
import json
import os
import signal
import sys

IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)  # they are the command's
DEFAULT_AGAIN = (signal.SIGPIPE, signal.SIGXFSZ)  # which Python ignores
NOT_STARTED = 127


def main() -> None:
    """Start it, wait for it, report: first its pid, then how it ended and what it used, each as a line of JSON."""
    report, group, join, *command = sys.argv[1:]
    with open(int(report), "w", encoding="utf-8", buffering=1) as out:  # noqa: PTH123 - a descriptor
        os.set_inheritable(out.fileno(), False)
        with contextlib.suppress(OSError):  # the group is gone, or of another session
            os.setpgid(0, int(group))
        go, let_go = os.pipe()
        failed, failure = os.pipe()
        pid = os.fork()
        if pid == 0:
            start(command, go, let_go, failure)
        os.close(failure)
        for number in IGNORED:
            signal.signal(number, signal.SIG_IGN)
        if join:
            with open(join, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib is half of this script's start
                file.write(str(pid))
        print(json.dumps({"pid": pid}), file=out)
        os.write(let_go, b"g")
        errno = int(os.read(failed, 16) or 0)
        _, status, used = os.wait4(pid, 0)
        usage = {name: getattr(used, f"ru_{name}") for name in ("minflt", "majflt", "utime", "stime", "maxrss")}
        print(json.dumps({"status": status, "errno": errno, **usage}), file=out)


def start(command: list[str], go: int, let_go: int, failure: int) -> None:
    """Become the command, once it may."""
    os.close(let_go)
    os.read(go, 1)
    for number in DEFAULT_AGAIN:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(failure, str(error.errno).encode())
    os._exit(NOT_STARTED)


if __name__ == "__main__":
    main()
