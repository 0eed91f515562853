"""What hides among harmless words is read by itself before any model may clear the whole."""

import pytest

from cupidsshield.bootstrap import House
from domain.vocabulary import DecisionKind
from graphs.moderation.passages import MOST, passages
from policies.fuse import PASSAGE_ALONE
from tests import factories
from tests.graphs.conftest import VIOLATING, case_of, moderate
from tests.graphs.test_consulting import Told, always, fine, runs_with

HARMLESS = "We met at the library last week and talked about trees. It was lovely! I still think of the cake we had."


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One sentence only.", ()),
        ("", ()),
        ("How are you doing? I went to the lake today.", ("How are you doing?", "I went to the lake today.")),
        ("A first line here\nand a second line", ("A first line here", "and a second line")),
        ("Hi! I went to the lake today. Lol.", ()),
    ],
)
def test_lines_and_sentences_are_passages_and_short_ones_join_a_neighbour(text: str, parts: tuple[str, ...]) -> None:
    assert passages(text) == parts


def test_a_long_text_has_few_passages_and_loses_nothing() -> None:
    text = " ".join(f"This is sentence number {number}." for number in range(100))
    assert len(passages(text)) <= MOST
    assert " ".join(passages(text)) == text


@pytest.mark.asyncio(loop_scope="session")
async def test_a_violation_among_harmless_words_is_not_cleared(house: House, app_id: str) -> None:
    async with runs_with(house, Told(fine), always(house.policies)) as runs:
        answer = await moderate(runs, factories.content(f"{HARMLESS}\n{VIOLATING}\n{HARMLESS}", app_id=app_id))
    case = await case_of(house, app_id, answer.case_id)
    assert case.decision is not DecisionKind.APPROVED
    assert PASSAGE_ALONE in {signal.name for signal in case.assessment.signals}


@pytest.mark.asyncio(loop_scope="session")
async def test_harmless_passages_add_nothing(house: House, app_id: str) -> None:
    async with runs_with(house, Told(fine), always(house.policies)) as runs:
        answer = await moderate(runs, factories.content(HARMLESS, app_id=app_id))
    case = await case_of(house, app_id, answer.case_id)
    assert case.decision is DecisionKind.APPROVED
    assert PASSAGE_ALONE not in {signal.name for signal in case.assessment.signals}
