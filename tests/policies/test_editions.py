"""What changed between two editions of a guideline is told sentence by sentence, and an unknown form is no edition."""

import pytest

from domain.vocabulary import Action, Policy
from policies.editions import changes, read_edition
from policies.model import Guideline
from tests.policies.test_assess import POLICIES

NOW = POLICIES.guideline(Policy.SCAMS)


def older(**changed: object) -> Guideline:
    return NOW.model_copy(update=changed)


def test_an_edition_comes_back_as_it_was_kept() -> None:
    assert read_edition(NOW.model_dump_json()) == NOW


@pytest.mark.parametrize("body", ["", "{}", '{"name": "scams"}', "no JSON"])
def test_what_is_no_guideline_is_none(body: str) -> None:
    assert read_edition(body) is None


def test_nothing_changed_is_nothing_to_tell() -> None:
    assert changes(NOW, NOW) == ()
    assert changes(older(examples=NOW.examples[:1], version="0.9.0"), NOW) == ()


def test_each_difference_is_a_sentence() -> None:
    before = older(
        rule="Ask nobody for money.",
        covers=(*NOW.covers[1:], "asking for lifts"),
        does_not_cover=NOW.does_not_cover[1:],
        severities=NOW.severities.model_copy(update={"low": "A hint."}),
        ladder=NOW.ladder.model_copy(update={"medium": Action.WARN}),
    )
    assert changes(before, NOW) == (
        f"The rule was “Ask nobody for money.”, and is “{NOW.rule}” now.",
        f"Newly covered: “{NOW.covers[0]}”.",
        "No longer covered: “asking for lifts”.",
        f"Newly said not to be covered: “{NOW.does_not_cover[0]}”.",
        f"Severity low meant “A hint.”, and means “{NOW.severities.low}” now.",
        "Severity medium led to warn, and leads to permanent ban now.",
    )
