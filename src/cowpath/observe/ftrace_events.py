"""The tracepoints that a run is written as: their fields, and how they read.

Names, fields and words are the kernel's (include/trace/events/sched.h, oom.h, vmscan.h, cgroup.h, exceptions.h;
kernel/trace/trace_entries.h; as of Linux 6.8), but that addresses are no symbols. ``print`` is what somebody has
written to trace_marker. The numbers of the tracepoints are ours: each kernel has others.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Any

COMM_LENGTH = 15  # TASK_COMM_LEN, without the zero at its end
STATES = {0x0: "R", 0x1: "S", 0x2: "D", 0x20: "Z"}  # TASK_RUNNING, _INTERRUPTIBLE, _UNINTERRUPTIBLE, EXIT_ZOMBIE
MARKER = "tracing_mark_write"  # the function that writes ``print``
MARKER_AT = 0xFFFFFFFF81000000  # its address: where the kernel's text begins

# how a kind of field is declared in C; its size, its alignment, whether it has a sign, its code in ``struct``
KINDS = {
    "comm": ("char {}[16]", 16, 1, 0, "16s"),
    "pid": ("pid_t {}", 4, 4, 1, "i"),
    "int": ("int {}", 4, 4, 1, "i"),
    "state": ("long {}", 8, 8, 1, "q"),
    "ulong": ("unsigned long {}", 8, 8, 0, "Q"),
    "u64": ("u64 {}", 8, 8, 0, "Q"),
    "symbol": ("unsigned long {}", 8, 8, 0, "Q"),  # an address that is shown as a function's name
    "string": ("__data_loc char[] {}", 4, 4, 0, "I"),  # the text stands behind the fields: length << 16 | offset
    "rest": ("char {}[]", 0, 1, 0, ""),  # and here it is all that is left of the record
}
COMMON = (
    ("unsigned short common_type", 2, 0), ("unsigned char common_flags", 1, 0),
    ("unsigned char common_preempt_count", 1, 0), ("int common_pid", 4, 1),
)  # fmt: skip
COMMON_SIZE = 8


@dataclass(frozen=True)
class Tracepoint:
    """A kind of record. ``words`` is a format for C's printf and for Python alike, of the fields in their order."""

    number: int
    system: str
    name: str
    fields: tuple[tuple[str, str], ...]  # its name, and a key of KINDS
    words: str

    @cached_property
    def places(self) -> list[int]:
        """Where each field begins in a record; at last, where they end."""
        found, end = [], COMMON_SIZE
        for _, kind in self.fields:
            _, size, aligned, *_ = KINDS[kind]
            found.append(-(-end // aligned) * aligned)
            end = found[-1] + size
        return [*found, end]

    @cached_property
    def format(self) -> str:
        """The file ``format`` of the tracepoint, which tells its readers how a record lies in memory."""
        lines, end = [], 0
        for declared, size, signed in COMMON:
            lines.append(f"\tfield:{declared};\toffset:{end};\tsize:{size};\tsigned:{signed};")
            end += size
        lines.append("")
        for (name, kind), place in zip(self.fields, self.places, strict=False):
            declared, size, _, signed, _ = KINDS[kind]
            lines.append(f"\tfield:{declared.format(name)};\toffset:{place};\tsize:{size};\tsigned:{signed};")
        words = ", ".join([f'"{self.words}"', *(_in_c(name, kind) for name, kind in self.fields)])
        return "\n".join([f"name: {self.name}", f"ID: {self.number}", "format:", *lines, "", f"print fmt: {words}", ""])

    def text(self, values: tuple[Any, ...]) -> str:
        """A record as it reads, with its name."""
        if self is PRINT:
            return f"{MARKER}: {values[1]}"
        shown = tuple(STATES[value] if kind == "state" else value
                      for (_, kind), value in zip(self.fields, values, strict=True))  # fmt: skip
        return f"{self.name}: {self.words.replace('%ll', '%l') % shown}"  # Python's knows one length

    def record(self, pid: int, values: tuple[Any, ...]) -> bytes:
        """A record as it lies in the ring buffer, filled up to whole words of 4 bytes."""
        made = bytearray(self.places[-1])
        struct.pack_into("<HBBi", made, 0, self.number, 0, 0, pid)
        for (_, kind), place, value in zip(self.fields, self.places, values, strict=False):
            text = value.encode("ascii") if isinstance(value, str) else value
            if kind == "string":
                struct.pack_into("<I", made, place, (len(text) + 1) << 16 | len(made))
                made += text + b"\0"
            elif kind == "rest":
                made += text + b"\n\0"
            else:
                struct.pack_into(f"<{KINDS[kind][-1]}", made, place, text)
        return bytes(made) + bytes(-len(made) % 4)


def _in_c(name: str, kind: str) -> str:
    """A field as C reads it for printf."""
    if kind == "state":
        letters = ", ".join(f'{{ 0x{bits:x}, "{letter}" }}' for bits, letter in STATES.items() if bits)
        return f'REC->{name} ? __print_flags(REC->{name}, "|", {letters}) : "R"'
    if kind == "string":
        return f"__get_str({name})"
    return f"(void *)REC->{name}" if kind == "symbol" else f"REC->{name}"


FAULT = (("address", "ulong"), ("ip", "ulong"), ("error_code", "ulong"))
FAULT_WORDS = "address=0x%lx ip=0x%lx error_code=0x%lx"
TASK = (("comm", "comm"), ("pid", "pid"), ("prio", "int"))

PRINT = Tracepoint(5, "ftrace", "print", (("ip", "symbol"), ("buf", "rest")), "%ps: %s")
SWITCH = Tracepoint(
    301, "sched", "sched_switch",
    (("prev_comm", "comm"), ("prev_pid", "pid"), ("prev_prio", "int"), ("prev_state", "state"),
     ("next_comm", "comm"), ("next_pid", "pid"), ("next_prio", "int")),
    "prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s ==> next_comm=%s next_pid=%d next_prio=%d",
)  # fmt: skip
WAKING = Tracepoint(302, "sched", "sched_waking", (*TASK, ("target_cpu", "int")),
                    "comm=%s pid=%d prio=%d target_cpu=%03d")  # fmt: skip
FORK = Tracepoint(
    303, "sched", "sched_process_fork",
    (("parent_comm", "comm"), ("parent_pid", "pid"), ("child_comm", "comm"), ("child_pid", "pid")),
    "comm=%s pid=%d child_comm=%s child_pid=%d",
)  # fmt: skip
EXEC = Tracepoint(304, "sched", "sched_process_exec", (("filename", "string"), ("pid", "pid"), ("old_pid", "pid")),
                  "filename=%s pid=%d old_pid=%d")  # fmt: skip
EXIT = Tracepoint(305, "sched", "sched_process_exit", TASK, "comm=%s pid=%d prio=%d")
FAULT_USER = Tracepoint(310, "exceptions", "page_fault_user", FAULT, FAULT_WORDS)
FAULT_KERNEL = Tracepoint(311, "exceptions", "page_fault_kernel", FAULT, FAULT_WORDS)
VICTIM = Tracepoint(320, "oom", "mark_victim", (("pid", "int"),), "pid=%d")
RECLAIMED = Tracepoint(321, "vmscan", "mm_vmscan_memcg_reclaim_end", (("nr_reclaimed", "ulong"),), "nr_reclaimed=%lu")
ATTACH = Tracepoint(
    322, "cgroup", "cgroup_attach_task",
    (("dst_root", "int"), ("dst_id", "u64"), ("dst_level", "int"), ("dst_path", "string"), ("pid", "int"),
     ("comm", "string")),
    "dst_root=%d dst_id=%llu dst_level=%d dst_path=%s pid=%d comm=%s",
)  # fmt: skip
TRACEPOINTS = (SWITCH, WAKING, FORK, EXEC, EXIT, FAULT_USER, FAULT_KERNEL, VICTIM, RECLAIMED, ATTACH)
