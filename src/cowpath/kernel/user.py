"""User mode: a task's program, an instruction at a time. What enters the kernel pushes a frame.

Accesses to mapped pages are only the processor's; the rule for re-use lives here too. A recording has first touches
only, so after each recorded touch the task goes back to ``reuse`` earlier ones (books.reuse, in 1/256), chosen so that
every power of two of distance back in its program is as likely as another: often the last few pages, now and then one
from the beginning. Only what is still mapped is touched, for reading.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .cgroup import (
    cgroup_attach_task,
    cgroup_create,
    cgroup_rmdir,
    cgroup_subtree_control_write,
    errno_of,
    may_attach,
    rmdir_tree,
)
from .compiled import compiled
from .exit import SIGBUS_STATUS, SIGSEGV_STATUS
from .filemap import FORCE_PHASE
from .frames import do_page_fault, push
from .memcg_high import exit_to_user_mode, paid
from .memcontrol import mem_cgroup_margin
from .mmap import find_vma
from .signals import do_signal_stop, send_sigkill
from .syscalls import accessible
from .wait import emit, random_below, spend
from .writeback import EVERYTHING

ACCESSES = 32  # of mapped pages in one move
EAGAIN = 11
FORK_RETRIES = 4  # of a shell
SECOND_NS = 1_000_000_000


@compiled
def finish_op(k, t):
    """On to the next instruction."""
    task = k.state.tasks[t]
    task.pc += 1
    task.progress = 0
    return n.NEXT


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
    if k.state.tasks[t].over_high > 0:
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
    if path != s.P_PAGE_FAULT:  # a system call failed
        task.status = errno_of(status)
        finish_op(k, t)
        return n.NEXT
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
        return do_exit(k, t, op.a)
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


@compiled
def touch(k, t, op):
    """Accesses to pages: up to ACCESSES of them, or up to the first fault."""
    task = k.state.tasks[t]
    if task.reuse_left > 0:
        return touch_again(k, t)
    start = op.a
    if op.d > 0:
        start += task.registers[op.d - 1]
    for _ in range(ACCESSES):
        if task.progress >= op.b:
            break
        vpn = start + task.progress * op.c
        spend(k, s.USER)
        if not accessible(k, task.mm, vpn, op.bits & n.F_WRITE):
            do_page_fault(k, t, task.mm, vpn, (op.bits & n.F_WRITE) | n.F_ALLOW_RETRY | n.F_KILLABLE | n.F_USER)
            return n.NEXT
        task.progress += 1
    if task.progress < op.b:
        return n.AGAIN
    if op.b == 1 and k.books.reuse > 0 and task.pc > task.entry:
        owed = k.books.reuse // 256
        if random_below(k, 256) < k.books.reuse % 256:
            owed += 1
        task.reuse_left = owed
        task.reuse_vpn = n.NONE
        if owed > 0:
            return n.AGAIN
    return finish_op(k, t)


@compiled
def choose_earlier(k, t):
    """A page touched earlier by this program and still mapped, or NONE."""
    task = k.state.tasks[t]
    back = task.pc - task.entry
    doublings = 0
    while (2 << doublings) <= back:
        doublings += 1
    near = 1 << random_below(k, doublings + 1)
    distance = min(back, near + random_below(k, near))
    op = k.books.ops[task.pc - distance]
    if op.code != n.OP_TOUCH or op.b != 1 or op.d > 0:
        return n.NONE
    if find_vma(k, task.mm, op.a) == n.NONE:
        return n.NONE
    return op.a


@compiled
def touch_again(k, t):
    """Go back to earlier pages; one that reclaim has taken faults again."""
    task = k.state.tasks[t]
    while task.reuse_left > 0:
        if task.reuse_vpn == n.NONE:
            task.reuse_vpn = choose_earlier(k, t)
        if task.reuse_vpn != n.NONE:
            spend(k, s.USER)
            if not accessible(k, task.mm, task.reuse_vpn, 0):
                do_page_fault(k, t, task.mm, task.reuse_vpn, n.F_ALLOW_RETRY | n.F_KILLABLE | n.F_USER)
                return n.NEXT
        task.reuse_vpn = n.NONE
        task.reuse_left -= 1
    return finish_op(k, t)


@compiled
def fill(k, t, op):
    """Write to pages in order until the group is full to the last page: no room under a limit, nothing in stock."""
    task = k.state.tasks[t]
    group = k.state.groups[task.group]
    books = k.books.groups[task.group]
    full = mem_cgroup_margin(k, task.group) <= 0 and books.rss + books.cache + books.kmem >= group.res.usage
    if full or task.progress >= op.b:
        return finish_op(k, t)
    vpn = op.a + task.progress * op.c
    spend(k, s.USER)
    if not accessible(k, task.mm, vpn, 1):
        do_page_fault(k, t, task.mm, vpn, n.F_WRITE | n.F_ALLOW_RETRY | n.F_KILLABLE | n.F_USER)
        return n.NEXT
    task.progress += 1
    return n.AGAIN


@compiled
def system_call(k, t, op):
    """Everything else: either done at once, or a path."""
    task = k.state.tasks[t]
    code = op.code
    spend(k, s.SYSCALL)
    if code == n.OP_MMAP or code == n.OP_MUNMAP or code == n.OP_MLOCK:
        mmap = s.P_MMAP_POPULATE if op.bits & n.MAP_POPULATE else s.P_MMAP
        f = push(k, t, mmap if code == n.OP_MMAP else (s.P_MUNMAP if code == n.OP_MUNMAP else s.P_MLOCK))
        f.mm = task.mm
        f.vpn = op.a
        f.count = op.b
        f.op = task.pc
    elif code == n.OP_FADVISE and op.bits == n.FADV_WILLNEED:
        force_page_cache_readahead(k, t, op)
    elif code == n.OP_READ or code == n.OP_WRITE or code == n.OP_FADVISE:
        f = push(k, t, s.P_READ if code == n.OP_READ else (s.P_WRITE if code == n.OP_WRITE else s.P_FADVISE))
        f.file = op.a
        f.index = op.b
        f.count = op.c
        f.arg = op.d
    elif code == n.OP_FSYNC:
        f = push(k, t, s.P_FSYNC)
        f.file = op.a
        f.count = EVERYTHING
        f.todo = 0 if k.state.files[op.a].shmem else k.state.files[op.a].room  # noop_fsync
    elif code == n.OP_KTHREAD:
        push(k, t, s.P_KSWAPD if op.a == n.KT_KSWAPD else s.P_FLUSHER)
    elif code == n.OP_TRUNCATE:
        f = push(k, t, s.P_TRUNCATE)
        f.file = op.a
        f.arg = op.b
    elif code == n.OP_FORK:
        if k.books.nr_threads >= k.books.max_threads:
            return fork_again(k, t, op)
        k.books.nr_threads += 1
        f = push(k, t, s.P_CLONE if op.bits & n.FORK_THREAD else s.P_FORK)
        f.mm = task.mm
        f.op = task.pc
        task.status = 0
    elif code == n.OP_EXEC or code == n.OP_KILL or code == n.OP_CG_SET:
        f = push(k, t, s.P_EXEC if code == n.OP_EXEC else (s.P_KILL if code == n.OP_KILL else s.P_CG_SET))
        f.op = task.pc
        f.mm = task.mm if code == n.OP_EXEC else n.NONE
    elif code == n.OP_WAIT or code == n.OP_SLEEP:
        f = push(k, t, s.P_WAIT if code == n.OP_WAIT else s.P_SLEEP)
        f.arg = op.a
        task.status = 0
    elif code == n.OP_READ_PROC:
        return read_proc(k, t, op)
    elif code == n.OP_MADVISE:
        return madvise_populate(k, t, op)
    elif code == n.OP_MPROTECT:
        f = push(k, t, s.P_MPROTECT)
        f.mm = task.mm
        f.vpn = op.a
        f.count = op.b
        f.todo = op.bits
    elif code == n.OP_LSEEK:
        f = push(k, t, s.P_LSEEK)
        f.file = op.a
    elif code == n.OP_STAT or code == n.OP_CREAT or code == n.OP_READDIR:
        return path_walk(k, t, op)
    else:
        return small_call(k, t, op)
    return n.NEXT


@compiled
def madvise_populate(k, t, op):
    """MADV_POPULATE_READ, MADV_POPULATE_WRITE (4ca9b3859dac, 5.14); EINVAL where there is none."""
    if k.books.paths[s.P_MADVISE_POPULATE].length == 0:
        k.state.tasks[t].status = errno_of(n.FAIL_INVAL)
        return finish_op(k, t)
    f = push(k, t, s.P_MADVISE_POPULATE)
    f.mm = k.state.tasks[t].mm
    f.vpn = op.a
    f.count = op.b
    f.todo = op.bits
    return n.NEXT


@compiled
def force_page_cache_readahead(k, t, op):
    """POSIX_FADV_WILLNEED: one batch of up to 2 MiB, however large the file's window is."""
    f = push(k, t, s.P_READAHEAD)
    f.file = op.a
    f.index = op.b
    f.count = op.c if op.c != n.NONE else n.MOST_WILLNEED
    f.arg = FORCE_PHASE
    k.state.tasks[t].status = 0


