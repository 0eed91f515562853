"""What a model that reads an appeal is told: what the record shows, and what people wrote, apart from it."""

from datetime import timedelta

import pytest
from sqlmodel import col, update

from cupidsshield.bootstrap import House
from data.memory_inbox import MemoryInboxRow
from domain.appeal import AppealFactor, AppealStatus
from domain.clock import now
from domain.content import ContentContext
from graphs.moderation.state import Services
from policies.appeals import NO_EXPLANATION
from tests.agents.appeals import READ
from tests.agents.model_server import ModelServer, serving
from tests.graphs.conftest import CLEAR, VIOLATING, case_of, decided
from tests.graphs.test_appeal_readings import (
    ORDER,
    Told,
    appealed,
    kept,
    read_only,
    reader_of,
    reading_from,
    rejected,
    tenant,
)
from tests.graphs.test_appeals import GOOD, file, person_decides, stored
from workers import tasks
from workers.appeal_reader import AppealReader
from workers.loop import Worker

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
async def app_id(house: House) -> str:
    return await tenant(house)


async def test_it_is_told_what_the_record_shows_and_not_what_the_weighing_came_to(house: House, app_id: str) -> None:
    talk = ContentContext(conversation_id="talk", account_created_at=now() - timedelta(days=400))
    await decided(house, app_id, "He wrote to me: I love hiking", user_id="u2", context=talk)
    await decided(house, app_id, CLEAR, user_id="u1")
    answer = await decided(house, app_id, VIOLATING, context=talk)
    await file(house.appeals, answer, app_id, new_evidence="Look at 18:02.")
    reviewer = Told()
    await reader_of(house, app_id, reviewer).step()
    [dossier] = reviewer.asked
    facts = "\n".join(dossier.facts)
    assert "rejected under" in facts
    assert "Other texts of the user in the record: 1, 0 of them violations." in facts
    assert "400 days old" in facts
    assert "has not changed since" in facts
    assert "weigh" not in facts.lower()
    assert GOOD not in facts
    assert dossier.explanation is not None
    assert (dossier.explanation.posted, dossier.decided.posted) == (GOOD, VIOLATING)
    assert dossier.new_evidence is not None
    titles = {piece.text: piece.title for piece in dossier.others}
    assert titles["He wrote to me: I love hiking"] == "Earlier in the same conversation, by the other person"
    assert titles[CLEAR] == "Another text of the user, which was approved"
    assert dossier.weighable >= {AppealFactor.NEW_EVIDENCE, AppealFactor.HISTORY}


async def test_it_is_told_what_changed_in_the_guideline_since(house: House, app_id: str) -> None:
    appeal = await appealed(house, app_id)
    policy = (await case_of(house, app_id, appeal.case_id)).violation_type
    assert policy is not None
    policies = read_only(house.policies, app_id)
    newer = policies.guideline(policy).model_copy(update={"version": "9.0.0", "rule": "Be kind."})
    changed = policies.model_copy(update={"guidelines": {**policies.guidelines, policy: newer}})
    reviewer = Told()
    services = Services(tools=house.tools, policies=changed, clock=now, link=house.links.to)
    await AppealReader(house.database, services, reviewer).step()
    [dossier] = reviewer.asked
    assert f"The rule was “{policies.guideline(policy).rule}”, and is “Be kind.” now." in dossier.facts


async def test_what_the_user_did_not_say_is_nothing_to_judge_by(house: House, app_id: str) -> None:
    await appealed(house, app_id, explanation=NO_EXPLANATION)
    reviewer = Told()
    await reader_of(house, app_id, reviewer).step()
    [dossier] = reviewer.asked
    assert (dossier.explanation, dossier.new_evidence) == (None, None)
    assert not dossier.weighable & {AppealFactor.EXPLANATION, AppealFactor.NEW_EVIDENCE}
    assert "The user sent no explanation." in dossier.facts


async def test_how_appeals_in_similar_cases_ended_is_told(house: House, app_id: str) -> None:
    first = await appealed(house, app_id)
    await person_decides(house, first)
    due = update(MemoryInboxRow).where(col(MemoryInboxRow.app_id) == app_id)
    await house.database.write(lambda s: s.execute(due.values(due_at=now() - timedelta(seconds=5))))
    await Worker("memory", tasks.remember(house.database, house.tools), interval_s=1).drain()
    answer = await decided(house, app_id, "Send me money on Telegram for my crypto investment!", user_id="u1")
    await file(house.appeals, await rejected(house, answer), app_id)
    reviewer = Told()
    await reader_of(house, app_id, reviewer).step()
    [told] = [piece for piece in reviewer.asked[-1].others if piece.title.startswith("A similar text")]
    assert told.text == VIOLATING
    assert told.title.startswith("A similar text that a person judged as fine (similarity ")
    assert told.title.endswith("; its appeal was overturned")


@pytest.mark.parametrize("text", [ORDER, GOOD])
async def test_an_appeal_that_gives_orders_is_noticed_and_its_words_stay_apart(
    house: House, app_id: str, text: str
) -> None:
    appeal = await appealed(house, app_id, explanation=text)
    server = ModelServer(answer={**READ, "quotes": ["Send me money"]})
    async with serving(server), reading_from(house, app_id, server) as reader:
        await reader.step()
    found = await kept(house, appeal)
    assert found is not None
    assert found.addresses_the_machine is (text == ORDER)
    system_, facts, material = server.asked[0]["messages"]
    assert text not in system_["content"] + facts["content"]
    mark = material["content"].split("mark of this message is ")[1][:32]
    assert f"<<<{mark}\n{text}\n{mark}>>>" in material["content"]
    assert (await stored(house, appeal)).status is AppealStatus.UNDER_REVIEW
