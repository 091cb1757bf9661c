"""Cost tables: a packaged one is whole or says of which it is a part, and a user's may do the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath.engine import costs
from cowpath.errors import InputError


def test_a_table_is_the_one_that_it_extends_but_for_what_it_says() -> None:
    bare, vm = costs.load("bare"), costs.load("micro-vm")
    assert (vm.steps, vm.disk) == (bare.steps, bare.disk | {"latency": 220_000})
    assert vm.sched["min_granularity"] == 1_400_000 and vm.sched["jitter"] == bare.sched["jitter"]


def test_a_users_table_is_a_part_of_the_default_or_of_what_it_names(tmp_path: Path) -> None:
    mine = tmp_path / f"{costs.DEFAULT}.toml"  # the packaged one's name makes it no whole
    mine.write_text("[steps]\nscan_page = 7\n")
    assert costs.load(str(mine)).steps == costs.load().steps | {"scan_page": 7}
    mine.write_text('extends = "bare"\n[steps]\nscan_page = 7\n')
    assert costs.load(str(mine)).steps == costs.load("bare").steps | {"scan_page": 7}


@pytest.mark.parametrize("extends", ['"fast"', "3", '["bare"]', '"bare.toml"'])
def test_what_is_extended_is_packaged(extends: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(f"extends = {extends}\n[disk]\nlatency = 1000\n")
    with pytest.raises(InputError, match="extends") as error:
        costs.load(str(mine))
    assert error.value.file == str(mine) and "bare" in (error.value.hint or "")