@compiled
def fork_again(k, t, op):
    """copy_process at the machine's limit of tasks: EAGAIN. A shell says so, sleeps 1, 2, 4 and 8 s, and gives up."""
    task = k.state.tasks[t]
    task.status = EAGAIN
    if op.bits & n.FORK_SHELL == 0:
        return finish_op(k, t)
    k.books.host_task = t
    k.books.host = n.HOST_FORK_FAILED
    if task.progress < FORK_RETRIES:
        f = push(k, t, s.P_SLEEP)
        f.arg = SECOND_NS << task.progress
        task.progress += 1
        k.books.host = n.HOST_FORK_RETRY
    else:
        finish_op(k, t)
    emit(k, n.EV_HOST, t, k.books.host, 0, 0, 0)
    return n.HOST


@compiled
def has_mm(k, t):
    """get_task_mm finds one: the task has an address space that is not being taken down."""
    task = k.state.tasks[t]
    if task.run_state != n.T_RUNNABLE and task.run_state != n.T_SLEEPING:
        return False
    return task.mm != n.NONE and k.state.mms[task.mm].users > 0


@compiled
def next_process(k, t):
    """The next process in /proc that has an address space, from ``task.progress`` on; NONE when all have been seen."""
    task = k.state.tasks[t]
    for other in range(task.progress, k.state.n_tasks):
        if has_mm(k, other) and k.state.tasks[other].leader == other:
            task.progress = other + 1
            return other
    return n.NONE


