"""Every command and every line of Python that README.md and docs/*.md show is run, and prints what stands below it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup as Group
from typer.main import get_command

from cowpath.cli import app

from ..slow import NIGHTLY, some_nightly
from .pages import PAGES, PRINTS, ROOT, Command, blocks, commands, commands_of, missing, python
from .reader import folder_of, run

NOT_RUN = {
    "source .venv/bin/activate": "prepares the reader's own shell",
}
LONG = {  # minutes, or much the same again: in make nightly only
    "cowpath search --path file_cow",
    "cowpath costs examples/own-page.sh --seeds 5",
    "cowpath search --path readahead --from linux-6.18",
    *(f"cowpath lesson {number} --answers" for number in range(1, 8)),
}
MANY = {
    f"docs/{page}.md" for page in ("today", "sweeps", "see", "casebook", "ten-minutes")
}  # pages with as many long ones, the same
MAKE = re.compile(r"make (\w[\w-]*)")  # not run, they are long: the Makefile must know them
INLINE = re.compile(r"`cowpath (?!recording 1`)([a-z-][^`<\\]*)`")  # that is the first line of a recording
SHOWS_A_COMMAND = re.compile(r"^(\$ )?(cowpath|make|pytest|python3?) ", re.MULTILINE)


def to_run(page: str) -> list[Command]:
    """A page's commands; what writes no file and shows no output is run once, where its output is shown if it is."""
    shown = {command.text for other in PAGES for command in commands_of(other) if command.output}
    before = {command.text for other in PAGES[: PAGES.index(page)] for command in commands_of(other)}
    return [
        command
        for command in commands_of(page)
        if command.output or "--save" in command.words or command.text not in shown | before
    ]


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("page", some_nightly([page for page in PAGES if to_run(page)], nightly=MANY))
def test_the_commands(page: str, tmp_path: Path) -> None:
    folder = folder_of(page, tmp_path)
    for command in to_run(page):
        if command.text in NOT_RUN or MAKE.fullmatch(command.text) or (command.text in LONG and not NIGHTLY):
            continue
        assert command.words[0] == "cowpath", f"{command.text}: neither run nor listed in NOT_RUN"
        ended = run([sys.executable, "-m", *command.words], folder)
        assert ended.returncode == command.status, f"{command.text}\n{ended.stdout}{ended.stderr}"
        assert missing(command.output, ended.stdout) is None, f"{command.text}: {missing(command.output, ended.stdout)}"


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("page", [page for page in PAGES if python(page)])
def test_the_python(page: str, tmp_path: Path) -> None:
    program = python(page)
    ended = run([sys.executable, "-c", program], folder_of(page, tmp_path))
    assert ended.returncode == 0, ended.stderr
    shown = "\n...\n".join(PRINTS.findall(program))
    assert missing(shown, ended.stdout) is None, missing(shown, ended.stdout)


def test_what_is_not_run_stands_somewhere_and_make_knows_its_targets() -> None:
    shown = {command.text for page in PAGES for command in commands_of(page)}
    assert set(NOT_RUN) | LONG <= shown
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert targets is not None
    assert {found[1] for text in shown if (found := MAKE.fullmatch(text))} <= set(targets[1].split())


@pytest.mark.parametrize("page", PAGES)
def test_commands_stand_in_console_blocks_only(page: str) -> None:
    for block in blocks(page):
        if block.language != "console":
            assert not SHOWS_A_COMMAND.search(block.text), block.text
        else:
            assert commands(block) and block.text.startswith("$ "), block.text


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_sentences_are_spelt_right(page: str) -> None:
    """Those in sentences and tables are not run (``cowpath run SESSION``): their names and options must exist."""
    for words in map(str.split, INLINE.findall((ROOT / page).read_text(encoding="utf-8"))):
        command = get_command(app)
        while isinstance(command, Group) and words and not words[0].startswith("-"):
            if words[0] not in command.commands and (short := getattr(command, "short_for", None)) is not None:
                words.insert(0, short)  # cowpath sweep SESSION
            assert words[0] in command.commands, f"{page}: {' '.join(words)}"
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        ours = words[: words.index("--")] if "--" in words else words  # what follows are another command's words
        assert {word for word in ours if word.startswith("-")} <= known, f"{page}: {' '.join(words)}"
