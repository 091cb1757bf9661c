"""Which cowpath this is, to the last line: points, and checkpoints, of another one are others."""

from __future__ import annotations

import hashlib

from cowpath import __version__


def version() -> str:
    """The release, and a hash of the sources as they stand, steps of one's own included."""
    from cowpath.kernel.compiled import EXTRA_SOURCES, sources_as_they_stand

    sources = hashlib.sha256(sources_as_they_stand().encode())
    for digest in sorted(EXTRA_SOURCES.values()):
        sources.update(digest.encode())
    return f"{__version__} (sources {sources.hexdigest()[:12]})"
