"""A machine on which a test puts groups, tasks and pages by hand, to call one function of the kernel on it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from cowpath import designs
from cowpath.designs import Design
from cowpath.engine import costs, machine
from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.cgroup import cgroup_attach_task, cgroup_create
from cowpath.kernel.frames import push
from cowpath.kernel.lru import lru_add
from cowpath.kernel.memcontrol import __mem_cgroup_commit_charge as commit_charge
from cowpath.kernel.mmap import new_vma
from cowpath.kernel.page_alloc import take_page
from cowpath.kernel.pgtable import lookup_pte, pte_of, set_pte
from cowpath.kernel.res_counter import res_counter_charge
from cowpath.kernel.rwsem import down_read
from cowpath.kernel.state import EXPLORE
from cowpath.kernel.wait import sleep_on
from cowpath.programs.code import Assembler
from cowpath.session.plan import FilePlan, MachineSettings, Plan, Start

TINY = replace(
    EXPLORE, pages=256, tasks=16, mms=16, vmas=32, directories=64, tables=32, entries=16, slots=64, requests=8,
    swaps=32, narrow=False,
)  # fmt: skip
FILE_PAGES = 20

loaded_design = cache(designs.load)
loaded_costs = cache(costs.load)


class Hand:
    """The machine ``k``: 256 pages, 2 CPUs, 2 files, no group yet, and no task."""

    def __init__(self, design: str | Design = "linux-3.0", swap: int = 0) -> None:
        asm = Assembler("rules")
        asm.comm("task")
        asm.emit(n.OP_EXIT)
        code = asm.code()
        files = tuple(FilePlan(name, FILE_PAGES, FILE_PAGES, False, False) for name in ("lib", "data"))
        plan = Plan(
            name="rules", source="", ops=code.ops, comms=code.comms, slots=("a", "b", "c", "d"), files=files,
            groups=("", "A", "B", "C"), parents=(n.NONE, 0, 0, 0), starts=(), shell=0, texts=(),
            settings=MachineSettings(),
        )  # fmt: skip
        self.built: Any = machine.build(
            plan, loaded_design(design) if isinstance(design, str) else design, loaded_costs(), cpus=2,
            memory=256 * n.PAGE_SIZE, swap=swap * n.PAGE_SIZE, capacity=TINY,
        )  # fmt: skip
        self.k: Any = self.built.plain  # of which a field is read much sooner
        self.k.books.driver = 0
        self.k.books.has_rcu = 0  # nobody lets a grace period pass
        self.k.state.kswapd = self.k.state.flusher = n.NONE
        self.k.state.n_groups = 1

    # --- groups ----------------------------------------------------------------------------------
    def group(self, limit: int = n.UNLIMITED, memsw: int = n.UNLIMITED, parent: int = 0, hierarchy: bool = True) -> int:
        g = int(self.k.state.n_groups)
        assert cgroup_create(self.k, g, parent) == n.NEXT
        group = self.k.state.groups[g]
        group.use_hierarchy, group.res.limit, group.memsw.limit = hierarchy, limit, memsw
        return g

    def of(self, g: int) -> Any:
        return self.k.state.groups[g]

    def usage(self, *groups: int) -> list[int]:
        return [int(self.of(g).res.usage) for g in groups]

    def memsw(self, *groups: int) -> list[int]:
        return [int(self.of(g).memsw.usage) for g in groups]

    # --- tasks -----------------------------------------------------------------------------------
    def task(self, group: int = 0, parent: int = n.NONE) -> int:
        """A task with an address space of its own."""
        t = int(self.k.state.n_tasks)
        machine.boot_task(self.built, Start(0, 0, n.NONE, n.NONE, False))
        task = self.k.state.tasks[t]
        task.is_root = 0
        cgroup_attach_task(self.k, t, group)
        if parent != n.NONE:
            family = self.k.state.tasks[parent]
            if family.first_child == n.NONE:
                family.first_child = t
            else:
                self.k.state.tasks[family.last_child].sibling = t
            family.last_child, task.parent = t, parent
        return t

    def task_of(self, t: int) -> Any:
        return self.k.state.tasks[t]

    def mm(self, t: int) -> Any:
        return self.k.state.mms[self.task_of(t).mm]

    def weighs(self, t: int, pages: int) -> int:
        """The task's address space is so large, to the OOM killer."""
        self.mm(t).anon_rss = pages
        return t

    def asleep(self, *tasks: int) -> list[bool]:
        return [bool(self.task_of(t).run_state == n.T_SLEEPING) for t in tasks]

    def in_oom(self, g: int) -> int:
        """A task of the group that sleeps until there is memory."""
        t = self.task(g)
        sleep_on(self.k, t, self.of(g).oom_waiters, n.W_OOM, g, 1, 0)
        return t

    # --- what a task does ------------------------------------------------------------------------
    def fault(self, t: int, path: int, step: int, vpn: int = 0, **fields: Any) -> Any:
        """The task is in a fault, at a step of its path: the frame of that."""
        below = push(self.k, t, s.P_PAGE_FAULT)
        below.mm, below.vpn, below.fault = self.task_of(t).mm, vpn, fields.get("fault", 0)
        assert down_read(self.k, t, self.k.state.mms[below.mm].mmap_sem, n.W_MMAP_READ, int(below.mm))
        below.held = n.H_MMAP_READ
        return self.call(t, path, step, mm=int(below.mm), vpn=vpn, **fields)

    def call(self, t: int, path: int, step: int, **fields: Any) -> Any:
        f = push(self.k, t, path)
        f.pc = list(self.k.books.paths[path].steps).index(step)
        for name, value in fields.items():
            setattr(f, name, value)
        return f

    # --- pages -----------------------------------------------------------------------------------
    def page(self, group: int = n.NONE, bits: int = n.PG_ANON | n.PG_UPTODATE) -> int:
        """An anonymous page, charged to a group, on its lists."""
        p = int(take_page(self.k))
        self.k.state.pages[p].bits |= bits
        self.charge(p, group)
        lru_add(self.k, p)
        return p

    def charge(self, p: int, group: int) -> None:
        if group != n.NONE:
            if group:
                assert res_counter_charge(self.k, group, 1)[0] == n.NONE
            commit_charge(self.k, p, group, self.of_page(p).bits & n.PG_ANON == 0)

    def cached(self, index: int, group: int = 0, bits: int = n.PG_UPTODATE, file: int = 0) -> int:
        """A page of a file, in the page cache."""
        from cowpath.kernel.filemap import add_to_page_cache

        p = int(take_page(self.k))
        self.k.state.pages[p].bits |= bits
        self.charge(p, group)
        add_to_page_cache(self.k, p, file, index)
        self.of_page(p).refs -= 1
        lru_add(self.k, p)
        return p

    def of_page(self, p: int) -> Any:
        return self.k.state.pages[p]

    def maps(self, t: int, vpn: int, p: int, prot: int = n.VM_WRITE, bits: int = n.PTE_ACCESSED) -> Any:
        """The task maps the page; the entry."""
        m, page = int(self.task_of(t).mm), self.of_page(p)
        file = int(page.file)
        new_vma(self.k, m, vpn, vpn + 1, file, 0 if file == n.NONE else int(page.index), prot)
        if file != n.NONE or page.mapcount:
            page.refs += 1
        assert set_pte(self.k, m, vpn, p, bits)
        return pte_of(self.k, lookup_pte(self.k, m, vpn))

    def locked(self, p: int, t: int) -> int:
        from cowpath.kernel.page_lock import trylock_page

        assert trylock_page(self.k, t, p)
        return p
