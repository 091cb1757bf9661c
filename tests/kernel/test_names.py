"""What a developer of mm/ greps for is there: steps are ``step_*``, helpers bear the kernel's own names (of 3.0)."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cowpath.kernel.steps import PATH_NAMES, STEPS

KERNEL = Path(__file__).parents[2] / "src" / "cowpath" / "kernel"
NAMES = [
    "__do_fault",
    "do_anonymous_page",
    "do_wp_page",
    "do_swap_page",
    "handle_mm_fault",
    "handle_pte_fault",
    "filemap_fault",
    "do_sync_mmap_readahead",
    "__lock_page_or_retry",
    "lock_page",
    "lock_page_killable",
    "find_get_page",
    "find_lock_page",
    "add_to_page_cache_lru",
    "__mem_cgroup_try_charge",
    "mem_cgroup_do_charge",
    "mem_cgroup_newpage_charge",
    "mem_cgroup_cache_charge",
    "mem_cgroup_handle_oom",
    "mem_cgroup_oom_lock",
    "mem_cgroup_out_of_memory",
    "mem_cgroup_hierarchical_reclaim",
    "mem_cgroup_select_victim",
    "consume_stock",
    "refill_stock",
    "drain_all_stock_async",
    "__mem_cgroup_commit_charge",
    "__mem_cgroup_uncharge_common",
    "mem_cgroup_uncharge_page",
    "mem_cgroup_uncharge_start",
    "mem_cgroup_uncharge_end",
    "memcg_oom_recover",
    "mem_cgroup_resize_limit",
    "mem_cgroup_force_empty",
    "mem_cgroup_move_parent",
    "res_counter_charge",
    "shrink_page_list",
    "shrink_inactive_list",
    "shrink_active_list",
    "shrink_zone",
    "shrink_list",
    "get_scan_count",
    "do_try_to_free_pages",
    "try_to_free_pages",
    "page_check_references",
    "page_referenced",
    "try_to_unmap",
    "pageout",
    "__remove_mapping",
    "balance_pgdat",
    "kswapd",
    "kswapd_try_to_sleep",
    "oom_badness",
    "select_bad_process",
    "oom_kill_process",
    "out_of_memory",
    "__alloc_pages_nodemask",
    "__alloc_pages_slowpath",
    "zone_watermark_ok",
    "balance_dirty_pages",
    "write_cache_pages",
    "wb_writeback",
    "page_mkclean",
    "copy_page_range",
    "dup_mmap",
    "exit_mm",
    "mmput",
    "do_exit",
    "unmap_vmas",
    "zap_pte_range",
    "free_pgtables",
    "do_mmap_pgoff",
    "do_munmap",
    "mlock_fixup",
    "__get_user_pages",
    "vmtruncate",
    "truncate_inode_pages",
    "invalidate_mapping_pages",
    "lru_cache_add",
    "activate_page",
    "mark_page_accessed",
    "read_swap_cache_async",
    "swapin_readahead",
    "add_to_swap",
    "delete_from_swap_cache",
    "swap_free",
    "get_swap_page",
    "down_read",
    "up_read",
    "try_to_wake_up",
    "page_add_new_anon_rmap",
    "page_add_file_rmap",
    "anon_vma_prepare",
    "page_cache_release",
    "unlock_page",
]
NOT_HERE = {
    "mem_cgroup_uncharge_start": "a series of uncharges begins with its first page: there is nothing to do",
    "kswapd": "a path, of the steps kswapd_try_to_sleep and balance_pgdat",
}


@cache
def functions() -> dict[str, str]:
    found = {}
    for file in KERNEL.glob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = file.name
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_name_is_a_function(name: str) -> None:
    assert (name in functions()) != (name in NOT_HERE)


def test_kswapd_is_a_path() -> None:
    assert "kswapd" in PATH_NAMES


def test_each_step_is_in_the_file_that_the_table_names() -> None:
    where = functions()
    assert {f"step_{info.name}": f"{info.file}.py" for info in STEPS} == {
        name: file for name, file in where.items() if name.startswith("step_")
    }


def test_no_release_number_is_compared() -> None:
    """What differs from release to release is a step, a variant or a table."""
    for file in KERNEL.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                words = " ".join(words_in(node)).lower().replace("version_info", "")
                assert not any(word in words for word in ("release", "linux", "version")), f"{file.name}:{node.lineno}"


def words_in(node: ast.AST) -> Iterator[str]:
    """The names and the constants below a node: a dump of it has words of the grammar's too."""
    for each in ast.walk(node):
        for _, value in ast.iter_fields(each):
            values = value if isinstance(value, list) else [value]
            yield from (str(word) for word in values if not isinstance(word, ast.AST))
