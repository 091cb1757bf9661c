"""Reports of every form: what is read of each, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath.diagnose import Diagnosis, answer, diagnose

LOGS = Path(__file__).parents[1] / "data" / "logs"


def diagnosed(name: str) -> Diagnosis:
    with (LOGS / name).open("rb") as raw:
        return diagnose(raw)


def of(text: str) -> Diagnosis:
    return diagnose(f"{line}\n".encode() for line in text.splitlines())


# log: verdict, release; of each task its name, kind, state, what it waits for, what it surely holds
EXPECTED: dict[str, tuple[str, str, list[tuple[str, str, str, str, set[str]]]]] = {
    "hung-2.6.32-syslog.txt": (
        "cannot tell", "4.4 or earlier", [("httpd[4242]", "hung", "D", "inode lock", set())],
    ),
    "hung-6.18-owner.txt": (
        "yes", "6.18.44",
        [("cat[1182]", "hung", "D", "mmap lock", set()),
         ("build[1100]", "sysrq", "D", "memory: throttle", {"mmap lock"})],
    ),
    "sysrq-w.txt": ("yes", "5.4 or later", [("java[20262]", "sysrq", "D", "memory: OOM", set())]),
    "lockup-5.8.txt": ("yes", "5.8.0", [("memcg_test[2190]", "lockup", "R", "memory: reclaim", set())]),
    "lockdep-6.5.txt": (
        "yes", "6.5.0",
        [("kworker/u8:2[99]", "lockdep", "", "memory: reclaim", {"file system lock", "shrinker_rwsem"})],
    ),
    "proc-stack.txt": (
        "yes", "5.15 or later",
        [("task at line 1", "stack", "", "memory: OOM", set()), ("task at line 5", "stack", "", "user lock", set()),
         ("task at line 11", "stack", "", "idle", set())],
    ),
    "proc-grep.txt": (
        "yes", "5.15 or later",
        [("?[12]", "stack", "", "page lock", set()),
         ("service[13]", "stack", "", "memory: throttle", {"page lock", "invalidate lock"})],
    ),
    "journal.json": ("cannot tell", "4.19 or later", [("ps[77]", "hung", "D", "mmap lock", set())]),
    "crash-bt.txt": (
        "yes", "3.12 to 5.15",
        [("rsync[4321]", "stack", "", "memory: reclaim", set()), ("ls[4322]", "stack", "", "inode lock", set())],
    ),
    "lockup-2.6.39.txt": ("yes", "2.6.39", [("cc1[2190]", "lockup", "R", "memory: reclaim", {"mmap lock"})]),
    "callers-6.12.txt": ("no", "6.12.19", [("a[100]", "hung", "D", "disk", set())]),
    "serial-4.19.txt": ("yes", "3.0 or later", [("a[100]", "hung", "D", "memory: OOM", set())]),
    "rcu-stall-5.4.txt": ("yes", "5.4.0", [("java[777]", "lockup", "R", "memory: reclaim", {"mmap lock"})]),
    "hung-5.10-dmesg-T.txt": ("cannot tell", "5.10.0", [("ps[77]", "hung", "D", "mmap lock", set())]),
    "hung-arm64.txt": ("cannot tell", "not known", [("kworker/u16:1[58]", "hung", "D", "page lock", set())]),
    "hung-7.1.txt": ("cannot tell", "7.1.5", [("cat[58]", "hung", "D", "page lock", set())]),
}  # fmt: skip


def test_every_log_is_expected() -> None:
    assert {path.name for path in LOGS.iterdir()} == {*EXPECTED, "oom-dmesg.txt", "oom-dmesg-whole.txt"}


@pytest.mark.parametrize("name", EXPECTED)
def test_log(name: str) -> None:
    told = diagnosed(name)
    verdict, release, tasks = EXPECTED[name]
    assert told.memcg_stall == verdict
    assert str(told.release) == release
    assert [
        (each.task.label, each.task.kind, each.task.state, each.waits_for, {held.lock for held in each.held})
        for each in told.tasks
    ] == tasks


def test_the_kernel_names_the_owner() -> None:
    told = diagnosed("hung-6.18-owner.txt")
    (edge,) = told.edges
    assert (edge.waiter, edge.holder, edge.certain) == (0, 1, True)
    assert told.behind == {0: {1}}
    assert [match.entry.number for match in told.matches if match.sure] == [34]


def test_a_soft_lockup_in_reclaim() -> None:
    assert [(match.entry.number, match.sure) for match in diagnosed("lockup-5.8.txt").matches] == [(24, True)]


def test_group_of_a_collection() -> None:
    service = diagnosed("proc-grep.txt").tasks[1]
    assert (service.task.group, service.for_memory_of) == ("/A", "/A")


def test_one_look_at_a_running_charge_tells_nothing() -> None:
    told = of("""[1.0] task:cc1             state:R  running task     stack:0     pid:7  ppid:1  flags:0x00000008
