"""Thirty-two appeals of our own, and what the machine recommends for each; what restores them is in `test_appeals`."""

from typing import Any

import pytest

from domain.appeal import AppealOutcome
from policies.appeals import needs_senior, weigh
from tests.graphs.appeal_table import POLICIES, ROWS, expected, facts_in


def test_there_are_enough_of_them() -> None:
    assert len(ROWS) >= 30
    assert len({row["name"] for row in ROWS}) == len(ROWS)
    assert {expected(row) for row in ROWS} == set(AppealOutcome)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_the_machine_recommends_what_is_expected(row: dict[str, Any]) -> None:
    facts = facts_in(row)
    brief = weigh(facts, POLICIES)
    assert brief.recommendation is expected(row), brief
    assert needs_senior(facts.case, POLICIES) is row["senior"]
