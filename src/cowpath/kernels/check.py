"""Is an order of steps possible at all? What each step takes, needs and gives back comes from ``kernel.steps``."""

from __future__ import annotations

from typing import Any

from cowpath.errors import InputError
from cowpath.kernel.names import H_CHARGE, H_MMAP_READ, H_NEW_PAGE, H_PAGE_LOCK, H_PAGE_REF, H_PAGE_TABLE, HOLD_NAMES
from cowpath.kernel.steps import FAULT_PATHS, MAY_BE_EMPTY, STEPS, StepInfo, number_of
from cowpath.words import slip_of

MAX_STEPS = 32
ERROR_EXIT_STEPS = {
    "unlock_page": H_PAGE_LOCK, "put_page": H_PAGE_REF, "uncharge": H_CHARGE, "free_page": H_NEW_PAGE,
    "pte_free": H_PAGE_TABLE,
}  # fmt: skip
COPYING = ("file_cow", "wp_copy")
PAYING = ("reclaim_high", "high_delay")  # for what has been charged over memory.high


def _info(step: str) -> StepInfo:
    return STEPS[number_of(step)]


def _names(bits: int) -> str:
    return " and ".join(name for i, name in enumerate(HOLD_NAMES) if bits >> i & 1)


def _unknown(step: str, known: tuple[str, ...], path: str, source: str) -> InputError:
    slip = slip_of(step, known)
    hint = f"did you mean {slip!r}?" if slip else "steps are: " + ", ".join(known)
    return InputError(f"path {path!r}: there is no step {step!r}", file=source, hint=hint)


Problem = tuple[str, str]  # why a step cannot come now, and what would be right


class Walk:
    """A walk through the steps of a path that keeps books of what is held and what is done."""

    def __init__(self, path: str, held: int = 0, done: frozenset[str] = frozenset()) -> None:
        self.path = path
        self.held = held
        self.done = done

    def problem(self, step: str) -> Problem | None:
        """Why this step cannot come next, or None."""
        needs, takes, _ = self._effects(step)
        if needs & ~self.held:
            return f"there is no {_names(needs & ~self.held)} yet", _giver(needs & ~self.held)
        if takes & self.held:
            return f"the {_names(takes & self.held)} is held already", "it would wait for itself"
        return self._misplaced(step) or self._too_early(step)

    def after(self, step: str) -> Walk:
        """The walk, a step further."""
        _, takes, gives = self._effects(step)
        return Walk(self.path, (self.held | takes) & ~gives, self.done | {step})

    def _effects(self, step: str) -> tuple[int, int, int]:
        """What it needs, takes and gives here: a charge after the page is mapped is kept by the page at once."""
        info = _info(step)
        if step == "charge" and {"map_page", "alloc_page"} <= self.done:
            return 0, 0, info.gives | H_CHARGE
        if self.path == "handle_mm_fault":
            return info.needs & ~H_MMAP_READ, info.takes, info.gives  # its caller has it, for writing
        if step == "charge" and self.path == "swap_in":
            return H_PAGE_REF, info.takes, info.gives  # what is charged is the page of the swap cache
        return info.needs, info.takes, info.gives

    def _misplaced(self, step: str) -> Problem | None:
        """It has nothing to do on this path."""
        for where in _info(step).misplaced:
            if self.path in where.paths:
                return where.why, where.hint
        return None

    def _too_early(self, step: str) -> Problem | None:
        """What it works on is not there yet, or it has been done."""
        if step == "map_page" and self.path in FAULT_PATHS and not self.held & (H_NEW_PAGE | H_PAGE_REF):
            return "there is no page to map yet", "find_page or alloc_page comes first"
        if self.path in COPYING and step == "map_page" and "copy_page" not in self.done:
            return "nothing has been copied yet", "alloc_page and copy_page come before map_page"
        info = _info(step)
        if step in PAYING and self.path in FAULT_PATHS and not any(_info(each).charges for each in self.done):
            return "nothing has been charged yet", "it comes after charge"
        if info.before in self.done:
            return f"{info.before} has been done already", f"it comes before {info.before}"
        if info.once and step in self.done:
            return "it stands in the path twice", "once is enough"
        return None


