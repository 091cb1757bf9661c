"""The pages and disk requests of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cowpath.kernel import names as n
from cowpath.observe.scene import rows

from .explain import CaseScene
from .picture import PageState, RequestState

MARKS = (
    (n.PG_UPTODATE, "up to date"), (n.PG_DIRTY, "dirty"), (n.PG_WRITEBACK, "being written"), (n.PG_ERROR, "I/O error"),
    (n.PG_MLOCKED, "mlocked"),
)  # fmt: skip


def pages_of(scene: CaseScene) -> Iterator[PageState]:
    """Every page that somebody has: those of files first, in the files' order."""
    state = scene.k.state
    used = [p for p in range(int(state.n_pages)) if int(state.pages[p].refs) > 0]
    mapped = _mappers(scene)
    new = {int(f.newpage): t for t, f in _frames(scene.k) if int(f.held) & n.H_NEW_PAGE}
    used.sort(
        key=lambda p: (int(state.pages[p].file) == n.NONE, int(state.pages[p].file), int(state.pages[p].index), p)
    )
    for p in used:
        page = state.pages[p]
        yield PageState(
            frame=p,
            name=scene.page(p),
            kind=_kind(scene, page, new.get(p)),
            owner=_owner(scene, int(page.locked_by)),
            waiters=scene.queue(page.waiters),
            charged_to=scene.group(int(page.group)) if int(page.group) > 0 else "",
            mapped_by=tuple(dict.fromkeys(mapped.get(p, ()))),
            marks=tuple(name for bit, name in MARKS if int(page.bits) & bit),
        )


def _frames(k: Any) -> Iterator[tuple[int, Any]]:
    for t in range(int(k.state.n_tasks)):
        for d in range(int(k.state.tasks[t].depth)):
            yield t, k.state.tasks[t].frames[d]


def _kind(scene: CaseScene, page: Any, maker: int | None) -> str:
    if maker is not None:
        return f"{scene.task(maker)}'s new page"
    if int(page.bits) & n.PG_TABLE:
        return "page table"
    if int(page.file) != n.NONE:
        return "file page"
    if int(page.bits) & n.PG_SWAPCACHE:
        return "swap cache"
    return "anonymous" if int(page.bits) & n.PG_ANON else "taken out of its file"


def _owner(scene: CaseScene, locked_by: int) -> str:
    if locked_by <= n.REQUEST_OWNER:
        return (
            "the disk"
            if int(scene.k.state.requests[n.REQUEST_OWNER - locked_by].submitted)
            else "a read that is not sent yet"
        )
    return scene.task(locked_by) if locked_by >= 0 else ""


def _mappers(scene: CaseScene) -> dict[int, list[str]]:
    """Who maps which page."""
    state = scene.k.state
    found: dict[int, list[str]] = {}
    for number in range(int(state.n_tables)):
        table = state.tables[number]
        if int(table.mm) == n.NONE:
            continue
        users = [scene.task(t) for t in range(int(state.n_tasks)) if int(state.tasks[t].mm) == int(table.mm)]
        for pte in rows(table.pte):
            if int(pte.bits) & n.PTE_PRESENT and int(pte.page) != n.NONE:
                found.setdefault(int(pte.page), []).extend(users)
    return found


def requests_of(scene: CaseScene) -> Iterator[RequestState]:
    """The disk requests that there are."""
    state = scene.k.state
    for number, request in enumerate(rows(state.requests)):
        if not int(request.busy):
            continue
        pages, p = [], int(request.first)
        while p != n.NONE:
            pages.append(scene.page(p))
            p = int(state.pages[p].io_next)
        if int(state.disk_busy) == number:
            where = "the disk works on it"
        elif int(request.submitted):
            where = "waits for the disk"
        else:
            where = f"being filled by {scene.task(int(request.owner))}"
        verb = "writes" if int(request.write) else "reads"
        yield RequestState(number, f"{verb} {', '.join(pages) or 'nothing yet'}", where)
