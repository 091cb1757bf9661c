"""The wait-for chain in words: who waits for what, held by whom, who waits for whose memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cowpath.kernel import names as n
from cowpath.observe.scene import Scene, Words
from cowpath.observe.text import rough

HAD_CHOSEN = "it had chosen"
CHOSE = ("it chose", HAD_CHOSEN)  # how the OOM killer's victim stands in the way of its group's memory


class Link(Protocol):
    """A link of ``engine.chain``: a task and what it waits for."""

    @property
    def task(self) -> int:
        """Its number."""

    @property
    def kind(self) -> int:
        """What it waits for: ``W_*`` or W_MEMORY."""

    @property
    def what(self) -> int:
        """Which one: a page, an address space, a file, a group."""

    @property
    def step(self) -> str:
        """The kernel step that it is in."""


class Free(Protocol):
    """A task of ``engine.verdict.Judgement.free``."""

    @property
    def task(self) -> int:
        """Its number."""

    @property
    def kind(self) -> int:
        """What it waits for: ``W_*``; W_NONE: it runs."""

    @property
    def for_ns(self) -> int:
        """How long it still sleeps; negative: no timer ends what it does."""


@dataclass(frozen=True)
class Thing:
    """What a task waits for that others may hold or wait for too: a lock, a group's memory."""

    kind: int  # W_*: that of a group's memory is W_MEMORY, that of an rwsem the one to read, whatever for
    what: int  # which one
    title: str  # "page lock", "A's memory"
    rest: str  # "libc.so.6 page 31", "limit 64M, OOM killer off"


@dataclass(frozen=True)
class Hop:
    """A task of a chain, and what it waits for. All texts are safe for a terminal."""

    number: int  # of the task
    thing: Thing | None  # None: it runs, or waits for something of its own
    task: str  # "cc1[208]"
    group: str  # empty: it is in none
    waits_for: str  # "waits for the page lock of libc.so.6 page 31"
    by: str  # how the next hop's task stands in the way: "held by"; empty at the end
    since: str = ""  # of the OOM killer's victim: "at 1.01 s"
    known: bool = False  # its group has been named: it is the one whose memory is waited for

    @property
    def who(self) -> str:
        """``cc1[208] in A``."""
        return f"{self.task} in {self.group}" if self.group else self.task

    @property
    def named(self) -> str:
        """The same where the sentence has named the group, and when it was chosen: ``hog[3] at 1.01 s``."""
        return (self.task if self.known else self.who) + (f" {self.since}" if self.since else "")


@dataclass(frozen=True)
class Chain:
    """Who waits for what, held by whom, and so on. ``str`` makes a sentence of it."""

    hops: tuple[Hop, ...]
    deadlock: str = ""  # whom the last hop waits for, if that is a task of the chain

    def __str__(self) -> str:
        """``ls[412] waits for the page lock of libc.so.6 page 31, held by cc1[208] in A, which waits for ...``."""
        words = ""
        for i, hop in enumerate(self.hops):
            words += f"{hop.named} {hop.waits_for}" if i == 0 else f"{hop.named}, which {hop.waits_for}"
            words += f"{':' if hop.by in CHOSE else ','} {hop.by} " if hop.by else ""
        if not self.deadlock:
            return words
        if not any(hop.by in CHOSE for hop in self.hops):
            return f"{words}{self.deadlock}: a deadlock"
        return f"{words}{next((hop.task for hop in self.hops if hop.who == self.deadlock), self.deadlock)} (a cycle)"


def alike(chains: Sequence[Chain]) -> list[list[Chain]]:
    """Chains that differ in their first task only, together: several wait for the same thing."""
    found: dict[tuple[Hop | Thing | None, ...], list[Chain]] = {}
    for chain in chains:
        if chain.hops:
            found.setdefault((chain.hops[0].thing, *chain.hops[1:]), []).append(chain)
    return list(found.values())


def chain_of_hops(links: Sequence[Link], scene: Scene) -> Chain:
    """A chain with its names. The scene is the machine in which the links were found, unchanged."""
    hops: list[Hop] = []
    named = n.NONE  # the group whose memory the chain has come to
    for i, link in enumerate(links):
        after = links[i + 1] if i + 1 < len(links) else None
        group = scene.group_of(link.task)
        by = "" if after is None else holds(link, after, scene)
        since = scene.chosen_at(link.task) if hops and hops[-1].by in CHOSE else ""
        hops.append(
            Hop(link.task, thing_of(link, scene), scene.task(link.task), scene.group(group) if group > 0 else "",
                waits_for(link, scene), by, since, 0 < group == named)
        )  # fmt: skip
        if link.kind in (n.W_OOM, n.W_MEMORY, n.W_THROTTLE):
            named = link.what
        if after is not None and any(earlier.task == after.task for earlier in links[: i + 1]):
            return Chain(tuple(hops), scene.task_and_group(after.task))
    return Chain(tuple(hops))


