"""What people decided is read back beside what the machine had thought: page by page, per app, without content."""

from datetime import timedelta

from sqlmodel import Session

from data import cases, claims, decisions, outcomes, reviews
from data.appeal_table import AppealRow
from data.database import Database
from data.outcomes import Reviewed
from data.review_table import ReviewRow
from data.statements import inserting
from domain.actor import system
from domain.case import CaseRecord
from domain.clock import now
from domain.review import ReviewItem
from domain.vocabulary import DecisionKind, Policy
from tests import factories

LEASE = timedelta(minutes=5)
APP = "app_a"


def recorded(session: Session, kind: DecisionKind, *, app_id: str = APP, days_ago: int = 0) -> CaseRecord:
    """A case that the machine has just recorded, in the queue where it is escalated."""
    record = factories.record(factories.content(app_id=app_id), factories.decision(kind)).model_copy(
        update={"created_at": now() - timedelta(days=days_ago)}
    )
    review = queued(record) if kind is DecisionKind.ESCALATED else None
    cases.record(session, record=record, review=review, messages=[], memory=None, actor=system(app_id))
    return record


def queued(record: CaseRecord) -> ReviewItem:
    return factories.review(record).model_copy(update={"id": f"review_of_{record.case_id}"})


def picked(session: Session, record: CaseRecord) -> ReviewItem:
    """A sample of what was decided alone, put before people."""
    item = queued(record)
    session.execute(inserting(ReviewRow), ReviewRow.columns_of(item))
    return item


def decide(session: Session, record: CaseRecord, review_id: str, kind: DecisionKind) -> None:
    app_id = record.content.app_id
    staff = factories.staff(app_ids=(app_id,))
    held = claims.claim(session, staff=staff, review_id=review_id, lease=LEASE)
    decisions.decide(
        session,
        staff=staff,
        review_id=review_id,
        epoch=held.epoch,
        decision=factories.human(record.case_id, kind),
        messages=[],
        memory=None,
        undo=timedelta(),
    )


def escalated_and_decided(session: Session, kind: DecisionKind, *, app_id: str = APP, days_ago: int = 0) -> str:
    record = recorded(session, DecisionKind.ESCALATED, app_id=app_id, days_ago=days_ago)
    decide(session, record, queued(record).id, kind)
    return record.case_id


async def read(database: Database, **wanted: object) -> tuple[Reviewed, ...]:
    return await database.read(
        lambda s: outcomes.decided_by_people(s, **{"app_id": APP, "since": None, **wanted})  # type: ignore[arg-type]
    )


async def test_only_what_people_decided_is_read_with_what_the_machine_had_thought(database: Database) -> None:
    case_id = await database.write(lambda s: escalated_and_decided(s, DecisionKind.REJECTED))
    for kind in DecisionKind:
        await database.write(lambda s, kind=kind: recorded(s, kind))
    (found,) = await read(database)
    assert (found.case_id, found.decision, found.policy) == (case_id, DecisionKind.REJECTED, Policy.HARASSMENT)
    assert found.machine.kind is DecisionKind.ESCALATED
    assert found.machine.policy is Policy.SCAMS, "what the machine thought stays"
    assert found.assessment.signals
    assert not {"content", "text", "user_id"} & Reviewed.model_fields.keys()


