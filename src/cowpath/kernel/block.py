"""The disk (block/): requests with latency and bandwidth, one after the other. The driver says when one is done."""

from __future__ import annotations

from . import names as n
from . import state as st
from .compiled import compiled


@compiled
def new_request(k, t):
    """An empty request that is being filled by task ``t``; NONE when the queue is full."""
    for r in range(len(k.state.requests)):
        request = k.state.requests[r]
        if not request.busy:
            request.busy = 1
            request.submitted = 0
            request.owner = t
            request.first = n.NONE
            request.last = n.NONE
            request.pages = 0
            return r
    k.books.error = st.ERR_REQUESTS
    return n.NONE


@compiled
def submit(k, r):
    """submit_bio: the request is the disk's now. An empty one is dropped."""
    request = k.state.requests[r]
    if request.pages == 0:
        request.busy = 0
        request.owner = 0
        return
    request.submitted = 1
    k.books.submitted = r
