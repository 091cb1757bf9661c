"""Every sample is imported, or sent to the command that reads it; damaged copies are never taken for whole."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cowpath.errors import InputError
from cowpath.programs.importer import import_recording
from cowpath.programs.reading import sniff
from cowpath.programs.recording import Recording, from_bytes, to_bytes
from cowpath.programs.replay import compile_tree

from ...slow import NIGHTLY
from .mutate import mutated, truncated
from .oracle import content_of

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
IMPORTED = {"perf-script.txt": "perf script", "ftrace.txt": "ftrace", "lackey.txt": "lackey"}
SENT = {
    "oom-dmesg.txt": "diagnose",
    "oom-dmesg-whole.txt": "diagnose",
    "sysrq-w.txt": "diagnose",
    "pod.yaml": "run",
    "compose.yaml": "run",
    "app.service": "run",
    "cgroup-v2-snapshot": "from-cgroup",
}
COPIES = range(200)
LINES = 250  # of a sample, that are mutated; in make nightly all of it


def test_every_sample_is_one_or_the_other() -> None:
    assert {sample.name for sample in SAMPLES.iterdir()} == set(IMPORTED) | set(SENT)


@pytest.mark.parametrize("name", IMPORTED)
def test_what_is_imported(name: str) -> None:
    recording = import_recording(SAMPLES / name)
    assert recording.origin["format"] == IMPORTED[name]
    assert (recording.origin["whole"] is False) is (name != "perf-script.txt")  # the others are beginnings of files


@pytest.mark.parametrize("name", SENT)
def test_what_is_sent_to_another_command(name: str) -> None:
    with pytest.raises(InputError, match=f"it seems to be .*cowpath {SENT[name]} {re.escape(str(SAMPLES / name))}"):
        import_recording(SAMPLES / name)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the file is empty"),
        (b"PAR1 and so on", "one Parquet table"),
        (b"cowpath recording 1\n", "a program table takes it as it is"),
        (b"\x17\x08\x44tracing6\0", "trace-cmd report"),
        (b"\x1f\x8b\x08", "decompress it"),
        (b"\x7fELF\x02\x01", "cowpath record"),
        (b"#!/bin/sh\necho\n", "cowpath run"),
        (b"cgcreate -g memory:A\n", "cowpath run"),
        (b"once upon a time\n", "no file that can be imported"),
        (b"\0\1\2" * 100, "no file that can be imported"),
        (b"\xff" * 240, "no file that can be imported"),
    ],
)
def test_what_else_a_file_may_be(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "it").write_bytes(content)
    with pytest.raises(InputError, match=what):
        import_recording(tmp_path / "it")


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        import_recording(tmp_path / "pipe")


def test_every_kind_has_a_reader_or_says_what_to_do_instead() -> None:
    for kind in sniff.KINDS:
        assert (kind.read is None) != (kind.instead == "")
        assert kind.begins or kind.lines or kind.test


def imported(path: Path, content: bytes) -> Recording | None:
    """The recording of this content; None if it was refused."""
    path.write_bytes(content)
    try:
        recording = import_recording(path)
    except InputError as error:
        assert str(path) in str(error)
        return None
    return recording


def playable(recording: Recording) -> bool:
    """It can be stored, loaded and played."""
    assert from_bytes(to_bytes(recording), "x").origin == recording.origin
    return len(compile_tree(recording).ops) > 0


def sample(name: str) -> bytes:
    if name == "oracle":
        return content_of([(7, 4096), (8, 100), (7, 4096), (9, 20000), (8, 100)] * 40)
    content = (SAMPLES / name).read_bytes()
    return content if NIGHTLY else b"".join(content.splitlines(keepends=True)[:LINES])


FILES = [*IMPORTED, *(name for name in SENT if (SAMPLES / name).is_file()), "oracle"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damaged", [mutated, truncated])
def test_damaged_copies_are_refused_or_do_not_claim_to_be_whole(
    name: str, damaged: Callable[[bytes, int], bytes], tmp_path: Path
) -> None:
    content = sample(name)
    for seed in COPIES if damaged is mutated or NIGHTLY else COPIES[::5]:
        recording = imported(tmp_path / "copy", damaged(content, seed))
        if recording is not None:
            assert recording.origin["whole"] is not True
            assert damaged is mutated or recording.origin["whole"] is False, seed
            assert recording.origin["gaps"] or recording.origin["whole"] is None
            assert (seed % 8 and not NIGHTLY) or playable(recording)
