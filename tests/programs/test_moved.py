"""Moved memory keeps its place: against an address space that is a table of single pages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cowpath.programs.moved import ELSEWHERE, Places, without

PAGES = 24
ranges = st.tuples(st.integers(0, PAGES - 1), st.integers(1, 8))


class Table:
    """Which piece of memory each page shows: a number that is never used again."""

    def __init__(self) -> None:
        self.pages: dict[int, int] = {}
        self.next = 0


@given(st.lists(st.tuples(st.sampled_from(["map", "unmap", "move"]), ranges, st.integers(0, PAGES - 1))))
def test_against_a_table(steps: list[tuple[str, tuple[int, int], int]]) -> None:
    table, places = Table(), Places()
    model: dict[int, int] = {}  # the memory at each place of the model
    for what, (first, pages), new in steps:
        span = range(first, first + pages)
        if what == "move":
            kept = [page for page in span if page in table.pages]
            overlap = set(span) & set(range(new, new + pages))
            if len(kept) < pages or overlap or any(new + i in table.pages for i in range(pages)):
                continue  # mremap takes one mapping, to where there is none
            places.move(first, new, pages)
            for i in range(pages):
                table.pages[new + i] = table.pages.pop(first + i)
            continue
        for place, count in places.of(first, pages):
            for page in range(place, place + count):
                model.pop(page, None)
        for page in span:
            table.pages.pop(page, None)
        if what == "unmap":
            places.forget(first, pages)
            continue
        place = places.new(first, pages)
        for i in range(pages):
            assert place + i not in model  # nothing that is still there is mapped over
            model[place + i] = table.pages[first + i] = table.next
            table.next += 1
    for page, memory in table.pages.items():
        found = places.page(page)
        assert found is not None and model[found] == memory
    assert set(model.values()) == set(table.pages.values())


def test_what_is_mapped_where_moved_memory_lies_gets_another_place() -> None:
    places = Places()
    places.move(100, 200, 10)
    assert places.page(205) == 105
    assert places.page(105) is None
    assert places.new(104, 4) == ELSEWHERE
    assert places.of(100, 10) == [(ELSEWHERE, 4)]
    assert places.new(300, 4) == 300


@given(ranges, st.lists(ranges))
def test_without(whole: tuple[int, int], taken: list[tuple[int, int]]) -> None:
    first, pages = whole
    rest = set(range(first, first + pages)) - {page for begin, count in taken for page in range(begin, begin + count)}
    left = without(first, first + pages, [(begin, begin + count) for begin, count in taken])
    assert [page for begin, count in left for page in range(begin, begin + count)] == sorted(rest)