@compiled
def read_proc(k, t, op):
    """A file of /proc/PID: of one task, or of all processes that are there, one a move. Some need the mmap_sem."""
    task = k.state.tasks[t]
    if op.a == n.ALL_TASKS:
        other = next_process(k, t)
        if other == n.NONE:
            task.status = 0
            return finish_op(k, t)
    else:
        other = k.state.names[op.a] - 1
        if other == n.NONE or not has_mm(k, other):
            task.status = 2
            return finish_op(k, t)
    if op.bits == n.PROC_NO_LOCK:
        spend(k, s.SHOW_MAP)
        return n.AGAIN if op.a == n.ALL_TASKS else finish_op(k, t)
    maps = op.bits == n.PROC_MAPS and k.books.paths[s.P_READ_MAPS].length > 0
    f = push(k, t, s.P_READ_MAPS if maps else s.P_READ_PROC)
    f.mm = k.state.tasks[other].mm
    k.state.mms[f.mm].users += 1  # get_task_mm; mmput at the end
    return n.NEXT


@compiled
def path_walk(k, t, op):
    """A name, or all names of a directory. What the dcache has, a mere look-up finds there, without a lock."""
    if op.code == n.OP_STAT and k.state.dentries[op.b]:
        k.state.tasks[t].status = 0
        return finish_op(k, t)
    path = s.P_LOOKUP if op.code == n.OP_STAT else (s.P_CREAT if op.code == n.OP_CREAT else s.P_READDIR)
    f = push(k, t, path)
    f.file = op.a
    f.dentry = op.b
    f.count = EVERYTHING  # to its last block
    return n.NEXT


