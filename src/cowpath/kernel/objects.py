"""What the kernel has for tasks and files, and a group is charged for: the rows of ``kernels/objects.toml``.

``k.books.objects`` holds, by these numbers, what a charge for one takes in this kernel: bytes, or pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

IN_BYTES = (
    "task_struct", "task_rest", "files_struct", "sighand_struct", "mm_struct", "program_vmas", "vm_area_struct",
    "anon_vma", "file", "pipe", "inode", "shmem_inode", "dentry", "buffer_head", "xa_node", "mem_cgroup",
    "memcg_percpu",
)  # fmt: skip
IN_PAGES = ("own_tables",)
OBJECTS = (*IN_BYTES, *IN_PAGES)
POINTER = 8  # bytes beside each object: who pays for it

globals().update({name.upper(): number for number, name in enumerate(OBJECTS)})  # Numba takes them as constants
if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...
