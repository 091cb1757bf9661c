"""The table of policies: what a kernel sets besides its paths, and a design may change. What made the difference, too.

A policy is a field of the state, which holds the place of the design's value in ``values``: the first is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Policy:
    """A policy."""

    name: str  # in a design's file
    field: str  # of the state
    values: tuple[Any, ...]  # by the number that stands in the state
    commit: str  # that made the other value
    release: str  # in which it first was
    meaning: str  # for docs/designs.md

    def number(self, value: Any) -> int:
        """What stands in the state for a value."""
        return self.values.index(value)


POLICIES = (
    Policy(
        "oom_lock", "oom_counter", ("flag", "counter"), "79dfdaccd1d5", "3.1",
        "who may kill: only the first of those in the OOM section, by a count (3.0), or one at a time (79dfdaccd1d5)",
    ),
    Policy(
        "page_lock_wait", "killable_lock", ("uninterruptible", "killable"), "37b23e0525d3", "3.0",
        "whether SIGKILL ends a fault's wait for a page lock (37b23e0525d3)",
    ),
    Policy(
        "fault_retry", "allow_retry", (False, True, "io"), "d065bd810b6d", "2.6.37",
        "whether a fault drops `mmap_sem`, once, while it waits for a page lock (d065bd810b6d), or before it reads or"
        " reads ahead as well (6b4c9f446981, 5.1)",
    ),
    Policy(
        "page_lock_queue", "page_lock_queue", ("in front", "fifo", "hand-over"), "2a9127fcf229", "5.9",
        "who waits for a page to be unlocked stands in front of those who want its lock, or all stand in turn (4.14),"
        " or besides who has lost the lock five times to others is handed it (2a9127fcf229, 5ef64cc8987a)",
    ),
    Policy(
        "context_readahead", "context_readahead", ("any", "longer"), "2cad40180197", "3.12",
        "pages in the cache before it that make a `read` a stream's: any, or more than it reads (2cad40180197)",
    ),
    Policy(
        "readahead_most", "whole_request", ("window", "request"), "9491ae4aade6", "4.10",
        "the largest window for a `read`: the file's, or half of what is free if that is less (until 600e19afc5f8,"
        " 4.4); or the file's, or for one that asks for more as much, up to a request of the disk (9491ae4aade6)",
    ),
    Policy(
        "disk_request", "request_of_4m", ("1280 KiB", "4 MiB"), "9b8b84879d4a", "6.17",
        "the largest request of a disk (9b8b84879d4a)",
    ),
    Policy(
        "rotational_readahead", "two_requests", ("128 KiB", "two requests"), "459779d04ae8", "6.17",
        "the window of a disk that says that it rotates, as many virtual ones do: 128 KiB as for others, or two of its"
        " largest requests (459779d04ae8)",
    ),
    Policy(
        "read_bios", "bios", ("whole", "1 MiB"), "", "4.19",
        "what is read ahead is done as a whole, or by bios of up to 256 pages (BIO_MAX_VECS), each by itself",
    ),
    Policy(
        "readahead_windows", "readahead_windows", ("on demand", "sync and async", "by order"), "", "6.12",
        "who misses a page always begins a window anew, and only who comes to its marker has the next read (6.12);"
        " or besides the next window has folios four times as large and ends with one of them, and a fault on"
        " executable memory reads from itself on only (6.18)",
    ),
    Policy(
        "large_folios", "large_folios", (False, True), "7ac67301e82f", "6.16",
        "whether the page cache has folios of several pages, which are read, charged, locked and reclaimed as one"
        " (ext4: 7ac67301e82f)",
    ),
    Policy(
        "counters", "page_counter", ("res_counter", "page_counter"), "3e32cb2e0a12", "3.19",
        "what a charge raises: res and then memsw, or memsw and then memory (3e32cb2e0a12); and the loop around it",
    ),
    Policy(
        "charge_batch", "batch_of_64", (32, 64), "1813e51eece0", "6.1",
        "pages that a charge tries for at once, and that a CPU keeps at most with `page_counter` (1813e51eece0)",
    ),
    Policy(
        "stock_groups", "stock_groups", (1, 7), "f735eebe55f8", "6.16",
        "how many groups a CPU keeps charges for (f735eebe55f8)",
    ),
    Policy(
        "freed_tables", "tables_to_stock", ("counters", "stock"), "", "6.18",
        "where the charge of a page table goes that is freed: back to the counters, as a page's (6.12), or to the CPU's"
        " stock",
    ),
    Policy(
        "charge_retries", "retries_of_16", (5, 16), "d977aa9390f9", "5.9",
        "fruitless rounds of reclaim that a charge tries again after (d977aa9390f9)",
    ),
    Policy(
        "charge_on_oom", "charge_on_oom", ("sleep", "fault-end", "kill"), "3812c8c8f395", "3.12",
        "who is out of memory kills or sleeps in the charge, or fails and does so at the fault's end (3812c8c8f395), or"
        " kills in the charge and goes round, and fails where the killer is off (29ef680ae7c2, 4.19)",
    ),
    Policy(
        "oom_mutex", "killable_oom_lock", ("uninterruptible", "killable"), "7775face2079", "5.1",
        "`kill`: whether SIGKILL ends the wait for the machine's oom_lock (7775face2079)",
    ),
    Policy(
        "oom_looks_again", "looks_again", (False, True), "1378b37d03e8", "5.9",
        "`kill`: whether who has got the oom_lock kills nobody if there is room by now (1378b37d03e8)",
    ),
    Policy(
        "nobody_to_kill", "fails_in_vain", ("force", "fail"), "", "5.15",
        "`kill`, and there is nobody: the charge goes over the limit, or fails, and the fault is tried again for ever",
    ),
    Policy(
        "nofs_oom", "nofs_spins", ("kills", "spins"), "f9c645621a28", "5.4",
        "`kill`, of a charge that may not enter the file system: it kills like any other (f9c645621a28), or is tried"
        " again as if somebody had been killed",
    ),
    Policy(
        "getblk", "getblk", ("fails", "loops", "past the limit"), "84235de394d9", "3.12",
        "a file system's block for which there is no memory: the call fails, or is tried again for ever, or the block"
        " is charged past the limit (84235de394d9)",
    ),
    Policy(
        "writeback_wait", "waits_for_io", ("fs", "io"), "ecf5fc6e9654", "4.2",
        "v1: reclaim of a group waits for a page that is being written if it may enter the file system (ecf5fc6e9654),"
        " or if it may do I/O (3.12)",
    ),
    Policy(
        "writepages", "keeps_bio", ("sends", "keeps"), "", "none",
        "who writes a file's pages and comes to one that is locked: sends what it has gathered before it waits, or"
        " keeps it, as ext4 does",
    ),
    Policy(
        "high_gfp", "high_gfp_kernel", ("caller's", "GFP_KERNEL"), "9ea9cb00a82b", "6.6",
        "reclaim for memory.high in the charge may enter the file system if the charge may (9ea9cb00a82b), or always",
    ),
    Policy(
        "dying_charge", "dying_charge", ("bypass", "root", "force", "fail"), "a4ebf1b6ca1e", "5.16",
        "a killed task's charge: past the limit and on nobody's account, or root's (3.12), or over the limit (4.19), or"
        " as everybody's, until somebody has been killed for it (a4ebf1b6ca1e)",
    ),
    Policy(
        "oom_victim", "oom_victim", ("per-mille", "pages", "mm", "leader"), "a7f638f999ff", "3.6",
        "the OOM killer takes: the worst task by per mille of the limit, or by pages (a7f638f999ff), or with all who"
        " share its memory, and nobody else until that is given back (4.19), or a process, and never its child"
        " (bbbe48029720, 5.1)",
    ),
    Policy(
        "oom_reaper", "reaper_delay", ("none", "at once", "after 2 s"), "aac453635549", "4.6",
        "when the path `oom_reaper` takes a victim's memory: never, as soon as it is chosen (aac453635549), or 2 s"
        " later (e4a38402c36e, 5.18)",
    ),
    Policy(
        "reap_mlocked", "reaps_mlocked", (False, True), "a213e5cf71cb", "5.18",
        "whether the OOM reaper takes what is mlocked, too (a213e5cf71cb)",
    ),
    Policy(
        "failcnt", "failcnt_of_memory", ("all", "memory"), "", "6.15",
        "what counts its refusals: memory and memory + swap, or memory alone",
    ),
    Policy(
        "readahead_charge", "readahead_charge", ("oom", "skip", "end"), "8a5c743e308d", "4.19",
        "a charge of read-ahead: as any other, or with `__GFP_NORETRY`, and without the page (8a5c743e308d) or no"
        " further (6.10)",
    ),
    Policy(
        "retried_fault", "retried_is_major", ("minor", "major"), "bce617edecad", "5.9",
        "a fault that has not read, but is tried again, is one of the task's minor faults, or of its major ones"
        " (bce617edecad)",
    ),
    Policy(
        "pgfault", "pgfault", ("each try", "once"), "", "6.5",
        "a fault that is tried again counts in `pgfault` each time, or once, when it is complete",
    ),
    Policy(
        "wp_reuse", "wp_reuse", ("locked", "references", "exclusive"), "09854ba94c6a", "5.9",
        "when a write-protected anonymous page need not be copied: if no other entry has it, which is looked at under"
        " its lock; or if nobody else has a reference to it, without waiting (09854ba94c6a), or it is known to be the"
        " entry's alone (6c287605fd56, 5.19)",
    ),
    Policy(
        "dirty_throttling", "dirty_sleeps", ("writes", "sleeps"), "143dfe8611a6", "3.2",
        "who has dirtied too much writes pages itself and pauses, or only sleeps (143dfe8611a6)",
    ),
    Policy(
        "memcg_dirty", "memcg_dirty", (False, True), "", "4.2",
        "cgroup v2: whether a group has limits of dirty pages of its own (cgroup writeback)",
    ),
    Policy(
        "dirty_fault", "dirty_fault", ("keeps", "retry", "completed"), "89b15332af7c", "5.5",
        "a fault that has dirtied a shared page looks at the limits of dirty pages with `mmap_sem`, or without, and is"
        " tried again (89b15332af7c) or complete (d92725256b4f, 6.0)",
    ),
    Policy(
        "memory_reclaim", "reclaims_quarters", ("whole", "quarter"), "287d5fedb377", "6.9",
        "how much of what is left of a request a pass of memory.reclaim asks for: all, or a quarter (287d5fedb377)",
    ),
    Policy(
        "high_dying", "high_dying", ("exempt", "pays"), "63fd327016fd", "6.8",
        "whether a dying task that is over memory.high is let off (63fd327016fd), or reclaims first",
    ),
    Policy(
        "high_write", "high_write", ("goes on", "watches", "once"), "", "6.18",
        "who lowers memory.high reclaims until as many rounds as a charge's are in vain, or somebody else has set it"
        " meanwhile (6.1, 6.12), or once (4.19)",
    ),
    Policy(
        "high_delay_in_charge", "high_at_once", ("over a batch", "always"), "", "none",
        "when who owes for memory.high pays within the kernel: once it is more than a batch, or each time (proposed in"
        " 2026)",
    ),
    Policy(
        "hierarchy", "always_hierarchy", ("chosen", "always"), "bef9f0ba300a", "5.11",
        "v1: whether a group is charged for those below it says `memory.use_hierarchy`, or it always is (bef9f0ba300a)",
    ),
    Policy(
        "limit_write", "limit_once", ("five times", "once"), "", "4.19",
        "who lowers a limit of v1 below usage is refused (EBUSY) after five rounds of reclaim that have freed nothing,"
        " or after one",
    ),
    Policy(
        "force_empty", "force_empty", ("moves", "pauses", "reclaims"), "", "4.19",
        "`memory.force_empty` is refused (EBUSY) with tasks or groups inside, and charges what it cannot reclaim to the"
        " parent, or only reclaims, with 100 ms after a round in vain (4.19) or without (6.1), and always succeeds",
    ),
    Policy(
        "removed_group", "removed_group", ("parent", "stays", "swap stays"), "b2052564e66d", "3.19",
        "what a removed group leaves is charged to its parent; or it stays charged to the dead group, which reclaim of"
        " those above goes over, until it is gone (b2052564e66d); or only what is in swap does (7.1)",
    ),
    Policy(
        "swap_slots_cache", "swap_slots_cache", (False, True), "67afa38e012e", "4.11",
        "whether a CPU gathers 64 slots that are let go until it frees them together (67afa38e012e; until 6.14)",
    ),
    Policy(
        "zeromap", "zeromap", (False, True), "0ca0c24e3211", "6.12",
        "whether a page of zeroes takes a slot of the swap space without being written (0ca0c24e3211)",
    ),
    Policy(
        "lru_lists", "lruvecs", ("zone", "group"), "925b7673cce3", "3.3",
        "pages stand on the machine's lists beside their group's, or on their group's alone (925b7673cce3)",
    ),
    Policy(
        "lru_batch", "lru_batch", (0, 14, 15, 31), "", "6.10",
        "new pages that a CPU gathers until they join the lists together (PAGEVEC_SIZE); 0: each joins them at once",
    ),
    Policy(
        "rotates_active", "rotates_active", (False, True), "c55e8d035b28", "4.11",
        "whether a page that reclaim has met dirty, or being written, and has moved to the active list goes to the tail"
        " of the inactive one when it is written (c55e8d035b28)",
    ),
    Policy(
        "unmap_drains", "unmap_keeps", (True, False), "", "6.14",
        "whether who unmaps pages first has those that its CPU has gathered join the lists; else such a page stays"
        " charged, unmapped, until they do",
    ),
    Policy(
        "populate_drains", "populate_drains", (False, True), "", "5.18",
        "whether the pages that a CPU has gathered join the lists when it has populated a range"
        " (populate_vma_page_range, faultin_page_range)",
    ),
    Policy(
        "scan_balance", "balance_by_cost", ("rotated", "cost", "cost and rotated"), "1431d4d11abb", "5.8",
        "how much of anonymous pages and of files' reclaim scans: by how many it found in use, or by what it cost to"
        " have them back (1431d4d11abb), and besides, in part, by those in use (0538a82c39e9, 6.2)",
    ),
    Policy(
        "workingset", "workingset", ("none", "file", "all"), "a528910e12ec", "3.15",
        "whether a page that is read again soon after it was reclaimed counts, and becomes active: none, files'"
        " (a528910e12ec) or all (aae466b0052e, 5.9)",
    ),
    Policy(
        "shadow_nodes", "shadow_nodes", ("stay", "go"), "0a6b76dd23fa", "4.2",
        "whether reclaim of a group frees nodes of the page cache that have nothing but shadows (0a6b76dd23fa); they"
        " are taken to stay where it counts by statistics that are up to 2 s old (6.12)",
    ),
    Policy(
        "new_anon", "inactive_anon", ("active", "inactive"), "b518154e59aa", "5.9",
        "the list that a new anonymous page joins (b518154e59aa)",
    ),
    Policy(
        "reclaim_walk", "reclaim_walk", ("shared", "whole", "partial"), "1ba6fc9af35b", "5.4",
        "reclaim of a hierarchy goes on after the group that was last, until enough is freed; over all of its groups"
        " (1ba6fc9af35b); or until enough is freed, and if nothing is over all of them (b82b530740b9, 6.10)",
    ),
    Policy(
        "proactive_reclaim", "counts_proactive", ("direct", "proactive"), "e452872b40e3", "6.16",
        "as what memory.stat counts the pages that memory.reclaim looks at and frees (e452872b40e3)",
    ),
)  # fmt: skip
BY_NAME = {policy.name: policy for policy in POLICIES}


def number(name: str, value: Any) -> int:
    """What stands in the state for a policy's value: a constant of compiled code."""
    return BY_NAME[name].number(value)
