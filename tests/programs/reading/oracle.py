"""oracleGeneral files, made from objects and sizes."""

from __future__ import annotations

import struct


def content_of(requests: list[tuple[int, int]], first: int = 1) -> bytes:
    """Requests (object, bytes), a second each; the first one is called ``first``."""
    following: dict[int, int] = {}
    packed = []
    for place, (key, size) in reversed(list(enumerate(requests))):
        packed.append(struct.pack("<IQIq", 1000 + place, key, size, following.get(key, -1)))
        following[key] = place + first
    return b"".join(reversed(packed))
