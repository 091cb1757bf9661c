"""All that is wrong with a session is told at once, each cause once, and nothing that only follows from another."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath.errors import InputError, InputErrors
from cowpath.session.load import load_session, plan_session
from cowpath.session.table import load_tables


def errors(text: str) -> list[str]:
    """The errors of a script, each as its place and its first words."""
    with pytest.raises(InputError) as caught:
        plan_session(text, "s.sh", load_tables(None))
    found = caught.value.errors if isinstance(caught.value, InputErrors) else (caught.value,)
    assert all(error.line and error.column for error in found)
    return [str(error).removeprefix("s.sh:").split(" (")[0] for error in found]


def test_errors_of_all_kinds_in_one_session() -> None:
    text = "nosuch -x\nls | xargs\ncgset -r memory.limit_in_bytes=Q A\nsleep 5q &\nif -Q x; do\n  ls\nfi\necho $B\nls '"
    assert errors(text) == [
        "1:1: unknown command or program: 'nosuch'",
        "2:4: a pipe is not understood here: '|'",
        "3:32: 'Q' is not a limit",
        "4:7: '5q' is not a time",
        "5:10: 'then' is missing after 'if'",
        "8:6: no variable is called 'B' here",
        "9:4: a quote is not closed: '",
    ]


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("A=$B; echo $A; C=x$A; echo $C", "1:3: no variable is called 'B' here"),
        ("A=$(date)\necho $A", "1:5: date: the time of day is not modelled"),
        ("A=$(ls)\necho $A", "1:3: a command substitution is not understood here: '$('"),
        ("for i in $(ls); do\n  echo $i\ndone", "1:10: a command substitution is not understood here: '$('"),
        ("sleep 5q & P=$!\nkill $P; wait %1", "1:7: '5q' is not a time"),
        ("cgcreate -g cpu:A\ncgset -r memory.limit_in_bytes=1M A; cgexec -g memory:A ls",
         "1:13: only the memory controller is modelled, not 'cpu'"),
        ("for i in {1..50}; do nosuch; done", "1:22: unknown command or program: 'nosuch'"),
        ("while true; do X=${X}1; break; done", "1:18: no variable is called 'X' here"),
        ("while [ -Q x ]; do\n  break\ndone", "1:9: this test is not understood: '-Q x'"),
        ("if true; do\n  ls\nelse\n  ls\nfi", "1:10: 'then' is missing after 'if'"),
        ("ls | xargs | grep x > y", "1:4: a pipe is not understood here: '|'"),
        ("f( {\n  ls\n}\n", "1:1: ')' is missing after 'f('"),
        ("nosuch; nosuch2 'x", "1:17: a quote is not closed: '"),
    ],
)  # fmt: skip
def test_what_follows_from_an_error_is_not_told(text: str, only: str) -> None:
    found = errors(text)
    assert only in found and len([each for each in found if "nosuch'" not in each or each == only]) == 1


def test_a_table_and_its_session_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text("own\nls | xargs\n")
    (tmp_path / "s.toml").write_text('[machine]\ncpus = 99\nmemory = "64Q"\nfoo = 1\n[programs.own]\nwriten = "x"\n')
    with pytest.raises(InputErrors) as caught:
        load_session(tmp_path / "s.sh")
    assert [(Path(e.file or "").name, e.line) for e in caught.value.errors] == [
        ("s.toml", 2), ("s.toml", 3), ("s.toml", 4), ("s.toml", 6), ("s.sh", 2),
    ]  # fmt: skip


def test_an_included_table_may_name_files_that_a_session_does_not_use(tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text("sleep 1\n")
    (tmp_path / "common.toml").write_text("[bystanders]\nprograms = []\n[files.lib]\npages = 4\n")
    (tmp_path / "s.toml").write_text('include = "common.toml"\n')
    assert load_session(tmp_path / "s.sh").files == ()
    (tmp_path / "s.toml").write_text('include = "common.toml"\n[files.lib]\npages = 4\n')
    with pytest.raises(InputError, match="no program of the session uses the file 'lib'"):
        load_session(tmp_path / "s.sh")


def test_a_long_list_is_cut() -> None:
    with pytest.raises(InputErrors) as caught:
        plan_session("\n".join(f"nosuch{i}" for i in range(50)), "s.sh", load_tables(None))
    assert len(caught.value.errors) == 50
    assert caught.value.lines[-1] == "... and 30 more" and len(caught.value.lines) == 21


@pytest.mark.parametrize(
    "text",
    ["sleep 1 & kill -$!", "sleep 1 & cgclassify -g memory:$! $!", "sleep 1 & cgclassify -g $! $!",
     "sleep 1 & echo 1 > /cgroup/memory/$!/memory.swappiness", "sleep 1 & echo 1 > /cgroup/memory/A/$!",
     "sleep 1 & wait x$!", "sleep 1 & $!", "sleep 1 & echo $! > $!", "sleep 1 & cgexec -g memory:$! ls",
     "sleep 1 & taskset -c $! ls", "sleep 1 & sleep $!", "sleep 1 & for i in $(seq $!); do true; done",
     "sleep 1 & X=$!; cgset -r $X=1 A", "ls $$", "echo $$ > /cgroup/memory/$$/tasks", "sleep 1 & kill %$!",
     "sleep 1 & mkdir /cgroup/memory/$!", "sleep 1 & cd $!", "sleep 1 & break $!", "sleep 1 & make -j$!"],
)  # fmt: skip
def test_no_message_shows_what_stands_for_a_jobs_number(text: str) -> None:
    message = " ".join(errors(text))
    assert "\0" not in message and "x00" not in message
    assert "%1" in message or "$$" in message
