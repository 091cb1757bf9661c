"""Access to another task's memory (mm/process_vm_access.c, __access_remote_vm of mm/memory.c): process_vm_writev and
process_vm_readv (3.2), writes to /proc/PID/mem, PTRACE_POKEDATA; and UFFDIO_COPY (mm/userfaultfd.c, 4.3).

What is missing is faulted in by the caller, with the other's mmap_sem held for reading, and is charged to the group of
the *other* (get_mem_cgroup_from_mm). It is no fault of user mode, so the charge fails where nobody may be killed, and
kills from here where somebody may. What has been done so far counts; if that is nothing, the call has its own error.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .cgroup import errno_of
from .compiled import compiled
from .frames import finish_op, push, push_fault
from .memory import wake_userfault
from .mmap import find_vma
from .pgtable import is_none, lookup_pte, pte_of
from .syscalls import accessible
from .wait import current, fatal_signal_pending

ENOENT, ESRCH, EIO, EAGAIN, EFAULT, EEXIST, ENOSYS = 2, 3, 5, 11, 14, 17, 38


@compiled
def has_mm(k, t):
    """get_task_mm finds one: the task has an address space that is not being taken down."""
    task = k.state.tasks[t]
    if task.run_state != n.T_RUNNABLE and task.run_state != n.T_SLEEPING:
        return False
    return task.mm != n.NONE and k.state.mms[task.mm].users > 0


@compiled
def access_remote_vm(k, t, op):
    """The call: pages of the memory of the task that the slot names, if it has any."""
    task = k.state.tasks[t]
    other = k.state.names[op.a] - 1
    known = k.books.paths[s.P_ACCESS_REMOTE_VM].length > 0
    if not known or other == n.NONE or not has_mm(k, other):
        task.status = ESRCH if known else ENOSYS
        return finish_op(k, t)
    task.status = 0
    f = push(k, t, s.P_ACCESS_REMOTE_VM)
    f.mm = k.state.tasks[other].mm
    k.state.mms[f.mm].users += 1  # get_task_mm; mmput at the end
    f.vpn = op.b
    f.count = op.c
    f.todo = op.bits
    return n.NEXT


@compiled
def step_get_user_pages_remote(k, t):
    """A page: faulted in (another path) unless it can be accessed. The first that cannot be had ends the loop."""
    f = current(k, t)
    if f.phase == 1:
        f.phase = 0
        if f.ret != 0:
            return no_further(k, t, f, errno_of(-f.ret))
        if f.todo == n.REMOTE_COPY:
            f.done += 1
            wake_userfault(k, f.mm, f.vpn, f.vpn + 1)
            return n.NEXT
    write = f.todo != n.REMOTE_READV
    if f.todo == n.REMOTE_COPY:
        return mfill_atomic(k, t, f)
    v = find_vma(k, f.mm, f.vpn)
    if v == n.NONE or (write and k.state.vmas[v].prot & n.VM_WRITE == 0) or fatal_signal_pending(k, t):
        return no_further(k, t, f, EFAULT)
    if not accessible(k, f.mm, f.vpn, write):
        f.phase = 1
        f.fault = n.F_WRITE if write else 0
        return n.CALL
    f.done += 1
    return n.NEXT


@compiled
def call_get_user_pages_remote(k, t, f):
    """handle_mm_fault of the other's page."""
    push_fault(k, t, s.P_HANDLE_MM_FAULT, f.mm, f.vpn, f.fault)
    return n.NEXT


@compiled
def mfill_atomic(k, t, f):
    """UFFDIO_COPY: a page that is not there yet is charged, to whose memory it is, filled and mapped."""
    v = find_vma(k, f.mm, f.vpn)
    if v == n.NONE or k.state.vmas[v].prot & n.VM_UFFD_MISSING == 0:
        return no_further(k, t, f, ENOENT)
    number = lookup_pte(k, f.mm, f.vpn)
    if number != n.NONE and not is_none(pte_of(k, number)):
        return no_further(k, t, f, EEXIST)
    f.phase = 1
    f.fault = n.F_WRITE | n.F_COPY
    return n.CALL


@compiled
def no_further(k, t, f, errno):
    """A short count, or if nothing has been done EFAULT; of /proc/PID/mem and ptrace EIO. UFFDIO_COPY says what it was,
    or EAGAIN for a short count.
    """
    if f.todo == n.REMOTE_COPY:
        k.state.tasks[t].status = errno if f.done == 0 else EAGAIN
    elif f.done == 0:
        k.state.tasks[t].status = EIO if f.todo >= n.REMOTE_MEM else EFAULT
    f.count = 1  # next_page: the last one
    return n.NEXT
