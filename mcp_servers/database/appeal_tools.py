"""The tools that speak of appeals. Agents may read one; the service files them, lays briefs beside them, and notes
that a person's decision stands. No tool decides an appeal (I8)."""

from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from data import appeal_decisions, appeal_readings, appeals, cases, outbox
from data.database import Database
from domain.actor import Actor
from domain.appeal import MAX_EVIDENCE, MAX_EXPLANATION, Appeal, AppealBrief, AppealStatus
from domain.case import Case
from domain.clock import now
from domain.errors import Invalid, NotFound
from domain.ids import derived_id
from domain.notification import Audience, Message
from domain.review import ReviewItem, ReviewKind
from domain.vocabulary import Scope
from mcp_servers.database.answers import ReadAppeal, SettledAppeal
from mcp_servers.identity import Call, Identify, require_service
from policies.appeals import due_at, needs_senior, priority_of, route_of, why_not
from policies.model import PolicySet
from policies.queue import queued

AppealId = Annotated[str, Field(description="Identifier of an appeal, e.g. appeal_4f…")]
Explanation = Annotated[str, Field(min_length=1, max_length=MAX_EXPLANATION)]
Evidence = Annotated[str | None, Field(max_length=MAX_EVIDENCE)]


class AppealTools:
    """Bound to one database, the policies in force and one way of telling who calls."""

    def __init__(self, database: Database, policies: PolicySet, identify: Identify) -> None:
        self._database = database
        self._policies = policies
        self._identify = identify

    async def get_appeal(self, appeal_id: AppealId, call: Call) -> ReadAppeal:
        """One appeal: what the user says against a decision, what the machine prepared, what a language model reads in
        it (for staff, never for the user), and how it stands. Only a person who had no hand in the case decides it."""
        actor = self._identify(call)
        actor.require(Scope.READ)

        def work(session: Session) -> ReadAppeal:
            appeal = appeals.get(session, app_id=actor.app_id, appeal_id=appeal_id)
            reading = appeal_readings.of_appeal(session, app_id=actor.app_id, appeal_id=appeal_id)
            return ReadAppeal.model_validate({**dict(appeal), "reading": reading})

        return await self._database.read(work)

    async def file_appeal(
        self, case_id: str, user_id: str, explanation: Explanation, call: Call, new_evidence: Evidence = None
    ) -> Appeal:
        """Take in a user's appeal against a decision and put it before people, in one transaction. The same appeal
        sent again is the one that stands. Reserved to the service."""
        actor = self._identify(call)
        require_service(actor, "file_appeal")
        return await self._database.write(
            lambda session: self._file(session, case_id, user_id, explanation, new_evidence, actor)
        )

    async def lay_brief(self, appeal_id: AppealId, brief: AppealBrief, call: Call) -> Appeal:
        """Lay what the machine prepared beside an appeal that nobody has decided. Reserved to the service."""
        actor = self._identify(call)
        require_service(actor, "lay_brief")
        return await self._database.write(
            lambda session: appeals.prepared(
                session, app_id=actor.app_id, appeal_id=appeal_id, brief=brief, actor=actor
            )
        )

    async def settle_appeal(self, appeal_id: AppealId, call: Call) -> SettledAppeal:
        """Note that a person's decision about an appeal stands, once it can no longer be undone; says whether there
        is one. Decides nothing. Reserved to the service."""
        actor = self._identify(call)
        require_service(actor, "settle_appeal")

        def work(session: Session) -> SettledAppeal:
            appeal = appeal_decisions.settle(session, app_id=actor.app_id, appeal_id=appeal_id, actor=actor)
            settled = appeal_decisions.is_settled(session, app_id=actor.app_id, appeal_id=appeal_id)
            return SettledAppeal(appeal=appeal, settled=settled)

        return await self._database.write(work)

    def _file(
        self, session: Session, case_id: str, user_id: str, explanation: str, new_evidence: str | None, actor: Actor
    ) -> Appeal:
        case = cases.get(session, app_id=actor.app_id, case_id=case_id)
        if case.content.user_id != user_id:
            raise NotFound(f"there is no case {case_id[:60]!r} of this user")
        standing = appeals.for_case(session, app_id=actor.app_id, case_id=case_id)
        if standing and (standing.explanation, standing.new_evidence) == (explanation, new_evidence):
            return standing
        at = now()
        if reason := why_not(case, standing, at, self._policies):
            raise Invalid(reason)
        appeal = Appeal(
            id=derived_id("appeal", case.id),
            app_id=case.app_id,
            case_id=case.id,
            user_id=user_id,
            explanation=explanation,
            new_evidence=new_evidence,
            status=AppealStatus.PENDING,
            needs_senior=needs_senior(case, self._policies),
            due_at=due_at(at, self._policies),
            created_at=at,
        )
        review = self._review(appeal, case)
        kept = appeals.file(session, appeal=appeal, review=review, actor=actor)
        outbox.put(session, app_id=case.app_id, case_id=case.id, messages=[_waiting(review)], at=at)
        return kept

    def _review(self, appeal: Appeal, case: Case) -> ReviewItem:
        route = route_of(case, self._policies)
        return queued(
            self._policies,
            id=derived_id("review", appeal.id),
            app_id=case.app_id,
            case_id=case.id,
            route=route,
            priority=priority_of(route),
            at=appeal.created_at,
            due_at=appeal.due_at,
            kind=ReviewKind.APPEAL,
            appeal_id=appeal.id,
            policy=case.violation_type,
            severity=case.severity,
            risk=case.risk_score,
        )


def _waiting(review: ReviewItem) -> Message:
    about = review.policy or "no named policy"
    return Message(
        audience=Audience.MODERATORS,
        recipient=review.route,
        event="review.waiting",
        subject=f"{review.priority.capitalize()}: an appeal about {about} waits for {review.route}",
        body="Somebody who had no hand in the case decides it.",
        payload={"appeal_id": review.appeal_id},
    )
