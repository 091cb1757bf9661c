"""Sessions as people type them, in ``typed/``: each runs, or is refused with all that is wrong with it at once.

What each comes to stands beside it, in a file of the same name that ends in ``.out``: what the session prints and the
notes, or the errors.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cowpath import api
from cowpath.errors import InputError, InputErrors
from cowpath.kernels.chosen import choose_kernel
from cowpath.session.load import load_session
from cowpath.session.plan import MachineSettings

TYPED = Path(__file__).parent / "typed"
SESSIONS = sorted(TYPED.glob("*.sh"))
UNTIL_NS = 30 * 10**9


def header(text: str, key: str) -> list[str]:
    """The words of ``# KEY: WORDS``: how a session is called."""
    match = re.search(rf"^# {key}: (.*)$", text, re.MULTILINE)
    return match[1].split() if match else []


def outcome(session: Path) -> str:
    """What a session prints and the notes, or its errors."""
    text = session.read_text()
    try:
        plan = load_session(
            session, table=TYPED / "typed.toml", arguments=header(text, "args"),
            environment=dict(each.split("=", 1) for each in header(text, "env")),
            settings=MachineSettings(cgroup=next(iter(header(text, "cgroup")), None)),
        )  # fmt: skip
        kernel = next(iter(header(text, "design")), None)
        design = api.load_design(kernel or choose_kernel("v1" in plan.interfaces, "v2" in plan.interfaces).name)
        api.check_cgroups(plan, design)
    except InputError as error:
        lines = error.lines if isinstance(error, InputErrors) else (str(error),)
        return "".join(f"{line.replace(str(session), session.name)}\n" for line in ("refused", *lines))
    k = api.build_machine(plan, design, api.Options())
    clock = api.make_clock(k, plan, design, lambda events: None)
    ending = clock.run(UNTIL_NS)
    assert ending.reason == "script", ending
    return "".join([clock.output, *(f"note: {note}\n" for note in plan.notes)])


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.stem)
def test_it_comes_to_what_was_written_down(session: Path) -> None:
    assert outcome(session) == session.with_suffix(".out").read_text()


def test_most_of_them_run() -> None:
    refused = [each for each in SESSIONS if each.with_suffix(".out").read_text().startswith("refused\n")]
    assert len(SESSIONS) >= 60 and len(SESSIONS) - len(refused) >= 50
