"""Unit files of systemd: limits, drop-ins, slices, commands, and what is wrong in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath.session.doors.unit_file import _drop_in_names

from .reading import MIB, SAMPLES, commands, errors, plan, script, sets


def unit(folder: Path, settings: str, name: str = "app.service") -> Path:
    file = folder / name
    file.write_text(f"[Service]\nExecStart=/usr/bin/ls\n{settings}")
    return file


def test_the_sample() -> None:
    found = plan(SAMPLES / "app.service")
    assert sets(found, "system.slice/app.service") == {
        "memory.high": 48 * MIB, "memory.max": 64 * MIB, "memory.swap.max": 0,
    }  # fmt: skip
    assert commands(script(SAMPLES / "app.service")) == [
        "systemd-run --wait --unit=app -p MemoryHigh=48M -p MemoryMax=64M -p MemorySwapMax=0 /usr/bin/make -j"
    ]
    found = plan(SAMPLES / "app.service", "make=ls", version="v1")
    assert sets(found, "app.service") == {"memory.limit_in_bytes": 64 * MIB}
    assert "app" in commands(script(SAMPLES / "app.service", "app=ls"))[0].split()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("MemoryMax=infinity\n", {"memory.max": None}),
        ("MemoryMax=25%\n", {"memory.max": 1024 * MIB}),
        ("MemoryMax = 1G 512M\n", {"memory.max": 1536 * MIB}),
        ("MemoryMax=64M\nMemoryMax=\n", {}),
        ("MemoryMax=64M\nMemoryMax=\\\n 96M\n# MemoryHigh=1M\n;x\n", {"memory.max": 96 * MIB}),
        ("MemoryMin=8M\nMemoryLow=16M\nOOMPolicy=kill\n", {"memory.min": 8 * MIB, "memory.low": 16 * MIB,
                                                           "memory.oom.group": 1}),
        ("Slice=batch-low.slice\nMemoryMax=8M\n", {"memory.max": 8 * MIB}),
    ],
)  # fmt: skip
def test_limits(tmp_path: Path, settings: str, expected: dict[str, int | None]) -> None:
    found = sets(plan(unit(tmp_path, settings)), "app.service")
    assert {name: None if value > 1 << 40 else value for name, value in found.items()} == expected


def test_drop_ins_and_slices(tmp_path: Path) -> None:
    file = unit(tmp_path, "MemoryMax=64M\nSlice=batch-low.slice\n", "app@1.service")
    for name, text in {
        "app@1.service.d/20-b.conf": "[Service]\nMemoryMax=96M\n",
        "app@.service.d/10-a.conf": "[Service]\nMemoryMax=80M\nMemoryHigh=70M\nExecStart=\nExecStart=/bin/make -j%i\n",
        "app@1.service.d/notes.txt": "?",
        "batch.slice": "[Slice]\nMemoryMax=1G\n", "batch-low.slice.d/x.conf": "[Slice]\nMemoryLow=32M\n",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = plan(file)
    assert sets(found, "batch-low.slice/app@1.service") == {"memory.high": 70 * MIB, "memory.max": 96 * MIB}
    assert sets(found, "batch.slice") == {"memory.max": 1024 * MIB}
    assert sets(found, "batch-low.slice") == {"memory.low": 32 * MIB}
    assert commands(script(file))[-1].endswith("-p MemoryHigh=70M -p MemoryMax=96M /bin/make -j1")


def test_drop_ins_of_the_kind_and_of_prefixes(tmp_path: Path) -> None:
    """Of two with one name the nearer one counts; a link to /dev/null is such a one."""
    for name, text in {
        "service.d/10-all.conf": "[Service]\nMemoryMax=80M\nMemoryHigh=64M\n",
        "service.d/20-masked.conf": "[Service]\nMemorySwapMax=0\n",
        "service.d/30-near.conf": "[Service]\nMemoryLow=8M\n",
        "web-.service.d/30-near.conf": "[Service]\nMemoryLow=16M\n",
        "web-.service.d/40-x.conf": "[Service]\nMemoryMin=4M\n",
        "web-app.service.d/05-first.conf": "[Service]\nMemoryMax=96M\nMemoryHigh=\n",
        "slice.d/x.conf": "[Slice]\nMemoryMax=1G\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "web-app.service.d/20-masked.conf").symlink_to("/dev/null")
    found = plan(unit(tmp_path, "", "web-app.service"))
    assert sets(found, "web-app.service") == {
        "memory.max": 80 * MIB, "memory.high": 64 * MIB, "memory.low": 16 * MIB, "memory.min": 4 * MIB,
    }  # fmt: skip
    assert sets(found, "system.slice") == {"memory.max": 1024 * MIB}
    assert list(_drop_in_names("a-b@1.service")) == [
        "a-b@1.service", "a-b@.service", "a-@.service", "a-@1.service", "service",
    ]  # fmt: skip
    assert list(_drop_in_names("a-b--.slice")) == ["a-b--.slice", "a-b-.slice", "a-.slice", "slice"]


def test_an_instance_has_a_slice_of_its_template(tmp_path: Path) -> None:
    assert "system.slice/system-app.slice/app@1.service" in plan(unit(tmp_path, "", "app@1.service")).groups


def test_commands(tmp_path: Path) -> None:
    def runs(settings: str) -> str:
        return commands(script(unit(tmp_path, f"ExecStart=\n{settings}")))[-1].partition("--unit=app ")[2]

    assert runs("ExecStart=-/usr/bin/make -j4 'a b'\n") == "/usr/bin/make -j4 'a b'"
    assert runs('Environment="O=-j 4" N=2\nExecStart=/usr/bin/make $O ${N}%%\n') == "/usr/bin/make -j 4 2%"
    assert runs("ExecStart=/srv/server --port 80\n") == "app"
    assert runs("ExecStartPre=-/bin/ls\nExecStart=@/usr/bin/make build -j2\n") == (
        "sh -c '{ /bin/ls || true; } && /usr/bin/make -j2'"
    )
    assert runs("ExecStartPre=/bin/mkdir -p /run/x\nExecStart=/bin/ls ; /bin/ls -l\nType=oneshot\n") == (
        "sh -c '/bin/mkdir -p /run/x && /bin/ls && /bin/ls -l'"
    )
    assert runs("ExecStartPre=/usr/bin/prepare x\nExecStart=-/bin/ls\n") == "/bin/ls"
    assert "ExecStartPre=/usr/bin/prepare x: nobody knows it, and it is not run" in plan(tmp_path / "app.service").notes
    assert runs("Type=oneshot\nExecStart=/bin/ls\nExecStart=/bin/ls\n") == "sh -c '/bin/ls && /bin/ls'"


def test_notes(tmp_path: Path) -> None:
    assert "ManagedOOMPreference= is not modelled" in plan(unit(tmp_path, "ManagedOOMPreference=omit\n")).notes
    file = unit(tmp_path, "CPUQuota=50%\nLimitAS=infinity\nRestart=always\nExecStopPost=/bin/true\nUser=me\nNice=5\n")
    assert plan(file).notes[:4] == (
        "CPUQuota= (a quota of CPU time) is not modelled", "Restart= (a service that is started again) is not modelled",
        "ExecStopPost= is not run", "without an effect here: LimitAS=, User=, Nice=",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("MemoryMax=64Mi\n", "app.service:3:1: '64Mi' is not a size to systemd"),
        ("MemoryMx=64M\n", "app.service:3:1: systemd knows no MemoryMx= (did you mean MemoryMax?)"),
        ("MemorySwapHigh=64M\n", "MemorySwapHigh= is not modelled"),
        ("DefaultMemoryLow=1M\n", "DefaultMemoryLow= is not modelled"),
        ("LimitAS=64M\n", "LimitAS= (a limit of address space) is not modelled"),
        ("OOMPolicy=restart\n", "'restart' is not a policy"),
        ("OOMScoreAdjust=5000\n", "oom_score_adj"),
        ("MemoryMax 64M\n", "neither a section nor NAME=VALUE"),
        ("[Servic]\n", "[Servic] has no place in app.service (did you mean Service?"),
        ("Slice=a/b.slice\n", "not a slice's name"),
        ("ExecStart=/bin/ls\n", "a second ExecStart="),
        ("ExecStart=\n", "no ExecStart= in [Service]"),
        ("ExecStart=\nExecStart='\n", "No closing quotation"),
        ("ExecStart=\nExecStart=$NOTHING\n", "its variables are empty"),
    ],
)
def test_errors(tmp_path: Path, settings: str, told: str) -> None:
    found = errors(unit(tmp_path, settings))
    assert len(found) == 1 and told in found[0] and found[0].startswith("app.service:")


def test_all_errors_at_once(tmp_path: Path) -> None:
    found = errors(unit(tmp_path, "MemoryMax=64Mi\nMemoryHigh=x\nOOMPolicy=y\n"))
    assert [line.partition(": ")[0] for line in found] == ["app.service:3:1", "app.service:4:1", "app.service:5:1"]


def test_what_is_no_service(tmp_path: Path) -> None:
    (tmp_path / "a.slice").write_text("[Slice]\nMemoryMax=1G\n")
    assert "a.slice runs nothing" in errors(tmp_path / "a.slice")[0]
    assert "app@.service is a template (an instance of it" in errors(unit(tmp_path, "", "app@.service"))[0]
    (tmp_path / "b.service").write_text("[Unit]\nDescription=x\n")
    assert "no [Service] in it" in errors(tmp_path / "b.service")[0]
    (tmp_path / "c.service").write_text("MemoryMax=1G\n[Service]\nExecStart=/bin/ls\n")
    assert "MemoryMax= is in no section" in errors(tmp_path / "c.service")[0]