def check_path(path: str, steps: tuple[str, ...], source: str) -> None:
    """Walk through a path and keep books of what is held. Raises InputError that names the path and the step."""
    if not (0 if path in MAY_BE_EMPTY else 1) <= len(steps) <= MAX_STEPS:
        raise InputError(f"path {path!r} has {len(steps)} steps", file=source, hint=f"1 to {MAX_STEPS}")
    walk = Walk(path)
    known = tuple(info.name for info in STEPS if info.fault or path not in FAULT_PATHS)
    for place, step in enumerate(steps):
        if step not in known:
            raise _unknown(step, known, path, source)
        problem = walk.problem(step)
        if problem is not None:
            raise InputError(f"path {path!r}, step {place + 1} ({step}): {problem[0]}", file=source, hint=problem[1])
        walk = walk.after(step)
    if walk.held:
        held = _names(walk.held)
        raise InputError(f"path {path!r} ends with the {held} still held", file=source, hint=_taker(walk.held))
    _check_whole(path, walk.done, source)


def _check_whole(path: str, done: frozenset[str], source: str) -> None:
    if path in FAULT_PATHS and path != "anon_read" and "map_page" not in done:
        raise InputError(f"path {path!r} maps nothing", file=source, hint="a fault ends with map_page")
    if ("each_page" in done) != ("next_page" in done):
        raise InputError(f"path {path!r} has one of each_page and next_page without the other", file=source)


def check_together(paths: dict[str, tuple[str, ...]], policies: dict[str, Any], source: str) -> None:
    """Paths and policies that go with each other. Raises InputError."""
    check_retry(paths, policies, source)
    check_lists(paths, policies, source)
    check_never(paths, policies, source)


def check_retry(paths: dict[str, tuple[str, ...]], policies: dict[str, Any], source: str) -> None:
    """A fault that drops mmap_sem for I/O waits for the page with its lock. Raises InputError."""
    if policies["fault_retry"] != "io":
        return
    for path in FAULT_PATHS:
        if "find_page" in paths[path] and "lock_page" not in paths[path]:
            raise InputError(
                f'path {path!r}: fault_retry = "io" lets go of mmap_sem in find_page, and nothing waits for the page',
                file=source, hint="lock_page after find_page, or another fault_retry",
            )  # fmt: skip


def check_lists(paths: dict[str, tuple[str, ...]], policies: dict[str, Any], source: str) -> None:
    """Reclaim finds pages on the lists on which the kernel puts them. Raises InputError."""
    wanted, other = "shrink_zone", "shrink_node"
    if policies["lru_lists"] == "group":
        wanted, other = other, wanted
    if other in paths["reclaim"]:
        raise InputError(
            f'path "reclaim" has no {wanted}, and lru_lists is "{policies["lru_lists"]}": it would find no pages',
            file=source, hint='shrink_node goes with lru_lists = "group", shrink_zone with "zone"',
        )  # fmt: skip


# a policy, its value that says: never; and the path of which that is said
NEVER = (("oom_reaper", "none", "oom_reaper"), ("charge_on_oom", "sleep", "pagefault_out_of_memory"))


def check_never(paths: dict[str, tuple[str, ...]], policies: dict[str, Any], source: str) -> None:
    """What a policy asks for has a path with steps, and what it rules out has none. Raises InputError."""
    for policy, never, path in NEVER:
        value = policies[policy]
        if value == never and paths[path]:
            raise InputError(
                f'policy {policy} = "{value}", and path {path!r} has steps', file=source, hint=f"{path} = []"
            )
        if value != never and not paths[path]:
            raise InputError(
                f'policy {policy} = "{value}", and path {path!r} has no steps: nobody would do it', file=source,
                hint=f'{policy} = "{never}", or the steps of a kernel that does it',
            )  # fmt: skip


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
