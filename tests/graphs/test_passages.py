"""What hides among harmless words reaches a person, and no model clears it."""

import pytest

from cupidsshield.bootstrap import House
from domain.signals import PASSAGE_ALONE
from domain.vocabulary import DecisionKind
from tests import factories
from tests.graphs.conftest import VIOLATING, case_of, decided, moderate
from tests.graphs.test_consulting import Told, always, fine, runs_with

HARMLESS = (
    "We met at the library last week and talked about trees. It was lovely! I still think of the cake we had. "
    "On Sunday we want to go there again."
)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_violation_among_harmless_words_is_not_cleared(house: House, app_id: str) -> None:
    async with runs_with(house, Told(fine), always(house.policies)) as runs:
        answer = await moderate(runs, factories.content(f"{HARMLESS}\n{VIOLATING}\n{HARMLESS}", app_id=app_id))
    case = await case_of(house, app_id, answer.case_id)
    assert case.decision is not DecisionKind.APPROVED
    assert PASSAGE_ALONE in {signal.name for signal in case.assessment.signals}


@pytest.mark.asyncio(loop_scope="session")
async def test_without_any_model_a_person_looks(house: House, app_id: str) -> None:
    answer = await decided(house, app_id, f"{HARMLESS}\n{VIOLATING}\n{HARMLESS}")
    assert answer.decision is not DecisionKind.APPROVED


@pytest.mark.asyncio(loop_scope="session")
async def test_harmless_passages_add_nothing(house: House, app_id: str) -> None:
    async with runs_with(house, Told(fine), always(house.policies)) as runs:
        answer = await moderate(runs, factories.content(HARMLESS, app_id=app_id))
    case = await case_of(house, app_id, answer.case_id)
    assert case.decision is DecisionKind.APPROVED
    assert PASSAGE_ALONE not in {signal.name for signal in case.assessment.signals}
