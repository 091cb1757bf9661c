"""How kernel code is compiled: ``@compiled`` is Numba's njit with the project's settings.

Only what Python calls is kept on disk (``@entry_point``); it carries everything that it calls along. How that is done
is in ``jit``, behind this door. ``INTERPRETED``: nothing is compiled, and Numba not even imported (``plain``).
"""

from __future__ import annotations

from collections.abc import Callable

from .jit import EXTRA_SOURCES, Function, Told
from .plain import INTERPRETED

if INTERPRETED:
    from .plain import announced, cache_folder, can_be_kept, entry, intrinsic, kept, part, sources_as_they_stand
else:
    from .jit.cache import cache_folder, can_be_kept, sources_as_they_stand
    from .jit.dispatchers import entry, intrinsic, kept, part
    from .jit.progress import announced

__all__ = [
    "EXTRA_SOURCES", "INTERPRETED", "Function", "Told", "announced", "apart", "cache_folder", "can_be_kept", "compiled",
    "driver", "entry_point", "inlined", "intrinsic", "kept", "plainly", "sources_as_they_stand",
]  # fmt: skip

# What every move of a fault goes through is copied into its callers; all else is called. Numba would hand a caller's
# ``forceinline`` on to everything that it calls: one function of 57,000 instructions, most of them rarely used.
HOT = frozenset(
    """
    __alloc_pages_nodemask __do_fault __mem_cgroup_commit_charge __mem_cgroup_uncharge_common accessible begin_frame
    begin_page bucket_of cached_page check_locked clear_frame consume_stock do_anonymous_page due filemap_fault
    find_get_page folio_contains folio_nr_pages forget_charge made_progress map_new mem_cgroup_uncharge_page move
    next_cpu note_hold note_latency note_mapped page_cache_release page_folio parent_of place_of
    res_counter_uncharge run_fault_step set_page_dirty slice_of start_timers step_find_page step_map_page
    step_set_page_dirty
    """.split()
)
HOT_MODULES = frozenset(
    """
    step dispatch user user_access system_call small_call wait frames signals vmscan shrink lru rmap page_alloc kswapd
    memory page_lock rwsem memcg_charge memcg_commit mmap_lock fork exit pgtable mmap
    """.split()
)
# Their functions are handed arrays, which Python keeps, and make none: to count references to those costs more than
# most of what is done with them.
BORROWING_MODULES = frozenset({"canonical", "changes", "copiers", "explore", "fingerprint", "fold", "folding"})


def _is_hot(function: Function) -> bool:
    module = function.__module__.split(".")
    return function.__name__ in HOT or (module[-2:-1] == ["kernel"] and module[-1] in HOT_MODULES)


def _borrows(function: Function) -> bool:
    module = function.__module__.split(".")
    return module[-2:-1] == ["engine"] and module[-1] in BORROWING_MODULES


def compiled(function: Function) -> Function:
    """Compile a kernel function."""
    return part(function, inline=_is_hot(function), borrows=_borrows(function))


def apart(function: Function) -> Function:
    """Compile a kernel function of which there is to be one copy: a large one that is called in several places."""
    return part(function, inline=False, apart=True)


def inlined(function: Function) -> Function:
    """Compile a kernel function into those that call it: for what every move goes through."""
    return part(function, inline=True, borrows=_borrows(function))


def entry_point(function: Function) -> Function:
    """Compile a function that Python calls, and keep the result on disk."""
    return entry(function, alone=False)


def plainly(other: Function) -> Callable[[Function], Function]:
    """In plain Python ``other`` does the same as the decorated function, sooner."""
    return lambda function: other if INTERPRETED else function


def driver(function: Function) -> Function:
    """The same, for one that no compiled code calls."""
    return entry(function, alone=True)
