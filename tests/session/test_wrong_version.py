"""What a release does not take is one clear line, before anything runs: where, the word, and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cowpath import designs
from cowpath.cli import app
from cowpath.errors import InputError
from cowpath.kernels import profile

V1 = "cgcreate -g memory:A\n"
V2 = "mkdir /sys/fs/cgroup/A\n"
A = "/sys/fs/cgroup/A"
NEWEST = profile.names()[-1]


def said(folder: Path, text: str, design: str | None, table: str = "") -> tuple[int, list[str]]:
    """The status of a run and what it says on standard error."""
    (folder / "s.sh").write_text(text, encoding="utf-8")
    (folder / "s.toml").write_text(f"[bystanders]\nprograms = []\n{table}", encoding="utf-8")
    named = [] if design is None else ["--design", design]
    result = CliRunner().invoke(app, ["run", str(folder / "s.sh"), "--until", "5ms", *named])
    assert "Traceback" not in result.stderr
    return result.exit_code, result.stderr.splitlines()


@pytest.mark.parametrize(("text", "design", "words"), [
    # a file of one version on a machine with the other
    (f"{V2}echo 1M > {A}/memory.max", "linux-3.0", f"1:7: '{A}' is of cgroup v2, and linux-3.0 has v1 (--design"
     f" {NEWEST} has it)"),
    (f"{V1}cgset -r memory.max=1M A", "linux-3.1", "2:10: 'memory.max' is of cgroup v2, and linux-3.1 has v1 (cgroup v1"
     f" calls it memory.limit_in_bytes; --design {NEWEST} has it)"),
    (f"{V1}cgset -r memory.high=1M A", "linux-3.12", "'memory.high' is of cgroup v2, and linux-3.12 has v1"),
    (f"{V2}echo 1M > {A}/memory.limit_in_bytes", NEWEST, "no such file: 'memory.limit_in_bytes' (cgroup v2 calls it"),
    (f"{V2}echo 1 > {A}/memory.oom_control", NEWEST, "2:10: no such file: 'memory.oom_control'"),
    ("mkdir /sys/fs/cgroup/memory/A\necho 1M > /sys/fs/cgroup/memory/A/memory.max", NEWEST, "(cgroup v1 calls it"),
    # both
    (f"{V1}cgset -r memory.limit_in_bytes=1M A\ncgset -r memory.high=1M A", None, "3:10: 'memory.high' is of cgroup v2,"
     " and 'memory.limit_in_bytes' in line 2 of v1 (a machine has one of them: all names of one kind)"),
    # a file that the release does not have yet
    (f"{V2}echo 1M > {A}/memory.reclaim", "linux-4.19", "linux-4.19 has no memory.reclaim (it came with Linux 5.19)"),
    (f"{V2}echo 1 > {A}/cgroup.kill", "linux-4.19", "linux-4.19 has no cgroup.kill (it came with Linux 5.14)"),
    (f"{V2}cat {A}/memory.peak", "linux-5.15", "linux-5.15 has no memory.peak (it came with Linux 5.19)"),
    # values
    (f"{V1}cgset -r memory.swappiness=150 A", "linux-3.0", "2:28: '150' is not a value of memory.swappiness"),
    (f"{V1}cgset -r memory.oom_control=2 A", NEWEST, "'2' is not a value of memory.oom_control"),
    (f"{V2}echo -5 > {A}/memory.high", NEWEST, "2:6: '-5' is not a limit"),
    (f"{V2}echo '1M swappiness=250' > {A}/memory.reclaim", NEWEST, "(swappiness=0 to 200, or max)"),
    # kernels, and what is not there
    (V1, "linux-6.5", "no design 'linux-6.5'"), (V1, "linux-8.0", f"the nearest is {NEWEST}"),
    (f"{V1}cgset -r memory.kmem.limit_in_bytes=1M A", NEWEST, "memory.kmem.limit_in_bytes is not modelled"),
    (f"{V2}echo 1 > {A}/cgroup.freeze", NEWEST, "cgroup.freeze"),
])  # fmt: skip
def test_one_line_says_what_is_wrong(text: str, design: str | None, words: str, tmp_path: Path) -> None:
    status, lines = said(tmp_path, text, design)
    assert status == 2 and len(lines) == 1 and lines[0].startswith("cowpath: ")
    assert words in lines[0]


@pytest.mark.parametrize(
    ("cgroup", "text"), [("v1", f"{V2}cat {A}/memory.max"), ("v2", f"{V1}cgget -r memory.failcnt A")]
)
def test_the_table_against_the_script(cgroup: str, text: str, tmp_path: Path) -> None:
    status, lines = said(tmp_path, text, NEWEST, f'[machine]\ncgroup = "{cgroup}"\n')
    assert status == 2 and len(lines) == 1 and cgroup in lines[0]


def test_a_fault_that_drops_mmap_sem_for_io_waits_for_the_page(tmp_path: Path) -> None:
    """fault_retry = "io" in a path that looks the page up and never takes its lock."""
    file = tmp_path / "mine.toml"
    path = 'file_read = ["find_page", "map_page", "put_page"]'
    file.write_text(f'extends = "linux-6.18"\n[paths]\n{path}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"file_read.*io.*nothing waits") as error:
        designs.load(file)
    assert error.value.file == str(file) and "lock_page after find_page" in (error.value.hint or "")
    file.write_text(file.read_text(encoding="utf-8") + "[policies]\nfault_retry = true\n", encoding="utf-8")
    assert designs.load(file).policies["fault_retry"] is True
