"""The file of a recording: what goes in comes out, and nothing else is ever taken for one."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cowpath.errors import InputError
from cowpath.kernel import books
from cowpath.kernel import names as n
from cowpath.programs.importer import import_recording
from cowpath.programs.library import packaged
from cowpath.programs.recording import MAGIC, SUFFIX, Process, Recording, from_bytes, load, to_bytes, write

LS = import_recording(Path(__file__).parent.parent / "data" / "recordings" / "ls")
CONTENT = to_bytes(LS)


def same(one: Recording, other: Recording) -> bool:
    return bool(np.array_equal(one.ops, other.ops)) and all(
        getattr(one, name) == getattr(other, name)
        for name in ("name", "command", "processes", "files", "comms", "facts")
    )


def test_round_trip(tmp_path: Path) -> None:
    write(LS, tmp_path / "ls.recording")
    assert same(load(tmp_path / "ls.recording"), LS)
    assert [entry.name for entry in tmp_path.iterdir()] == ["ls.recording"]


def test_same_bytes_again() -> None:
    again = import_recording(Path(__file__).parent.parent / "data" / "recordings" / "ls")
    assert to_bytes(again) == CONTENT


@given(st.lists(st.sampled_from([(n.OP_COMPUTE, 100), (n.OP_COMPUTE, 7), (n.OP_TOUCH, 5), (n.OP_TOUCH, 1 << 34)])))
def test_every_order_of_computing_survives(rows: list[tuple[int, int]]) -> None:
    ops = np.zeros(len(rows), dtype=books.op)
    ops["code"], ops["a"] = [code for code, _ in rows], [a for _, a in rows]
    recording = replace(LS, ops=ops, processes=(Process(n.NONE, n.NONE, "x", 0, 1, 0, len(rows)),))
    assert same(from_bytes(to_bytes(recording), "x"), recording)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_noticed(at: int, flip: int) -> None:
    damaged = bytearray(CONTENT)
    damaged[at] ^= flip
    with pytest.raises(InputError, match=r"some\.recording"):
        from_bytes(bytes(damaged), "some.recording")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(CONTENT) - 1))
def test_a_cut_is_noticed(length: int) -> None:
    with pytest.raises(InputError, match=r"some\.recording"):
        from_bytes(CONTENT[:length], "some.recording")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        from_bytes(content, "some.recording")


def test_messages_say_what_would_be_right(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not a recording .*begins with the line 'cowpath recording 1'"):
        from_bytes(b"\x7fELF and so on", "a.out")
    with pytest.raises(InputError, match=r"format '0'; this cowpath reads format 1 .*cowpath import FILE"):
        from_bytes(CONTENT.replace(MAGIC + b"1", MAGIC + b"0", 1), "old.recording")
    with pytest.raises(InputError, match="checksum is wrong"):
        from_bytes(CONTENT[:-1], "x.recording")
    with pytest.raises(InputError, match="can't read the recording: No such file"):
        load(tmp_path / "nothing.recording")
    with pytest.raises(InputError, match="can't read the recording: Is a directory"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("operand", "code", "value"),
    [("a", n.OP_READ, 10**6), ("c", n.OP_MMAP, 10**6), ("c", n.OP_EXEC, -1), ("code", n.OP_TOUCH, n.OP_EXIT)],
)
def test_references_that_lead_nowhere(operand: str, code: int, value: int) -> None:
    ops = LS.ops.copy()
    ops[operand][ops["code"] == code] = value
    with pytest.raises(InputError, match="not a recording's tables"):
        from_bytes(to_bytes(replace(LS, ops=ops)), "x.recording")


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_no_half_written_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> None:
    target = tmp_path / "ls.recording"
    target.write_text("the old one")

    def fail(_: int) -> None:
        raise failure

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((InputError, KeyboardInterrupt)) as caught:
        write(LS, target)
    assert isinstance(caught.value, KeyboardInterrupt) or "No space left" in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["ls.recording"]
    assert target.read_text() == "the old one"


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't write the recording: No such file"):
        write(LS, tmp_path / "no" / "ls.recording")


def test_packaged_recordings_load() -> None:
    found = packaged()
    assert {"lua_j2", "bash_ls", "ls", "ps", "grep"} <= set(found)
    for name, entry in found.items():
        assert entry.name == name + SUFFIX
        assert load(entry).name == name
    assert sum(len(entry.read_bytes()) for entry in found.values()) < 2_000_000
