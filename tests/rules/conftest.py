"""These tests call kernel functions one by one, on machines made by hand: as plain Python, which needs no compiling.

``tests/test_rules.py`` runs them so; by themselves: ``NUMBA_DISABLE_JIT=1 pytest tests/rules``.
"""

import numba

collect_ignore_glob = [] if numba.config.DISABLE_JIT else ["test_*.py"]  # type: ignore[attr-defined]
