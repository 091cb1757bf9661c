"""Where a system call enters the kernel: it is done at once (``small_call``), or its path begins."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .block import SECOND_NS
from .cgroup import errno_of
from .compiled import compiled
from .completion import awaited
from .filemap import FORCE_PHASE
from .frames import finish_op, push
from .memcg_mkdir import group_without_room
from .readahead import forget_opened, most_willneed
from .remote import access_remote_vm, has_mm
from .small_call import small_call
from .wait import emit, spend
from .writeback import EVERYTHING

EAGAIN = 11
FORK_RETRIES = 4  # of a shell


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
        task.status = 0
    elif code == n.OP_MPROTECT:
        f = push(k, t, s.P_MPROTECT)
        f.mm = task.mm
        f.vpn = op.a
        f.count = op.b
        f.arg = op.bits
        f.op = task.pc
        task.status = 0
    elif code == n.OP_FADVISE and op.bits == n.FADV_WILLNEED:
        force_page_cache_readahead(k, t, op)
    elif code == n.OP_READ or code == n.OP_WRITE or code == n.OP_FADVISE:
        f = push(k, t, s.P_READ if code == n.OP_READ else (s.P_WRITE if code == n.OP_WRITE else s.P_FADVISE))
        f.file = op.a
        f.index = op.b
        f.count = op.c if op.c != n.NONE else k.state.files[op.a].room
        f.arg = op.d
        task.status = 0
    elif code == n.OP_FSYNC:
        f = push(k, t, s.P_FSYNC)
        f.file = op.a
        f.count = EVERYTHING
        f.todo = 0 if k.state.files[op.a].shmem else k.state.files[op.a].room  # noop_fsync
    elif code == n.OP_KTHREAD:
        push(k, t, kthread_path(op.a))
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
    elif code == n.OP_CG_CREATE and group_without_room(k, op) != n.NONE:
        f = push(k, t, s.P_CG_SET)
        f.op = task.pc
    elif code == n.OP_WAIT or code == n.OP_SLEEP:
        f = push(k, t, s.P_WAIT if code == n.OP_WAIT else s.P_SLEEP)
        f.arg = op.a
        f.todo = op.bits & n.WAIT_STOPPED if code == n.OP_WAIT else 0
        task.status = 0
    elif code == n.OP_AWAIT:
        if awaited(k, t, op) == n.NONE:
            return finish_op(k, t)
        f = push(k, t, s.P_WAIT)
        f.op = task.pc
        f.todo = n.WAIT_COMPLETION
    elif code == n.OP_READ_PROC:
        return read_proc(k, t, op)
    elif code == n.OP_MADVISE:
        return madvise(k, t, op)
    elif code == n.OP_PIPE:
        return pipe(k, t, op)
    elif code == n.OP_REMOTE:
        return access_remote_vm(k, t, op)
    elif code == n.OP_OPEN:
        return do_sys_open(k, t, op)
    elif code == n.OP_LSEEK and k.books.paths[s.P_LSEEK].length > 0:
        f = push(k, t, s.P_LSEEK)
        f.file = op.a
    elif code == n.OP_STAT or code == n.OP_CREAT or code == n.OP_READDIR:
        return path_walk(k, t, op)
    else:
        return small_call(k, t, op)
    return n.NEXT


@compiled
def madvise(k, t, op):
    """MADV_DONTNEED; MADV_COLD and _PAGEOUT (9c276cc65a58, 1a4e58cce84e, 5.4), MADV_POPULATE_READ and _WRITE
    (4ca9b3859dac, 5.14), EINVAL where there are none: no profile lies between 5.4 and 5.14.
    """
    if op.c != n.MADV_DONTNEED and k.books.paths[s.P_MADVISE_POPULATE].length == 0:
        k.state.tasks[t].status = errno_of(n.FAIL_INVAL)
        return finish_op(k, t)
    populates = op.c == n.MADV_POPULATE
    f = push(k, t, s.P_MADVISE_POPULATE if populates else s.P_MADVISE)
    f.mm = k.state.tasks[t].mm
    f.vpn = op.a
    f.count = op.b
    f.index = 0 if populates else op.a
    f.todo = op.bits if populates else op.c
    k.state.tasks[t].status = 0
    return n.NEXT


@compiled
def force_page_cache_readahead(k, t, op):
    """POSIX_FADV_WILLNEED: batches of up to 2 MiB, however large the file's window is."""
    task = k.state.tasks[t]
    f = push(k, t, s.P_READAHEAD)
    f.file = op.a
    f.index = op.b + task.progress
    f.count = min(n.WILLNEED_BATCH, most_willneed(k, op) - task.progress)
    f.arg = FORCE_PHASE
    task.status = 0


@compiled
def next_batch(k, t):
    """force_page_cache_ra goes on with the next batch, if it has not asked for all; in the kernel still."""
    task = k.state.tasks[t]
    op = k.books.ops[task.pc]
    if op.code != n.OP_FADVISE or task.progress + n.WILLNEED_BATCH >= most_willneed(k, op):
        return False
    task.progress += n.WILLNEED_BATCH
    return True


@compiled
def pipe(k, t, op):
    """pipe(2), or write(2) to the task's pipe. Where that is not charged there is nothing to be seen of it."""
    k.state.tasks[t].status = 0
    path = s.P_PIPE_WRITE if op.a > 0 else s.P_PIPE
    if k.books.paths[path].length == 0:
        return finish_op(k, t)
    f = push(k, t, path)
    f.count = op.a
    return n.NEXT


@compiled
def do_sys_open(k, t, op):
    """open(2) of a file whose name is known: what a reader knows of it begins anew; a struct file may be charged."""
    forget_opened(k, t, op.a)
    k.state.tasks[t].status = 0
    if k.books.paths[s.P_OPEN].length == 0:
        return finish_op(k, t)
    push(k, t, s.P_OPEN).file = op.a
    return n.NEXT


@compiled
def fork_again(k, t, op):
    """copy_process at the machine's limit of tasks: EAGAIN. A shell says so, sleeps 1, 2, 4 and 8 s, and gives up."""
    task = k.state.tasks[t]
    task.status = EAGAIN
    if op.bits & n.FORK_SHELL == 0:
        return finish_op(k, t)
    if task.progress < FORK_RETRIES:
        f = push(k, t, s.P_SLEEP)
        f.arg = SECOND_NS << task.progress
        task.progress += 1
        return fork_failed(k, t, n.HOST_FORK_RETRY)
    finish_op(k, t)
    return fork_failed(k, t, n.HOST_FORK_FAILED)


@compiled
def fork_failed(k, t, what):
    """A shell says so."""
    k.books.host_task = t
    k.books.host = what
    emit(k, n.EV_HOST, t, what, 0, 0, 0)
    return n.HOST


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
def kthread_path(which):
    """What a kernel thread does."""
    if which == n.KT_KSWAPD:
        return s.P_KSWAPD
    return s.P_FLUSHER if which == n.KT_FLUSHER else s.P_OOM_REAPER


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
