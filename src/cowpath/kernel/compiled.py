"""How kernel code is compiled: ``@compiled`` is Numba's njit with the project's settings.

Only what Python calls is cached on disk (``@entry_point``); it carries everything that it calls along. Numba's cache
does not see a change in a called function of another file, so the folder is named by a hash of all sources that are
compiled, of Numba's version and of the bounds-check switch. Under ``NUMBA_DISABLE_JIT=1`` all of it is plain Python.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
from numba.core import event
from numba.np import arrayobj

from .parts import UNWRAPPED, ApartCompiler, PartCompiler, RootCompiler, WholeCompiler, as_part

Function = Callable[..., Any]

PACKAGE = Path(__file__).resolve().parent.parent
SOURCES = ("kernel", "engine")
# What every move of a fault goes through is copied into its callers; all else is called. Numba would hand a caller's
# ``forceinline`` on to everything that it calls: one function of 57,000 instructions, most of them rarely used.
HOT = frozenset(
    """
    __alloc_pages_nodemask __lock_page_or_retry __mem_cgroup_commit_charge __mem_cgroup_try_charge
    __mem_cgroup_uncharge_common _clear _find_table _grant _group_del _unmap _zone_add _zone_del accessible
    after_kernel begin_frame begin_page bucket_of cached_page call charge_group charges_table check_locked
    clear_frame clear_pte current do_page_fault down_read drop_mapped_hold due emit fatal_signal_pending
    filemap_fault find_vma finish_charge forget_charge free_page free_pages group_add handle_pte_fault is_cache_path
    is_none leave list_of look_ahead lookup_pte lru_add lru_cache_add lru_del made_progress map_new
    mark_page_accessed may_take mm_of_pte move next_cpu note_fault note_hold note_latency note_recent
    page_cache_release parent_of place_in_file pte_of push random_below res_counter_uncharge run_fault_step
    set_page_dirty set_pte settle slice_of spend start_timers step step_alloc_page step_anon_vma_prepare step_charge
    step_copy_page step_find_page step_find_vma step_handle_pte_fault step_map_page step_mmap_read_lock
    step_mmap_read_unlock step_put_page step_set_page_dirty step_unlock_page take_page touch trylock_page
    unlock_page up_read user zap_pte
    """.split()
)
HOT_MODULES = frozenset("step user wait frames signals vmscan shrink lru rmap page_alloc kswapd".split())
FUNCTIONS: list[str] = []  # all that are compiled, to say how far it is
Told = Callable[[int, int], None]  # functions compiled, and how many there are


def cache_folder() -> Path:
    """Where compiled code is kept: ``$COWPATH_CACHE``, or ``~/.cache/cowpath``, and below it the key of the sources."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    base = Path(os.environ.get("COWPATH_CACHE") or caches / "cowpath")
    checked = os.environ.get("NUMBA_BOUNDSCHECK") not in (None, "", "0")
    digest = hashlib.sha256(f"{numba.__version__} {checked}".encode())
    for folder in SOURCES:
        for source in sorted((PACKAGE / folder).glob("*.py")):
            digest.update(source.name.encode() + source.read_bytes())
    return base / digest.hexdigest()[:16]


numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined]


@contextmanager
def no_negative_indices() -> Iterator[None]:
    """Within this, Numba compiles an index as it stands, without NumPy's meaning of a negative one.

    That would cost a comparison and a conditional move at every access, a fifth of all the time, and the kernel's code
    has no use for it (under NUMBA_BOUNDSCHECK a negative index is an error). Numba has no setting for it; where it does
    not have this function any more, the code is only slower.
    """
    wraps = getattr(arrayobj, "fix_integer_index", None)
    if wraps is not None:
        arrayobj.fix_integer_index = _as_it_stands
    try:
        yield
    finally:
        if wraps is not None:
            arrayobj.fix_integer_index = wraps


def _as_it_stands(context: Any, builder: Any, kind: Any, index: Any, size: Any) -> Any:
    return context.cast(builder, index, kind, numba.types.intp)


def _compiled_once(dispatcher: Any) -> Any:
    """A function is compiled for 64-bit integers, whatever the width of the field that an argument comes from.

    Numba would compile it, and all that it calls, once for each width.
    """
    template_of = getattr(dispatcher, "get_call_template", None)  # None under NUMBA_DISABLE_JIT
    if template_of is not None:

        def with_wide_integers(args: Any, kws: Any) -> Any:
            return template_of(tuple(_widened(arg) for arg in args), {name: _widened(kws[name]) for name in kws})

        dispatcher.get_call_template = with_wide_integers
    return dispatcher


def _widened(kind: Any) -> Any:
    plain: Any = numba.types.unliteral(kind)
    return numba.types.int64 if plain in numba.types.signed_domain else kind


def _is_hot(function: Function) -> bool:
    module = function.__module__.split(".")
    return function.__name__ in HOT or (module[-2] == "kernel" and module[-1] in HOT_MODULES)


def compiled(function: Function) -> Function:
    """Compile a kernel function (no exception for a division by zero: the code checks what it divides by)."""
    FUNCTIONS.append(function.__name__)
    return as_part(
        _compiled_once(
            numba.njit(error_model="numpy", forceinline=_is_hot(function), pipeline_class=PartCompiler, **UNWRAPPED)(
                function
            )
        )
    )


def apart(function: Function) -> Function:
    """Compile a kernel function of which there is to be one copy: a large one that is called in several places."""
    FUNCTIONS.append(function.__name__)
    return as_part(
        _compiled_once(
            numba.njit(error_model="numpy", forceinline=False, pipeline_class=ApartCompiler, **UNWRAPPED)(function)
        )
    )


def inlined(function: Function) -> Function:
    """Compile a kernel function into those that call it: for what every move goes through."""
    FUNCTIONS.append(function.__name__)
    dispatcher = numba.njit(error_model="numpy", forceinline=True, pipeline_class=PartCompiler, **UNWRAPPED)(function)
    return as_part(_compiled_once(dispatcher))


def entry_point(function: Function) -> Function:
    """Compile a function that Python calls, and keep the result on disk."""
    return _kept(function, WholeCompiler)


def driver(function: Function) -> Function:
    """The same, for one that no compiled code calls."""
    return _kept(function, RootCompiler)


def _kept(function: Function, compiler: Any) -> Function:
    FUNCTIONS.append(function.__name__)
    dispatcher: Any = numba.njit(error_model="numpy", forceinline=False, cache=True, pipeline_class=compiler)(function)
    compile_now = getattr(dispatcher, "compile", None)  # None under NUMBA_DISABLE_JIT
    if compile_now is not None:

        def compile_here(signature: Any) -> Any:
            with no_negative_indices():
                return compile_now(signature)

        dispatcher.compile = compile_here
    return dispatcher


class _Counter(event.Listener):
    """Counts the functions whose compilation ends."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.done = 0

    def on_start(self, _: Any) -> None:
        pass

    def on_end(self, ended: Any) -> None:
        self.done += 1
        self.told(min(self.done, len(FUNCTIONS)), len(FUNCTIONS))


@contextmanager
def announced(told: Told) -> Iterator[None]:
    """Whatever has to be compiled within the block is told of."""
    with event.install_listener("numba:compile", _Counter(told)):
        yield
