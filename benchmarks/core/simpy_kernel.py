"""The lock-charge-OOM core's kernel in SimPy: pages, address spaces, the group, and a fault as a generator.

What a generator does between two yields is one move.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from .simpy_machine import NEXT, YIELD, Machine, Task

BASE, ENTRIES = 512, 512
CHARGE_BATCH, RECLAIM_RETRIES, ZAP_CHUNK = 32, 5, 64
Answers = Generator[int, None, Any]


@dataclass(eq=False, slots=True)
class Page:
    """A page: of the file, or a copy."""

    group: Memcg | None = None
    locked_by: Task | None = None
    locked_at: int = 0
    waiters: deque[Task] = field(default_factory=deque)
    anon: bool = False
    active: bool = False
    referenced: bool = False
    uptodate: bool = False
    refs: int = 1
    mappings: set[tuple[Mm, int]] = field(default_factory=set)


@dataclass(eq=False, slots=True)
class Mm:
    """An address space: its page table by page number, and how many entries each leaf table has."""

    ptes: dict[int, Page] = field(default_factory=dict)
    tables: Counter[int] = field(default_factory=Counter)
    mapped: bool = False
    readers: int = 0
    writer: Task | None = None


class Memcg:
    """A group: its counter, its lists, its OOM section."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.usage = self.max_usage = self.failcnt = self.rss = self.pgpgin = self.pgpgout = self.pgfault = 0
        self.under_oom = 0
        self.oom_lock = False
        self.oom_waiters: deque[Task] = deque()
        self.lists: dict[tuple[bool, bool], OrderedDict[Page, None]] = {
            (anon, active): OrderedDict() for anon in (False, True) for active in (False, True)
        }

    def lru_add(self, page: Page) -> None:
        """To its list's head."""
        self.lists[page.anon, page.active][page] = None

    def lru_del(self, page: Page) -> None:
        """Off its list."""
        del self.lists[page.anon, page.active][page]


