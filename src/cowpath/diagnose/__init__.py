"""What a kernel's log says of tasks that wait for each other: ``cowpath diagnose`` and ``cowpath watch``.

Lines (``lines``) become reports of tasks (``reports``) and of kills (``oom``); what each task waits for and holds is
told from the functions in its stack (``waits``, by ``functions.toml``); who can be behind whom, and whether a memory
cgroup is at the end of it, by ``graph`` and ``verdict``.
"""

from cowpath.diagnose.verdict import Diagnosis, diagnose

__all__ = ["Diagnosis", "diagnose"]