[1.0] Call Trace:
[1.0]  try_charge_memcg+0x10/0x6f0
[1.0]  charge_memcg+0x2f/0x90
[1.0]  handle_mm_fault+0xd0/0x310
[1.0]  exc_page_fault+0x176/0x770""")
    assert told.memcg_stall == "cannot tell"
    assert not told.stalled


def test_a_warning_is_no_stall() -> None:
    told = of("""[1.0] WARNING: CPU: 1 PID: 7 at mm/memcontrol.c:100 x+0x1/0x2
[1.0] CPU: 1 PID: 7 Comm: cc1 Not tainted 6.1.0 #1
[1.0] Call Trace:
[1.0]  try_charge_memcg+0x10/0x6f0
[1.0]  mem_cgroup_handle_over_high+0x2f/0x90""")
    assert told.memcg_stall == "cannot tell"
    assert told.tasks == []


def test_the_hosts_own_reclaim_is_no_groups() -> None:
    told = of("""[1.0] task:cc1             state:D stack:0     pid:7  tgid:7  ppid:1  flags:0x00000008
[1.0] Call Trace:
[1.0]  __schedule+0x10/0x6f0
[1.0]  reclaim_throttle+0x10/0x20
[1.0]  shrink_node+0x10/0x20
[1.0]  do_try_to_free_pages+0x10/0x20
[1.0]  try_to_free_pages+0x10/0x20
[1.0]  __alloc_pages_slowpath+0x10/0x20
[1.0]  charge_it_not+0x10/0x20""")
    assert told.memcg_stall == "no"
    assert told.tasks[0].waits_for == "memory: the host's"


def test_a_frame_that_the_unwinder_doubts_says_nothing() -> None:
    told = of("""[1.0] task:cc1             state:D stack:0     pid:7  tgid:7  ppid:1  flags:0x00000008
[1.0]  ? mem_cgroup_oom_synchronize+0x118/0x170
[1.0]  __schedule+0x10/0x6f0
[1.0]  io_schedule+0x10/0x20
[1.0]  blk_mq_get_tag+0x10/0x20""")
    assert (told.memcg_stall, told.tasks[0].waits_for) == ("no", "disk")


def test_threads_of_one_process() -> None:
    """The mmap lock is one for all threads, and another process's is another."""
    stack = """==> /proc/{0}/task/{1}/stack <==
[<0>] rwsem_down_write_slowpath+0x1/0x2
[<0>] vm_mmap_pgoff+0x1/0x2
==> /proc/20/task/21/stack <==
[<0>] try_to_free_mem_cgroup_pages+0x1/0x2
[<0>] try_charge_memcg+0x1/0x2
[<0>] copy_page_range+0x1/0x2
[<0>] dup_mmap+0x1/0x2"""
    same, other = of(stack.format(20, 22)), of(stack.format(30, 31))
    assert [(edge.lock, edge.certain) for edge in same.edges] == [("mmap lock", True)]
    assert other.edges == []


def test_lockdep_addresses_say_who_has_it() -> None:
    told = of("""[1.0] INFO: task a:1 blocked for more than 120 seconds.
[1.0] task:a               state:D stack:0     pid:1  ppid:1  flags:0x00000008
[1.0]  __mutex_lock+0x1/0x2
[1.0]  do_truncate+0x1/0x2
[1.0] task:b               state:D stack:0     pid:2  ppid:1  flags:0x00000008
[1.0]  mem_cgroup_handle_over_high+0x1/0x2
[1.0]  try_charge_memcg+0x1/0x2
[1.0]  ext4_buffered_write_iter+0x1/0x2
[1.0] task:c               state:D stack:0     pid:3  ppid:1  flags:0x00000008
[1.0]  io_schedule+0x1/0x2
[1.0]  blk_mq_get_tag+0x1/0x2
[1.0]  ext4_buffered_write_iter+0x1/0x2
[1.0] Showing all locks held in the system:
[1.0] 1 lock held by a/1:
[1.0]  #0: ffff888100000010 (&sb->s_type->i_mutex_key#8){+.+.}-{3:3}, at: do_truncate+0x1/0x2
[1.0] 1 lock held by b/2:
[1.0]  #0: ffff888100000099 (&sb->s_type->i_mutex_key#8){+.+.}-{3:3}, at: ext4_buffered_write_iter+0x1/0x2
[1.0] 1 lock held by c/3:
[1.0]  #0: ffff888100000010 (&sb->s_type->i_mutex_key#8){+.+.}-{3:3}, at: ext4_buffered_write_iter+0x1/0x2
[1.0] =============================================""")
    assert [(edge.waiter, edge.holder, edge.certain) for edge in told.edges] == [(0, 2, True)]
    assert told.behind == {}  # c has that inode's lock, and waits for the disk


WAITS = """task: {name} D
 __schedule
 schedule
 {wait}
"""