class Kernel:
    """What the moves of faults, charges and exits do."""

    def __init__(self, machine: Machine, file_pages: int) -> None:
        self.machine, self.spend = machine, machine.spend
        self.root = Memcg(1 << 62)
        self.figures: Counter[str] = Counter()
        self.latencies: list[int] = []
        self.cache = [Page(self.root, uptodate=True) for _ in range(file_pages)]
        for page in self.cache:
            self.root.lru_add(page)

    def fault(self, task: Task, vpn: int) -> Answers:
        """A write to a page that is not mapped. It begins in the move in which the processor found that out."""
        machine, spend, mm = self.machine, self.spend, task.mm
        assert mm is not None
        began = machine.now + machine.spent
        spend("exception")
        yield NEXT
        allow_retry, outcome = True, "retry"
        while outcome == "retry":
            spend("mmap_read_lock")
            mm.readers += 1
            yield NEXT
            spend("find_vma")
            yield NEXT
            spend("handle_pte_fault")
            task.group.pgfault += 1
            yield NEXT
            outcome = yield from self.file_cow(task, mm, vpn, allow_retry)
            spend("handle_pte_fault")
            if outcome == "retry":
                self.figures["retries"] += 1
                allow_retry = False
                if task.sigkill:
                    outcome = "killed asleep"
            yield NEXT
        if outcome == "done" or (outcome == "killed" and not allow_retry):  # else mmap_sem has been dropped already
            spend("mmap_read_unlock")
            mm.readers -= 1
            if outcome == "killed":
                yield NEXT
        spend("exception")
        self.figures["faults"] += 1
        self.latencies.append(machine.now + machine.spent - began)
        yield NEXT

    def file_cow(self, task: Task, mm: Mm, vpn: int, allow_retry: bool) -> Answers:
        """Linux 3.0's copy-on-write fault on a file's page. Returns done, retry or killed."""
        spend = self.spend
        spend("find_page")
        old = self.cache[vpn - BASE]
        old.refs += 1
        yield NEXT
        outcome = yield from self.lock_page(task, mm, old, allow_retry)
        if outcome != "done":
            yield NEXT
            spend("put_page")
            old.refs -= 1
            yield NEXT
            yield NEXT
            return outcome
        self.mark_page_accessed(old)
        yield NEXT
        spend("anon_vma_prepare")
        yield NEXT
        spend("alloc_page")
        new = Page()
        yield NEXT
        yield from self.charge(task, new)
        spend("copy_page")
        new.uptodate = True
        self.figures["cows"] += 1
        yield NEXT
        spend("map_page")
        self.map_page(mm, vpn, new)
        yield NEXT
        spend("unlock_page")
        self.unlock_page(old)
        yield NEXT
        spend("put_page")
        old.refs -= 1
        yield NEXT
        return "done"

    # --- the page lock
    def lock_page(self, task: Task, mm: Mm, page: Page, allow_retry: bool) -> Answers:
        """The first time mmap_sem is dropped for the wait, and the fault starts again; the second time it is not."""
        machine = self.machine
        self.spend("lock_page")
        if page.locked_by and allow_retry:
            mm.readers -= 1
            while page.locked_by:
                if task.sigkill:
                    return "killed"
                yield machine.sleep(task, "page lock", page.waiters)
                self.spend("lock_page")
            return "retry"
        while page.locked_by:
            if task.sigkill:
                return "killed"
            yield machine.sleep(task, "page lock", page.waiters, exclusive=True)
            self.spend("lock_page")
        page.locked_by, page.locked_at = task, machine.now
        return "done"

    def unlock_page(self, page: Page) -> None:
        """Wake all who only wait, and the first who wants the lock."""
        held = self.machine.now - page.locked_at
        self.figures["max_hold_ns"] = max(self.figures["max_hold_ns"], held)
        page.locked_by = None
        while page.waiters:
            waiter = page.waiters.popleft()
            self.machine.wake(waiter)
            if waiter.exclusive:
                break

    def mark_page_accessed(self, page: Page) -> None:
        """Once: referenced; twice: active."""
        group = page.group
        if group and page.referenced and not page.active:
            group.lru_del(page)
            page.active, page.referenced = True, False
            group.lru_add(page)
        else:
            page.referenced = True

    # --- mapping
    def map_page(self, mm: Mm, vpn: int, page: Page) -> None:
        """The new page joins the page table and its group's list."""
        page.anon = page.active = True
        mm.ptes[vpn] = page
        mm.tables[vpn // ENTRIES] += 1
        page.mappings.add((mm, vpn))
        if page.group:
            page.group.lru_add(page)

    def zap_chunk(self, mm: Mm) -> bool:
        """Unmap up to ZAP_CHUNK pages; True if that was all."""
        freed = False
        chunk = list(islice(mm.ptes, ZAP_CHUNK))
        for vpn in chunk:
            page = mm.ptes.pop(vpn)
            page.mappings.remove((mm, vpn))
            mm.tables[vpn // ENTRIES] -= 1
            if not mm.tables[vpn // ENTRIES]:
                del mm.tables[vpn // ENTRIES]
            self.spend("zap_pte", "free_page")
            page.refs -= 1
            if page.group:
                page.group.lru_del(page)
                self.uncharge(page.group)
                freed = True
        if freed and self.machine.group.under_oom:
            self.wakeup_oom()
        return len(chunk) < ZAP_CHUNK

    # --- the group
    def charge(self, task: Task, page: Page) -> Answers:
        """__mem_cgroup_try_charge"""
        machine, group, batch, left = self.machine, task.group, CHARGE_BATCH, RECLAIM_RETRIES
        use_stock = True
        while True:
            self.spend("charge")
            if task.sigkill:
                break
            if use_stock and task.cpu.stock:
                task.cpu.stock -= 1
                self.commit(page, group)
                break
            self.spend("res_charge")
            if group.usage + batch <= group.limit:
                group.usage += batch
                group.max_usage = max(group.max_usage, group.usage)
                task.cpu.stock += batch - 1
                self.commit(page, group)
                break
            group.failcnt += 1
            yield NEXT
            if batch > 1:
                batch = 1
                continue
            self.spend("drain_all_stock")
            cpu = task.cpu.other
            if cpu.stock and not cpu.drain:
                cpu.drain = True
                machine.drain_asked.append(cpu)
            yield NEXT
            self.spend("charge")
            last, use_stock = left == 0, True
            left = RECLAIM_RETRIES if last else left
            if group.usage < group.limit:
                yield NEXT
            elif last:
                if (yield from self.out_of_memory(task, group)):
                    break
                self.figures["oom_rounds"] += 1
                yield YIELD
            else:
                left -= 1
                use_stock = False
                yield NEXT
        if page.group is None:
            self.figures["bypassed"] += 1
        yield NEXT

    def commit(self, page: Page, group: Memcg) -> None:
        """The page is the group's."""
        page.group = group
        group.pgpgin += 1
        group.rss += 1
        self.figures["charges"] += 1

    def uncharge(self, group: Memcg) -> None:
        """A page less."""
        group.pgpgout += 1
        group.rss -= 1
        group.usage -= 1
        self.spend("uncharge")

    def wakeup_oom(self) -> None:
        """Wake everybody who sleeps for the group's memory."""
        waiters = self.machine.group.oom_waiters
        while waiters:
            self.machine.wake(waiters.popleft())

    def out_of_memory(self, task: Task, group: Memcg) -> Answers:
        """The OOM section: kill or sleep, then wake the others. True if the task is to die itself."""
        self.spend("oom_sleep")
        locked = not group.oom_lock
        group.oom_lock = True
        group.under_oom += 1
        if locked:
            yield NEXT
            self.spend("charge")
            self.kill_worst(task, group)
            yield NEXT
        elif task.sigkill:
            yield NEXT
        else:
            yield self.machine.sleep(task, "memory", group.oom_waiters)
        self.spend("charge")
        group.under_oom -= 1
        if locked:
            group.oom_lock = False
        self.wakeup_oom()
        return task.sigkill

    def kill_worst(self, me: Task, group: Memcg) -> None:
        """select_bad_process, oom_kill_process"""
        chosen, worst = None, 0
        if me.sigkill:
            return
        for task in self.machine.tasks:
            if task is None or task.zombie or task.group is not group:
                continue
            self.spend("oom_scan_task")
            if task.mm is None:
                continue
            if task.memdie:
                return
            points = (len(task.mm.ptes) + len(task.mm.tables)) * 1000 // group.limit - 30
            points = min(1000, max(1, points))
            if points > worst or (chosen and points == worst and task.born < chosen.born):
                chosen, worst = task, points
        if chosen:
            self.spend("oom_kill")
            self.figures["kills"] += 1
            chosen.sigkill = chosen.memdie = True
            if chosen.waits_for:
                if chosen.asleep_on is not None:
                    chosen.asleep_on.remove(chosen)
                self.machine.wake(chosen)
