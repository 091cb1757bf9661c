"""oracleGeneral: plain and compressed, what damage shows, and that the reads are played."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.importer import import_recording
from cowpath.programs.recording import Recording
from cowpath.programs.replay import compile_tree

from .oracle import content_of

REQUESTS = [(7, 4096), (8, 100), (7, 8192), (9, 20000), (8, 100)]


def imported(path: Path, content: bytes) -> Recording:
    path.write_bytes(content)
    return import_recording(path)


@pytest.mark.parametrize("first", [0, 1])
def test_requests_become_reads(tmp_path: Path, first: int) -> None:
    recording = imported(tmp_path / "trace.bin", content_of(REQUESTS, first))
    reads = recording.ops[recording.ops["code"] == n.OP_READ]
    assert reads["b"].tolist() == [0, 2, 0, 3, 2]  # 7 has two pages, as it once had; 8 one, 9 five
    assert reads["c"].tolist() == [1, 1, 2, 5, 1]
    assert [(file.name, file.pages) for file in recording.files] == [("trace:objects", 8)]
    assert recording.origin["gaps"] == [] and recording.origin["whole"] is None
    assert len(compile_tree(recording).ops) > len(REQUESTS)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 100_000)), min_size=1, max_size=50))
def test_reads_of_an_object_never_touch_another(requests: list[tuple[int, int]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        recording = imported(Path(place) / "trace.bin", content_of(requests))
    reads = recording.ops[recording.ops["code"] == n.OP_READ]
    owner = np.full(recording.files[0].pages, -1)
    for (key, size), read in zip(requests, reads, strict=True):
        pages = owner[read["b"] : read["b"] + read["c"]]
        assert len(pages) == -(-size // 4096)
        assert set(pages.tolist()) <= {-1, key}
        pages[:] = key


def test_damage_shows(tmp_path: Path) -> None:
    content = content_of(REQUESTS * 10)
    for damaged, gap in [
        (content[:-5], "19 of its 24 bytes"),
        (content[:-48], "beyond the file's end"),
        (content[:-240] + content[-216:], "name a wrong one"),
        (content[24:48] + content[:24] + content[48:], "time goes back"),
    ]:
        recording = imported(tmp_path / "trace.bin", damaged)
        assert any(gap in found for found in recording.origin["gaps"]), gap
    with pytest.raises(InputError, match="not oracleGeneral: what it says of next requests is not so"):
        imported(tmp_path / "trace.bin", content_of(REQUESTS * 10, first=50))


@pytest.mark.skipif(shutil.which("zstd") is None, reason="there is no zstd")
def test_compressed_by_zstd(tmp_path: Path) -> None:
    content = content_of(REQUESTS * 10_000)
    plain = imported(tmp_path / "trace.bin", content)
    packed = subprocess.run(["zstd", "-qc"], input=content, stdout=subprocess.PIPE, check=True).stdout
    recording = imported(tmp_path / "trace.bin", packed)
    assert (recording.ops == plain.ops).all() and recording.origin == plain.origin
    with pytest.raises(InputError, match="no request is in it"):
        imported(tmp_path / "trace.bin", packed[:8])


def test_without_zstd_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"zstd is needed to read it: No such file.*install it"):
        imported(tmp_path / "trace.zst", b"\x28\xb5\x2f\xfd and so on")
