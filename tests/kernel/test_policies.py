"""The table of policies: the designs, the state and docs/designs.md go by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cowpath import designs
from cowpath.designs.design import from_data, to_data
from cowpath.errors import InputError
from cowpath.kernel.policies import POLICIES, Policy
from cowpath.kernel.state import EXPLORE, state_record

PAGE = Path(__file__).parents[2] / "docs" / "designs.md"


@pytest.mark.parametrize("policy", POLICIES, ids=[policy.name for policy in POLICIES])
def test_a_policy_is_a_field_of_the_state(policy: Policy) -> None:
    assert policy.field in state_record(EXPLORE).fields
    assert policy.commit in policy.meaning
    assert [policy.number(value) for value in policy.values] == list(range(len(policy.values)))


@pytest.mark.parametrize("policy", POLICIES, ids=[policy.name for policy in POLICIES])
def test_the_page_has_the_tables_row(policy: Policy) -> None:
    values = ", ".join(f"`{json.dumps(value)}`" for value in policy.values)
    assert f"| `{policy.name}` | {values} | {policy.meaning} |" in PAGE.read_text().splitlines()


def test_what_a_design_does_not_name_is_as_in_linux_3_0() -> None:
    """A schedule or a design of an earlier version, which does not know a policy, means the base profile's."""
    data = to_data(designs.load("linux-2.6.39"))
    del data["policies"], data["extends"]
    assert from_data(data, "old.toml").policies == designs.load("linux-3.0").policies


def test_a_value_that_is_none_of_them_is_refused() -> None:
    with pytest.raises(InputError, match="'flag', 'counter'"):
        from_data({"extends": "linux-3.0", "policies": {"oom_lock": "count"}}, "mine.toml")
    with pytest.raises(InputError, match="False, True"):
        from_data({"extends": "linux-3.0", "policies": {"fault_retry": 1}}, "mine.toml")
    with pytest.raises(InputError, match="unknown policy"):
        from_data({"extends": "linux-3.0", "policies": {"oom_locks": "flag"}}, "mine.toml")