@compiled
def small_call(k, t, op):
    """Calls that are one atomic move."""
    task = k.state.tasks[t]
    code = op.code
    if code != n.OP_HOST or op.bits != n.HOST_KEEPS_STATUS:
        task.status = 0
    if code == n.OP_MARK:
        g = task.group
        while True:
            k.books.groups[g].counters[n.C_JOBS] += 1
            g = k.state.groups[g].parent
            if g <= 0:
                break
        emit(k, n.EV_MARK, t, op.a, 0, 0, 0)
    elif code == n.OP_ATTACH:
        task.status = may_attach(k, op.a)
        if task.status == 0:
            cgroup_attach_task(k, t, op.a)
            task.pc += op.b
    elif code == n.OP_CG_CREATE:
        if op.bits & n.CREATE_MISSING == 0 or not k.state.groups[op.a].alive:
            task.status = errno_of(cgroup_create(k, op.a, op.b))
        if op.bits & n.CREATE_ENABLES and k.state.cgroup2 and task.status == 0:
            task.status = errno_of(cgroup_subtree_control_write(k, op.b, 1))
    elif code == n.OP_CG_DELETE:
        task.status = errno_of(rmdir_tree(k, op.a) if op.bits == n.DELETE_TREE else cgroup_rmdir(k, op.a))
    elif code == n.OP_AFFINITY:
        task.affinity = op.a
        k.books.resched_ok = 1
        finish_op(k, t)
        return n.YIELD
    elif code == n.OP_OOM_ADJ:
        task.oom_score_adj = op.a
    elif code == n.OP_CLASSIFY:
        task.status = classify(k, op.a, k.state.names[op.b] - 1, op.bits)
    elif code == n.OP_STATUS:
        task.status = op.a
    elif code == n.OP_SIGBUS:
        task.sigbus_handler = op.a
    elif code == n.OP_FAIL_READS:
        k.state.files[op.a].bad_first = op.b
        k.state.files[op.a].bad_count = op.c
    elif code == n.OP_HOST:
        if not readable(k, op.b, op.bits):
            task.status = errno_of(n.FAIL_NOENT)
        k.books.host = op.a
        k.books.host_task = t
        emit(k, n.EV_HOST, t, op.a, 0, 0, 0)
        finish_op(k, t)
        return n.HOST
    return finish_op(k, t)


@compiled
def readable(k, g, bits):
    """The files of the group that OP_HOST wants are there."""
    if bits != n.HOST_READS and bits != n.HOST_READS_MEMORY:
        return True
    group = k.state.groups[g]
    if k.state.cgroup2 and bits == n.HOST_READS_MEMORY and g > 0 and not k.state.groups[group.parent].controls:
        return False
    return group.alive != 0


@compiled
def classify(k, g, t, threads):
    """cgroup_attach_task, or _proc: a task joins a group, with its threads or alone, and not its children; its pages
    stay where they are. An errno.
    """
    status = may_attach(k, g)
    if status:
        return status
    if t == n.NONE or k.state.tasks[t].run_state == n.T_ZOMBIE:
        return 3
    leader = k.state.tasks[t].leader
    threads = threads or k.state.cgroup2  # v2 knows processes only
    for other in range(k.state.n_tasks if threads and k.state.tasks[leader].threads > 0 else 0):
        thread = k.state.tasks[other]
        if other != t and thread.leader == leader and thread.run_state != n.T_FREE and thread.run_state != n.T_ZOMBIE:
            cgroup_attach_task(k, other, g)
    cgroup_attach_task(k, t, g)
    return 0