def waits_for(link: Link, scene: Scene) -> str:
    """What a task waits for: ``waits for the page lock of libc.so.6 page 31``."""
    if link.kind == n.W_PAGE_LOCK and being_read(link, scene):
        return f"waits for the read of {scene.page(link.what)} from disk"
    if link.kind == n.W_NONE or link.kind >= n.WAIT_KINDS:
        return f"is in {link.step}" if link.step else "runs"
    return n.WAITS[link.kind].does.format_map(Words(scene.named(), link.what))


def thing_of(link: Link, scene: Scene) -> Thing | None:
    """What a task waits for, as a thing."""
    if link.kind < n.WAIT_KINDS and n.IS_MUTEX[link.kind]:
        wait = n.WAITS[link.kind]
        return Thing(link.kind, link.what, wait.name, "" if wait.of == "machine" else scene.thing(wait.of, link.what))
    if link.kind < n.WAIT_KINDS and n.IS_RWSEM[link.kind]:
        wait = n.WAITS[link.kind]
        how = "(to write)" if wait.writes else "(to read)"
        assert wait.rwsem is not None
        rest = how if wait.of == "mm" else f"{scene.thing(wait.of, link.what)} {how}"
        return Thing(n.TO_READ_IT[link.kind], link.what, wait.rwsem.name, rest)
    match link.kind:
        case n.W_PAGE_LOCK:
            title = "read from disk" if being_read(link, scene) else "page lock"
            return Thing(n.W_PAGE_LOCK, link.what, title, scene.page(link.what))
        case n.W_VMA_LOCK:
            return Thing(n.W_VMA_LOCK, link.what, "a VMA lock", "(to write)")
        case n.W_SWAP_ENTRY:
            return Thing(n.W_SWAP_ENTRY, link.what, "a swap entry", f"(swap slot {link.what})")
        case n.W_OOM | n.W_MEMORY:
            return Thing(n.W_MEMORY, link.what, f"{scene.group(link.what)}'s memory", scene.limits_of(link.what))
        case n.W_THROTTLE:
            return Thing(n.W_MEMORY, link.what, f"{scene.group(link.what)}'s memory", scene.mark_of(link.what))
        case n.W_WRITEBACK:
            return Thing(n.W_WRITEBACK, link.what, "write-back", scene.page(link.what))
        case n.W_CONGESTED:
            return Thing(n.W_CONGESTED, 0, "the disk", "too many writes to do")
        case _:
            return None


def holds(link: Link, after: Link, scene: Scene) -> str:
    """How the task of the next link stands in the way of this one."""
    if link.kind in (n.W_OOM, n.W_MEMORY):
        off = bool(scene.k.state.groups[link.what].oom_kill_disable)
        return HAD_CHOSEN if off else CHOSE[0]
    if link.kind == n.W_PAGE_LOCK and being_read(link, scene):
        return "which has yet to be sent to the disk by"
    known = link.kind < n.WAIT_KINDS and after.kind < n.WAIT_KINDS
    if known and n.IS_RWSEM[link.kind] and after.kind == link.kind + 1 and after.what == link.what:
        return "behind the waiting writer"
    if link.kind in (n.W_CHILD, n.W_TIMER, n.W_NONE):
        return "by way of"
    return "held by"


def being_read(link: Link, scene: Scene) -> bool:
    """The page's lock is held by a disk request."""
    return int(scene.k.state.pages[link.what].locked_by) <= n.REQUEST_OWNER


def unless(free: Sequence[Free], scene: Scene) -> str:
    """``unless idle[3], asleep for another hour, does something``; "" if nobody may."""
    if not free:
        return ""
    first = free[0]
    who = f"unless {scene.task(first.task)}, {free_to(first)}"
    return f"{who}, does something" if len(free) == 1 else f"{who}, or {len(free) - 1:,} more do something"


def free_to(free: Free) -> str:
    """What a task does that may yet do something: ``asleep for another hour``."""
    if free.kind == n.W_NONE:
        return "which runs"
    if free.kind == n.W_TIMER and free.for_ns >= 0:
        return f"asleep for another {rough(free.for_ns)}"
    if free.kind == n.W_CHILD:
        return "which waits for its children"
    if free.kind == n.W_COMPLETION:
        return "which waits for another task"
    if free.kind == n.W_THROTTLE:
        return f"throttled for another {rough(free.for_ns)}"
    if n.BLOCKS[free.kind] and free.kind != n.W_PAGE_LOCK:  # such a page is being read
        return f"which waits for {n.WAIT_NAMES[free.kind]}"
    return "which pauses" if free.kind == n.W_PAUSE else "which waits for the disk"
