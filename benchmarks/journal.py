"""``cowpath diagnose`` of a large journal: text and JSON, with reports among lines of everything else."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tables import Target, show, show_targets

BYTES = 100_000_000
EVERY = 2000  # lines for each report
OTHERS = (
    ("kernel", "usb 1-1: new high-speed USB device number 7 using xhci_hcd"),
    ("kernel", 'audit: type=1400 audit(1700000000.123:45): apparmor="DENIED" operation="open" name="/proc/version"'),
    ("systemd[1]", "Started Session 42 of user root."),
    ("kernel", "IPv4: martian source 255.255.255.255 from 10.0.0.1, on dev eth0"),
    ("sshd[4242]", "Accepted publickey for deploy from 10.1.2.3 port 50022 ssh2: RSA SHA256:abcdefghijklmnopq"),
    ("kernel", "eth0: Link is Up - 1Gbps/Full - flow control rx/tx"),
)
REPORT = (
    "INFO: task httpd:4242 blocked for more than 120 seconds.",
    "httpd         D ffff88007c0e4d40     0  4242   4100 0x00000080",
    "Call Trace:",
    " [<ffffffff814eb4ee>] __mutex_lock_slowpath+0x13e/0x180",
    " [<ffffffff814eb38b>] mutex_lock+0x2b/0x50",
    " [<ffffffff81176cea>] do_truncate+0x5a/0xa0",
    " [<ffffffff8100b0f2>] system_call_fastpath+0x16/0x1b",
)


def text(who: str, what: str, number: int) -> str:
    """A line of ``journalctl -o short``."""
    stamp = f"[{number / 10:12.6f}] " if who == "kernel" else ""
    return f"Jan 12 06:25:{number % 60:02d} web1 {who}: {stamp}{what}\n"


def as_json(who: str, what: str, number: int) -> str:
    """A line of ``journalctl -o json``."""
    name = who.partition("[")[0]
    transport = "kernel" if who == "kernel" else "syslog"
    entry = {"_TRANSPORT": transport, "SYSLOG_IDENTIFIER": name, "PRIORITY": "6", "_HOSTNAME": "web1"}
    return json.dumps(entry | {"__REALTIME_TIMESTAMP": str(1_700_000_000_000_000 + number), "MESSAGE": what}) + "\n"


def write(target: Path, form: Callable[[str, str, int], str]) -> int:
    """Write the journal; how many lines it has."""
    size = number = 0
    with target.open("w", encoding="utf-8") as out:
        while size < BYTES:
            lines = [OTHERS[number % len(OTHERS)]]
            if number % EVERY == 0:
                lines += [("kernel", line) for line in REPORT]
            for who, what in lines:
                size += out.write(form(who, what, number))
            number += 1
    return number


def measure() -> list[Target]:
    """Diagnose both, each in a process of its own."""
    rows, targets = [], []
    for name, form in (("journalctl -o short", text), ("journalctl -o json", as_json)):
        with tempfile.TemporaryDirectory() as folder:
            journal = Path(folder) / "journal"
            lines = write(journal, form)
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "cowpath", "diagnose", str(journal), "--json"], capture_output=True, text=True
            )
            seconds = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError(done.stderr)
        tasks = json.loads(done.stdout)["tasks"]
        rows.append((name, f"{BYTES / 1e6:.0f} MB", f"{lines:,}", str(len(tasks)), f"{seconds:.1f} s"))
        targets.append(Target(f"diagnose of 100 MB, {name}", seconds, 20, " s", most=True))
    show("10. A journal", ("form", "size", "lines", "tasks", "diagnosed in"), rows)
    show_targets(targets)
    return targets
