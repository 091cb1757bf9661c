"""libCacheSim's oracleGeneral: requests to a cache, played as reads of one file, object behind object.

A request has 24 bytes, little-endian: seconds (u32), object (u64), bytes (u32), and which request is the next one of
the same object (i64), counted from 1, or from 0 by some writers; -1 or the largest number: none
(libCacheSim/traceReader/customizedReader/oracle/oracleGeneralBin.h). Usually the file is compressed by zstd. Every
request names the next one of its object, so most damage shows: what is named is compared with what follows.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cowpath.errors import InputError
from cowpath.kernel import books
from cowpath.kernel import names as n
from cowpath.programs.order import following
from cowpath.programs.reading.account import Account
from cowpath.programs.recording import Process, RecordedFile, Recording

FORMAT = "oracleGeneral"
REQUEST = np.dtype([("time", "<u4"), ("object", "<u8"), ("size", "<u4"), ("next", "<i8")])
ZSTD = b"\x28\xb5\x2f\xfd"
MOST = 4_000_000  # requests: a session's machine has room for no more instructions (kernel.state: CLOCK)
PAGE = 4096
LAST = (1 << 63) - 1
MOSTLY = 0.9  # of the first requests look like such: the others may be damaged
FAR = 1 << 40  # requests: no trace is as long
LIKELY = 0.5  # of the requests that name a next one: fewer that are right, and it is another format
SAID = 200  # characters of zstd's complaints

Requests = npt.NDArray[Any]


def seems_oracle_general(head: bytes) -> bool:
    """Whether a file may begin like that: times that do not fall, and next requests that come later."""
    requests = np.frombuffer(head[: len(head) // REQUEST.itemsize * REQUEST.itemsize], REQUEST)
    if not len(requests):
        return False
    named = requests["next"]
    later = (named == -1) | (named == LAST) | ((named >= np.arange(len(requests))) & (named < FAR))
    forward = np.diff(requests["time"].astype(np.int64), prepend=0) >= 0
    return bool(later.mean() >= MOSTLY and forward.mean() >= MOSTLY and requests["size"].any())


def read_oracle_general(path: Path, name: str) -> Recording:
    """The recording of a trace: one process that reads. Raises InputError for what is no such trace."""
    account = Account(FORMAT)
    content = _content(path, account)
    left = len(content) % REQUEST.itemsize
    requests = np.frombuffer(content[: len(content) - left], REQUEST)
    if left:
        account.gaps.append(f"the last request has {left} of its {REQUEST.itemsize} bytes: the file was cut off")
    if len(requests) > MOST:
        requests = requests[:MOST]
        account.gaps.append(f"only the first {MOST:,} requests are taken: a session has room for no more")
    if not len(requests):
        raise InputError("no request is in it", file=path, hint=f"{REQUEST.itemsize} bytes each, or compressed by zstd")
    _check(requests, account, path)
    ops, pages = _reads(requests)
    account.found = {"requests": len(requests), "objects": len(np.unique(requests["object"])), "pages": pages}
    account.instead |= {
        "when within a second a request came": "each follows the one before at once",
        "where in a file an object lies": "behind the object that came before it first, from a page's start on",
        "what is written": "nothing: all requests are reads",
    }
    comm = name[:15]
    end_ns = (int(requests["time"][-1]) - int(requests["time"][0])) * 1_000_000_000
    process = Process(n.NONE, n.NONE, comm, 0, max(end_ns, 0), 0, len(ops))
    file = RecordedFile(f"{name}:objects", pages, pages)
    return Recording(name, (name,), ops, (process,), (file,), (comm,), {"requests": len(requests)}, account.origin())


def _content(path: Path, account: Account) -> bytes:
    """The file's bytes, as far as they are wanted, decompressed if need be."""
    most = (MOST + 1) * REQUEST.itemsize
    with path.open("rb") as file:
        if file.read(len(ZSTD)) != ZSTD:
            file.seek(0)
            return file.read(most)
    with tempfile.TemporaryFile() as said:
        try:
            zstd = subprocess.Popen(["zstd", "-dcq", "--", str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=said)  # fmt: skip
        except OSError as error:
            hint = "install it, or decompress the file elsewhere"
            raise InputError(f"zstd is needed to read it: {error.strerror}", file=path, hint=hint) from error
        assert zstd.stdout is not None
        with zstd.stdout:
            content = zstd.stdout.read(most)
        status = zstd.wait()
        said.seek(0)
        complaints = said.read().decode("utf-8", errors="replace").strip()[:SAID]
    if status and len(content) < most:
        account.gaps.append(f"zstd could not read it to its end: {complaints}")
    return content


def _check(requests: Requests, account: Account, path: Path) -> None:
    """Compare the next requests that are named with those that follow. Raises InputError if hardly any is right."""
    after = following(requests["object"])
    named = requests["next"]
    last = (named == -1) | (named == LAST)
    for first in (1, 0):  # what the first request is called
        target = named - first
        right = np.where(last, after < 0, (target == after) | ((after < 0) & (target >= len(requests))))
        if (right & ~last).sum() >= LIKELY * (~last).sum():
            break
    else:
        raise InputError("not oracleGeneral: what it says of next requests is not so", file=path)
    beyond = int((~last & (target >= len(requests))).sum())
    if beyond and not account.gaps:
        account.gaps.append(f"{beyond:,} requests name a next one beyond the file's end: it was cut off")
    if not right.all():
        account.gaps.append(f"{int((~right).sum()):,} requests name a wrong one as the next of their object")
    if (np.diff(requests["time"].astype(np.int64)) < 0).any():
        account.gaps.append("time goes back")


def _reads(requests: Requests) -> tuple[Any, int]:
    """An exec and a read for each request; how many pages the file has. An object is as large as it ever was."""
    pages = np.maximum(-(-requests["size"].astype(np.int64) // PAGE), 1)
    _, firsts, numbers = np.unique(requests["object"], return_index=True, return_inverse=True)
    sizes = np.zeros(len(firsts), np.int64)
    np.maximum.at(sizes, numbers, pages)
    by_appearance = np.argsort(firsts)
    starts = np.empty(len(firsts), np.int64)
    starts[by_appearance] = np.cumsum(sizes[by_appearance]) - sizes[by_appearance]
    ops = np.zeros(len(requests) + 1, books.op)
    ops["code"][0] = n.OP_EXEC
    reads = ops[1:]
    reads["code"], reads["b"], reads["c"], reads["d"] = n.OP_READ, starts[numbers], pages, n.NONE
    return ops, int(sizes.sum())
