"""Kernels: complete profiles of releases of Linux, a TOML file each. Every design extends one of them.

``profile.py`` reads them, ``chosen.py`` says which one a session gets. This file imports nothing: what the command line
offers as defaults comes from here.
"""

from __future__ import annotations

DEFAULT = "linux-3.0"  # where nothing else is asked for, and what designs are compared with
