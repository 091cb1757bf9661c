"""User mode: a task's program, an instruction at a time. What enters the kernel pushes a frame.

Accesses to pages: ``user_access.py``; system calls: ``system_call.py``.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .cgroup import errno_of
from .compiled import compiled
from .exit import EXEC_FAILED_STATUS, SIGBUS_STATUS, SIGSEGV_STATUS
from .frames import finish_op, push
from .memcg_high import exit_to_user_mode, paid
from .signals import do_signal_stop, send_sigkill
from .system_call import fork_failed, next_batch, system_call
from .user_access import fill, touch
from .wait import spend


@compiled
def do_exit(k, t, status):
    """The task enters the kernel for the last time."""
    f = push(k, t, s.P_EXIT)
    f.arg = status
    f.mm = k.state.tasks[t].mm
    k.state.tasks[t].exiting = 1
    return n.NEXT


@compiled
def after_kernel(k, t, path, status):
    """The outermost frame is gone. On the way to user mode the task pays for what it has charged over memory.high."""
    if path == s.P_EXIT_TO_USER:
        paid(k, t)
        return n.NEXT
    status = end_of_call(k, t, path, status)
    if k.state.tasks[t].over_high > 0 and not (path == s.P_READAHEAD and k.state.tasks[t].progress > 0):
        exit_to_user_mode(k, t)
    return status


@compiled
def end_of_call(k, t, path, status):
    """The instruction is done, or a signal has to be dealt with."""
    task = k.state.tasks[t]
    if status == n.NEXT:
        if path == s.P_PAGE_FAULT or path == s.P_EXEC:
            return n.NEXT  # the access is tried again; a new program begins
        if (path == s.P_READ_PROC or path == s.P_READ_MAPS) and k.books.ops[task.pc].a == n.ALL_TASKS:
            return n.NEXT  # the next one
        if path == s.P_SLEEP and k.books.ops[task.pc].code == n.OP_FORK:
            return n.NEXT  # a shell tries again to fork
        if path == s.P_PAGEFAULT_OUT_OF_MEMORY:
            return n.NEXT  # the access is tried again
        if path == s.P_READAHEAD and next_batch(k, t):
            return n.NEXT
        return finish_op(k, t)
    if path == s.P_FORK or path == s.P_CLONE:  # it has made no task
        k.books.nr_threads -= 1
    if status == n.FAIL_KILLED:
        task.status = 4
        if not task.sigkill:
            finish_op(k, t)
        return n.NEXT
    if path == s.P_PAGE_FAULT and status == n.FAIL_CHARGE:
        return pagefault_out_of_memory(k, t)
    if path == s.P_EXEC:
        return do_exit(k, t, SIGSEGV_STATUS if status == n.FAIL_SEGV else EXEC_FAILED_STATUS)
    if path != s.P_PAGE_FAULT:  # a system call failed
        task.status = errno_of(status)
        shell = path == s.P_FORK and k.books.ops[task.pc].bits & n.FORK_SHELL
        finish_op(k, t)
        return fork_failed(k, t, n.HOST_FORK_NOMEM) if shell else n.NEXT
    if task.reuse_left > 0:  # an earlier page is no longer there (the file was truncated)
        task.reuse_left -= 1
        task.reuse_vpn = n.NONE
        return n.NEXT
    if status == n.FAIL_SIGBUS:
        k.books.groups[task.group].counters[n.C_SIGBUS] += 1
        if task.sigbus_handler:
            spend(k, s.SIGNAL)
            task.progress += 1
            return n.NEXT
        return do_exit(k, t, SIGBUS_STATUS)
    return do_exit(k, t, SIGSEGV_STATUS)


@compiled
def pagefault_out_of_memory(k, t):
    """VM_FAULT_OOM of a fault from user mode: everything is given back. Then the access is tried again."""
    if k.books.paths[s.P_PAGEFAULT_OUT_OF_MEMORY].length > 0 and not k.state.tasks[t].sigkill:
        push(k, t, s.P_PAGEFAULT_OUT_OF_MEMORY)
    else:
        k.state.tasks[t].memcg_oom = 0
    return n.NEXT


@compiled
def user(k, t):
    """One move in user mode."""
    task = k.state.tasks[t]
    if task.sigterm:
        send_sigkill(k, t)
    if task.sigkill:
        return do_exit(k, t, 0)
    if task.sigstop:
        return do_signal_stop(k, t)
    op = k.books.ops[task.pc]
    code = op.code
    if code == n.OP_TOUCH:
        return touch(k, t, op)
    if code == n.OP_COMPUTE:
        return compute(k, t, op)
    if code == n.OP_LOOP:
        task.registers[op.a] = 0
        return finish_op(k, t)
    if code == n.OP_NEXT:
        task.registers[op.a] += 1
        finish_op(k, t)
        if op.b < 0 or task.registers[op.a] < op.b:
            task.pc = op.c
        return n.NEXT
    if code == n.OP_JUMP:
        finish_op(k, t)
        failed = task.status != 0
        if op.bits == n.JUMP_ALWAYS or (op.bits == n.JUMP_IF_FAILED) == failed:
            task.pc = op.a
        return n.NEXT
    if code == n.OP_FILL:
        return fill(k, t, op)
    if code == n.OP_EXIT:
        return do_exit(k, t, task.status if op.a == n.EXIT_ERRNO else op.a)
    return system_call(k, t, op)


@compiled
def compute(k, t, op):
    """Burn CPU; the driver may take it away and comes back here."""
    task = k.state.tasks[t]
    if task.progress == 0:
        task.remaining = op.a
        task.progress = 1
    slice_ns = min(task.remaining, k.books.quantum)
    k.books.spent += slice_ns
    task.remaining -= slice_ns
    if task.remaining > 0:
        return n.AGAIN
    return finish_op(k, t)
