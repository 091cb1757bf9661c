"""The end of a counterexample in words: who waits for whom, what is held, which number is wrong."""

from __future__ import annotations

from typing import Any

from cowpath.cases.plan import CasePlan
from cowpath.engine import explore
from cowpath.engine import moves as m
from cowpath.engine import properties as p
from cowpath.engine.chain import chain
from cowpath.kernel import names as n
from cowpath.kernel.generated import lock_row
from cowpath.observe.scene import Scene
from cowpath.observe.words import Chain, chain_of_hops

from .graph import Graph, Loop
from .movers import task_name
from .space import Space


class CaseScene(Scene):
    """A small machine: its tasks have the names of the case. It is looked at as a whole, again and again: ``k`` is its
    plain form, of which a field is read much sooner than of NumPy's record.
    """

    def __init__(self, k: Any, plan: CasePlan) -> None:
        super().__init__(k, plan.plan)
        self.k = k.plain
        self.case = plan

    def task(self, t: int) -> str:
        """``attacker``."""
        return task_name(self.case, t, self.k)

    def chosen_at(self, t: int) -> str:
        """There is no time."""
        return ""

    def limits_of(self, number: int) -> str:
        """``limit 1 page, OOM killer off``."""
        group = self.k.state.groups[number]
        limits = [f"{what} {limit} {'page' if limit == 1 else 'pages'}" for what, limit in self._limits(group)]
        return f"{', '.join(limits) or 'no limit'}, OOM killer {'off' if group.oom_kill_disable else 'on'}"

    def mark_of(self, number: int) -> str:
        """``memory.high of 1 page``."""
        name, pages = self._mark(self.k.state.groups[number])
        return f"{name} of {pages} {'page' if pages == 1 else 'pages'}"


MOST_MOVES = 400  # that a machine is let go on to see how a task that can never finish ends


def hops_of(space: Space, scene: CaseScene, t: int, delayed: bool = False) -> Chain:
    """The wait-for chain of a task, on the machine as it stands: to a group's memory, or to what delays it."""
    links = chain(space.k, t, lambda _, task: space.drive(explore.HOLDER, task, int(delayed)))
    return chain_of_hops(links, scene)


def chain_of(space: Space, plan: CasePlan, t: int) -> str:
    """The same as a sentence."""
    return str(hops_of(space, CaseScene(space.k, plan), t))


def never_ends(space: Space, plan: CasePlan, t: int) -> str:
    """Why a task can never finish: the machine goes on until it sleeps behind somebody, or nobody can move."""
    for _ in range(MOST_MOVES):
        asleep = int(space.k.state.tasks[t].run_state) == n.T_SLEEPING
        able = space.drive(explore.WHO) & ((1 << m.OUTSIDE) - 1)
        if not able or (asleep and not able & ~(1 << t)):
            break
        space.play([(able & -able).bit_length() - 1 if not able >> t & 1 or asleep else t])
    name = task_name(plan, t, space.k)
    return f"what {name} is doing can never end, whoever moves: {chain_of(space, plan, t)}"


def at_the_end(space: Space, plan: CasePlan, which: int) -> str:
    """Why the machine, as it stands, violates a property of states."""
    at = space.drive(explore.OFFENDER, which)
    if which in (p.ISOLATION, p.KILLABLE):
        return chain_of(space, plan, at)
    scene = CaseScene(space.k, plan)
    if which == p.ACCOUNTING:
        return accounts(space.k, at, scene)
    if which == p.NO_LEAK:
        return "no task is in the kernel, but " + (left_behind(space.k, scene) or "a page has a reference too many")
    if which == p.NO_STALE_PAGE:
        return stale(space.k, plan, at)
    if which == p.NO_DELAY:
        return str(hops_of(space, scene, at, delayed=True))
    if which == p.WITHIN_LIMIT:
        return over_limit(space.k, at, scene)
    if which == p.DYING_EXEMPT:
        return f"{scene.task(at)} has been killed, and reclaims for memory.high"
    if which == p.NO_REREAD:
        return f"{scene.task(at)} has reclaimed, for memory.high, a page that its own read or fault has yet to get"
    return f"{scene.task(at)} is about to take or leave a lock against the order, in {step_name(space.k, at)}"


def accounts(k: Any, g: int, scene: Scene) -> str:
    """What is wrong with a group's counters."""
    if not 0 < g < int(k.state.n_groups):
        return "a CPU's stock of charges is wrong"
    group = k.state.groups[g]
    pages = sum(int(page.group) == g for page in k.state.pages)
    return (f"{scene.group(g)}: usage is {int(group.res.usage)} pages, memsw {int(group.memsw.usage)}, "
            f"but {pages} pages are charged to it")  # fmt: skip


def over_limit(k: Any, g: int, scene: Scene) -> str:
    """By how much a group is over its limit."""
    counter = k.state.groups[g].res
    return f"{scene.group(g)}: usage is {int(counter.usage)} pages, its limit {int(counter.limit)}"


def left_behind(k: Any, scene: Scene) -> str:
    """The first thing that is held though nobody is in the kernel."""
    for number in range(int(k.state.n_pages)):
        if int(k.state.pages[number].locked_by) >= 0:
            return f"{scene.page(number)} is locked by {scene.task(int(k.state.pages[number].locked_by))}"
    for mutex in scene.mutexes():
        if mutex.owner != n.FREE:
            return f"the {mutex.title} is held"
    for kind, wait in enumerate(n.WAITS):
        if wait.rwsem is not None and any(int(sem.readers) or int(sem.writer) != n.NONE for sem in lock_row(k, kind)):
            return f"an {wait.rwsem.name} is held"
    return ""


def stale(k: Any, plan: CasePlan, p: int) -> str:
    """Who maps the page, and what is wrong with it."""
    mms = set()
    for table in k.state.tables:
        if int(table.mm) != n.NONE and any(int(pte.page) == p and int(pte.bits) & n.PTE_PRESENT for pte in table.pte):
            mms.add(int(table.mm))
    names = [task_name(plan, t, k) for t in range(int(k.state.n_tasks)) if int(k.state.tasks[t].mm) in mms]
    who = " and ".join(names) or "a task"
    if not int(k.state.pages[p].bits) & n.PG_UPTODATE:
        return f"{who} maps a page that is not up to date, or a copy of one"
    return f"{who} maps a page beyond the end of the file, and truncate has returned"


def step_name(k: Any, t: int) -> str:
    """The kernel step in which a task is."""
    from cowpath.kernel.steps import STEP_NAMES

    task = k.state.tasks[t]
    if int(task.depth) == 0:
        return "user mode"
    f = task.frames[int(task.depth) - 1]
    if int(f.unwinding):
        return "its error exit"
    return STEP_NAMES[int(k.books.paths[int(f.path)].steps[int(f.pc)])]


def standstill(graph: Graph, loop: Loop, plan: CasePlan, k: Any) -> str:
    """Why a group does not get any further, though its OOM killer is on."""
    name = CaseScene(k, plan).group(loop.who)
    words = f"{name} is out of memory, its OOM killer is on, and nothing in it is charged, freed or killed any more"
    always = bool(graph.has(p.OOM_LOCKED + loop.who)[loop.members].all())
    if always and k.state.oom_counter:
        return (f"{words}: oom_lock is a counter, in none of these {len(loop.members)} states is it 0, and only who "
                "raises it from 0 to 1 may kill")  # fmt: skip
    return f"{words} ({'nobody can move' if not loop.walk else f'a loop of {len(loop.members)} states'})"