@pytest.mark.parametrize(
    ("wait", "waits_for", "verdict"),
    [
        ("__refrigerator", "freezer", "no"),
        ("rpc_wait_bit_killable", "server", "no"),
        ("blkcg_maybe_throttle_current", "I/O throttle", "no"),
        ("wait_transaction_locked\n start_this_handle", "journal", "cannot tell"),
        ("__lock_page\n truncate_inode_pages_range", "page lock", "cannot tell"),
        ("wait_on_page_bit\n wait_on_page_writeback\n ext4_sync_file", "write-back", "cannot tell"),
        ("wait_for_completion_killable\n wait_for_vfork_done", "child", "cannot tell"),
        ("__mutex_lock\n mutex_lock\n cgroup_kn_lock_live", "cgroup_mutex", "cannot tell"),
        ("__mutex_lock\n some_driver_ioctl", "a lock that some_driver_ioctl takes", "cannot tell"),
        ("some_driver_wait", "not known", "cannot tell"),
        ("balance_dirty_pages\n generic_perform_write", "dirty limit", "cannot tell"),
        ("try_to_free_mem_cgroup_pages\n memory_reclaim", "memory: reclaim", "no"),  # somebody asked for it
        ("try_to_free_mem_cgroup_pages\n memory_max_write", "memory: reclaim", "yes"),
    ],
)
def test_wait(wait: str, waits_for: str, verdict: str) -> None:
    told = of(WAITS.format(name="a", wait=wait))
    assert (told.tasks[0].waits_for, told.memcg_stall) == (waits_for, verdict)


def test_a_writer_that_waits_keeps_readers_out() -> None:
    """Entry 22: a fault throttled for dirty pages, a writer behind it, and ps behind the writer."""
    fault = WAITS.format(name="a", wait="balance_dirty_pages\n do_wp_page\n handle_mm_fault\n do_page_fault")
    writer = WAITS.format(name="b", wait="rwsem_down_write_slowpath\n vm_mmap_pgoff")
    reader = WAITS.format(name="c", wait="rwsem_down_read_slowpath\n proc_pid_cmdline_read")
    alone = of("# kernel: 5.4\n" + fault + "\n" + reader)
    assert alone.edges == []  # two readers
    told = of("# kernel: 5.4\n" + fault + "\n" + writer + "\n" + reader)
    assert {(edge.waiter, edge.holder) for edge in told.edges} == {(1, 0), (2, 0), (2, 1)}
    assert [(match.entry.number, match.sure) for match in told.matches] == [(22, True)]
    assert told.memcg_stall == "cannot tell"  # whose limit of dirty pages it is: no stack tells


def test_a_circle_of_what_nobody_surely_holds_is_no_circle() -> None:
    """A flusher and a writer on a slow disk: either may have what the other waits for, or a third who is not here."""
    told = of(
        WAITS.format(name="flush", wait="__lock_page\n mpage_prepare_extent_to_map\n ext4_writepages")
        + "\n"
        + WAITS.format(name="writer", wait="wait_on_page_writeback\n __block_write_begin\n ext4_write_begin")
    )
    assert {(edge.waiter, edge.holder) for edge in told.edges} == {(0, 1), (1, 0)}
    assert told.memcg_stall == "cannot tell"


def test_what_lockdep_reports_needs_no_help() -> None:
    assert answer.as_json(diagnosed("lockdep-6.5.txt"))["helps"] == []
    assert answer.as_json(diagnosed("sysrq-w.txt"))["helps"] != []


@pytest.mark.parametrize(
    ("earlier", "verdict", "involved"),
    [("kmem_cache_alloc", "no", "no"), ("try_charge_memcg", "cannot tell", "yes")],
)
def test_an_order_of_locks(earlier: str, verdict: str, involved: str) -> None:
    """What lockdep reports is no wait; whether groups are in it say the stacks that made the order, too."""
    told = of(f"""[1.0] WARNING: possible circular locking dependency detected
[1.0] a/1 is trying to acquire lock:
[1.0] ffff888100000010 (&x->lock){{+.+.}}-{{3:3}}, at: do_x+0x1/0x2
[1.0] but task is already holding lock:
[1.0] ffffffff82a1b2e0 (fs_reclaim){{+.+.}}-{{0:0}}, at: balance_pgdat+0x1/0x2
[1.0] -> #1 (fs_reclaim){{+.+.}}-{{0:0}}:
[1.0]        fs_reclaim_acquire+0x1/0x2
[1.0]        {earlier}+0x1/0x2
[1.0] -> #0 (&x->lock){{+.+.}}-{{3:3}}:
[1.0]        __mutex_lock+0x1/0x2
[1.0] stack backtrace:
[1.0] CPU: 1 PID: 1 Comm: a Not tainted 6.5.0 #1
[1.0] Call Trace:
[1.0]  __lock_acquire+0x1/0x2
[1.0]  __mutex_lock+0x1/0x2
[1.0]  do_x+0x1/0x2
[1.0]  kswapd+0x1/0x2""")
    assert (told.memcg_stall, told.memcg_involved) == (verdict, involved)
    assert told.tasks[0].waits_for == "a lock that do_x takes"


def test_nothing_to_see() -> None:
    told = of("a log\nof something else\n")
    assert (told.memcg_stall, told.tasks, told.why) == (
        "cannot tell", [], ["No report of a task or of the OOM killer is in these 2 lines."],
    )  # fmt: skip
