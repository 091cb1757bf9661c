"""Is an order of steps possible at all? What each step takes, needs and gives back comes from ``kernel.steps``."""

from __future__ import annotations

import difflib

from cowpath.errors import InputError
from cowpath.kernel.names import H_CHARGE, H_NEW_PAGE, H_PAGE_LOCK, H_PAGE_REF, HOLD_NAMES
from cowpath.kernel.steps import FAULT_PATHS, STEP_NAMES, STEPS

MAX_STEPS = 32
ERROR_EXIT_STEPS = {
    "unlock_page": H_PAGE_LOCK, "put_page": H_PAGE_REF, "uncharge": H_CHARGE, "free_page": H_NEW_PAGE,
}  # fmt: skip
COPYING = ("file_cow", "wp_copy")
FAULT_STEPS = STEP_NAMES[STEP_NAMES.index("find_page") : STEP_NAMES.index("ra_window")]
NO_FILE = ("anon", "anon_read", "wp_copy")  # paths that have no file's page, and no page to lock
OF_FILES = ("find_page", "lock_page", "recheck_mapping", "page_mkwrite")
OF_SWAP = ("find_swap_page",)


def _names(bits: int) -> str:
    return " and ".join(name for i, name in enumerate(HOLD_NAMES) if bits >> i & 1)


def _unknown(step: str, known: tuple[str, ...], path: str, source: str) -> InputError:
    close = difflib.get_close_matches(step, known, 1, 0.5)
    hint = f"did you mean {close[0]!r}?" if close else "steps are: " + ", ".join(known)
    return InputError(f"path {path!r}: there is no step {step!r}", file=source, hint=hint)


def check_path(path: str, steps: tuple[str, ...], source: str) -> None:
    """Walk through a path and keep books of what is held. Raises InputError that names the path and the step."""

    def wrong(place: int, step: str, why: str, hint: str) -> InputError:
        return InputError(f"path {path!r}, step {place + 1} ({step}): {why}", file=source, hint=hint)

    if not 0 < len(steps) <= MAX_STEPS:
        raise InputError(f"path {path!r} has {len(steps)} steps", file=source, hint=f"1 to {MAX_STEPS}")
    held = 0
    done: set[str] = set()
    for place, step in enumerate(steps):
        known = FAULT_STEPS if path in FAULT_PATHS else STEP_NAMES
        if step not in known:
            raise _unknown(step, known, path, source)
        info = STEPS[STEP_NAMES.index(step)]
        needs, takes = info.needs, info.takes
        if step == "charge" and "map_page" in done and "alloc_page" in done:
            needs = takes = 0  # way 2: the page is mapped before it is charged
            held &= ~H_CHARGE
        if step == "charge" and path == "swap_in":
            needs = H_PAGE_REF  # what is charged is the page of the swap cache
        missing = needs & ~held
        if missing:
            raise wrong(place, step, f"there is no {_names(missing)} yet", _giver(missing))
        if takes & held:
            raise wrong(place, step, f"the {_names(takes & held)} is held already", "it would wait for itself")
        if step in OF_FILES and path in NO_FILE:
            raise wrong(place, step, "there is no page of a file on this path", "it belongs to the paths of files")
        if step in OF_SWAP and path != "swap_in":
            raise wrong(place, step, "there is no page in swap on this path", "it belongs to swap_in")
        if step in ("find_page", "recheck_mapping", "page_mkwrite") and path == "swap_in":
            raise wrong(place, step, "there is no page of a file on this path", "find_swap_page")
        if step == "wp_reuse" and path != "wp_copy":
            raise wrong(place, step, "there is no page to reuse on this path", "it belongs to wp_copy")
        if step == "map_page" and path in FAULT_PATHS and not held & (H_NEW_PAGE | H_PAGE_REF):
            raise wrong(place, step, "there is no page to map yet", "find_page or alloc_page comes first")
        if path in COPYING and step == "map_page" and "copy_page" not in done:
            raise wrong(place, step, "nothing has been copied yet", "alloc_page and copy_page come before map_page")
        if step in ("map_page", "charge") and step in done:
            raise wrong(place, step, "it stands in the path twice", "once is enough")
        held = (held | takes) & ~info.gives
        done.add(step)
    if held:
        raise InputError(f"path {path!r} ends with the {_names(held)} still held", file=source, hint=_taker(held))
    _check_whole(path, done, source)


def _check_whole(path: str, done: set[str], source: str) -> None:
    if path in FAULT_PATHS and path != "anon_read" and "map_page" not in done:
        raise InputError(f"path {path!r} maps nothing", file=source, hint="a fault ends with map_page")
    if ("each_page" in done) != ("next_page" in done):
        raise InputError(f"path {path!r} has one of each_page and next_page without the other", file=source)


def _giver(bits: int) -> str:
    able = [info.name for info in STEPS if info.takes & bits]
    return " or ".join(able) + " comes first"


def _taker(bits: int) -> str:
    able = [info.name for info in STEPS if info.gives & bits]
    return " or ".join(able) + " gives it back"


def check_error_exit(path: str, steps: tuple[str, ...], source: str) -> None:
    """An error exit may leave something out (to see what follows), but it knows only these steps."""
    for step in steps:
        if step not in ERROR_EXIT_STEPS:
            raise _unknown(step, tuple(ERROR_EXIT_STEPS), path, source)
