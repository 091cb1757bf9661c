"""The small tests of the kernel's rules run as plain Python, in one process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_rules() -> None:
    folder = Path(__file__).with_name("rules")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