async def test_a_sample_is_told_from_what_somebody_asked_for(database: Database) -> None:
    escalated = await database.write(lambda s: escalated_and_decided(s, DecisionKind.APPROVED))

    def sample(session: Session) -> str:
        record = recorded(session, DecisionKind.APPROVED)
        decide(session, record, picked(session, record).id, DecisionKind.APPROVED)
        return record.case_id

    def proposed(session: Session) -> str:
        record = recorded(session, DecisionKind.REJECTED)
        item = reviews.propose(
            session,
            app_id=APP,
            case_id=record.case_id,
            decision=DecisionKind.APPROVED,
            policy=None,
            severity=None,
            action=None,
            reasoning="It quotes somebody else.",
            review=queued(record),
            actor=factories.agent(),
        )
        decide(session, record, item.id, DecisionKind.APPROVED)
        return record.case_id

    def appealed(session: Session) -> str:
        record = recorded(session, DecisionKind.REJECTED)
        appeal = AppealRow(
            id="appeal_1",
            app_id=APP,
            case_id=record.case_id,
            user_id=record.content.user_id,
            user_explanation="It was a joke.",
            status="pending",
            due_at=now(),
            created_at=now(),
        )
        session.add(appeal)
        session.flush()
        decide(session, record, picked(session, record).id, DecisionKind.APPROVED)
        return record.case_id

    made = [await database.write(work) for work in (sample, proposed, appealed)]
    asked_for = {found.case_id: found.asked_for for found in await read(database)}
    assert asked_for == dict(zip([escalated, *made], [True, False, True, True], strict=True))


async def test_pages_follow_each_other_oldest_first_and_miss_nothing(database: Database) -> None:
    made = [
        await database.write(lambda s, n=n: escalated_and_decided(s, DecisionKind.APPROVED, days_ago=n // 2))
        for n in range(7)
    ]
    pages, last = [], None
    while page := await read(database, after=last, limit=3):
        pages.append(page)
        last = page[-1]
    assert [len(page) for page in pages] == [3, 3, 1]
    found = [reviewed for page in pages for reviewed in page]
    assert {reviewed.case_id for reviewed in found} == set(made)
    moments = [reviewed.created_at for reviewed in found]
    assert moments == sorted(moments)


async def test_a_date_and_an_app_bound_what_is_read(database: Database) -> None:
    await database.write(lambda s: escalated_and_decided(s, DecisionKind.APPROVED, days_ago=5))
    recent = await database.write(lambda s: escalated_and_decided(s, DecisionKind.APPROVED, days_ago=1))
    await database.write(lambda s: escalated_and_decided(s, DecisionKind.APPROVED, app_id="app_b"))
    assert [found.case_id for found in await read(database, since=now() - timedelta(days=2))] == [recent]
    assert len(await read(database)) == 2
    assert len(await read(database, app_id="app_b")) == 1


async def test_what_no_person_decided_is_counted_by_the_machines_decision(database: Database) -> None:
    for kind, number in ((DecisionKind.APPROVED, 3), (DecisionKind.REJECTED, 2), (DecisionKind.ESCALATED, 1)):
        for _ in range(number):
            await database.write(lambda s, kind=kind: recorded(s, kind))
    await database.write(lambda s: recorded(s, DecisionKind.APPROVED, days_ago=9))
    await database.write(lambda s: recorded(s, DecisionKind.APPROVED, app_id="app_b"))
    await database.write(lambda s: escalated_and_decided(s, DecisionKind.APPROVED))
    counted = await database.read(
        lambda s: outcomes.left_to_the_machine(s, app_id=APP, since=now() - timedelta(days=1))
    )
    assert counted == {DecisionKind.APPROVED: 3, DecisionKind.REJECTED: 2, DecisionKind.ESCALATED: 1}


async def test_recent_assessments_are_a_steady_sample_of_the_window(database: Database) -> None:
    for number in range(12):
        await database.write(lambda s, n=number: recorded(s, DecisionKind.APPROVED, days_ago=3 if n < 4 else 0))
    await database.write(lambda s: recorded(s, DecisionKind.APPROVED, app_id="app_b"))
    since = now() - timedelta(hours=24)

    async def drawn(most: int) -> tuple[int, int]:
        cases_there, found = await database.read(
            lambda s: outcomes.recent_assessments(s, app_id=APP, since=since, most=most)
        )
        return cases_there, len(found)

    assert await drawn(100) == (8, 8)
    assert await drawn(5) == (8, 5)
