"""The tools of the database server: one call down to `data`, one typed answer up.

Reads are open to agents with the scope `read`. Recording a decision is reserved to the service; an
agent may only propose, and a proposal puts the case before a person.
"""

from datetime import timedelta
from typing import Annotated

from pydantic import AwareDatetime, Field

from data import audit, cases, reviews
from data.database import Database
from domain.actor import Actor
from domain.case import Case, CasePage, CaseRecord, Recorded
from domain.clock import now
from domain.errors import NotPermitted
from domain.history import SubjectHistory
from domain.ids import new_id
from domain.memory import MemoryItem
from domain.notification import Message
from domain.queries import CaseMetrics, CaseQuery, Prepared
from domain.review import ReviewItem
from domain.vocabulary import Action, DecisionKind, Policy, Scope, Severity
from mcp_servers.database.answers import AuditEntry, AuditTrail, Proposal, ReviewPage
from mcp_servers.identity import Call, Identify, require_service
from policies.decide import review_of_proposal
from policies.model import PolicySet
from policies.queue import queued

Limit = Annotated[int, Field(ge=1, le=100, description="How many at most.")]
CaseId = Annotated[str, Field(description="Identifier of a case, e.g. case_4f…")]
UserId = Annotated[str, Field(description="The person's identifier in the app.")]


class DatabaseTools:
    """Bound to one database, the policies in force and one way of telling who calls."""

    def __init__(self, database: Database, policies: PolicySet, identify: Identify) -> None:
        self._database = database
        self._policies = policies
        self._identify = identify

    async def prepare_case(
        self, content_id: str, content_hash: str, user_id: str, policy_set: str, call: Call
    ) -> Prepared:
        """Everything that intake needs to know before content is judged: whether it was decided before,
        what a person decided on the very same text, and the author's history. Reserved to the service."""
        actor = self._identify(call)
        require_service(actor, "prepare_case")
        return await self._database.read(
            lambda session: cases.prepare(
                session,
                app_id=actor.app_id,
                content_id=content_id,
                content_hash=content_hash,
                user_id=user_id,
                policy_set=policy_set,
            )
        )

    async def record_decision(
        self,
        record: CaseRecord,
        review: ReviewItem | None,
        messages: list[Message],
        memory: MemoryItem | None,
        call: Call,
    ) -> Recorded:
        """Keep a machine decision: case, audit row, review item, messages and memory in one transaction.
        Where the same content was decided already, that decision stands and is returned. Reserved to the
        service; agents use propose_decision."""
        actor = self._identify(call)
        require_service(actor, "record_decision")
        named = {record.content.app_id, *(part.app_id for part in (review, memory) if part is not None)}
        if named != {actor.app_id}:
            raise NotPermitted("the record names another app than the one it is recorded for")
        return await self._database.write(
            lambda session: cases.record(
                session, record=record, review=review, messages=messages, memory=memory, actor=actor
            )
        )

    async def propose_decision(
        self,
        case_id: CaseId,
        decision: DecisionKind,
        reasoning: Annotated[
            str, Field(min_length=1, max_length=2_000, description="Why, for the person who decides.")
        ],
        call: Call,
        policy: Policy | None = None,
        severity: Severity | None = None,
        action: Action | None = None,
    ) -> Proposal:
        """Put your opinion of a case before a human moderator. Nothing about the case changes until a person
        decides; the case is (re)opened in the review queue with your proposal on it."""
        actor = self._identify(call)
        actor.require(Scope.MODERATE)
        review = await self._review_of(case_id, policy, severity, actor)
        item = await self._database.write(
            lambda session: reviews.propose(
                session,
                app_id=actor.app_id,
                case_id=case_id,
                decision=decision,
                policy=policy,
                severity=severity,
                action=action,
                reasoning=reasoning,
                review=review,
                actor=actor,
            )
        )
        return Proposal(case_id=case_id, review_id=item.id, status=item.status)

    async def get_case(self, case_id: CaseId, call: Call) -> Case:
        """One case, complete: the content, the decision as it stands, the machine's assessment with every
        signal and its weight, similar cases, the policy version, thresholds, and timings."""
        actor = self._identify(call)
        actor.require(Scope.READ)
        return await self._database.read(lambda session: cases.get(session, app_id=actor.app_id, case_id=case_id))

    async def search_cases(
        self,
        call: Call,
        decision: DecisionKind | None = None,
        violation_type: Policy | None = None,
        user_id: str | None = None,
        content_id: str | None = None,
        text: Annotated[str | None, Field(description="Only cases whose content holds this text.")] = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        cursor: Annotated[str | None, Field(description="next_cursor of the page before.")] = None,
        limit: Limit = 20,
    ) -> CasePage:
        """Find cases, newest first, by any mix of decision, violation, person, content, text and time."""
        actor = self._identify(call)
        actor.require(Scope.READ)
        query = CaseQuery(
            decision=decision,
            violation_type=violation_type,
            user_id=user_id,
            content_id=content_id,
            text=text,
            since=since,
            until=until,
        )
        return await self._database.read(
            lambda session: cases.search(session, app_id=actor.app_id, query=query, cursor=cursor, limit=limit)
        )

    async def get_user_history(self, user_id: UserId, call: Call, limit: Limit = 10) -> SubjectHistory:
        """A person's record in the app: how many cases and violations, and the latest cases."""
        actor = self._identify(call)
        actor.require(Scope.READ)
        return await self._database.read(
            lambda session: cases.history(session, app_id=actor.app_id, user_id=user_id, limit=limit)
        )

    async def get_audit_trail(self, case_id: CaseId, call: Call) -> AuditTrail:
        """Who did what in a case, and when, oldest first."""
        actor = self._identify(call)
        actor.require(Scope.READ)
        rows = await self._database.read(lambda session: audit.for_case(session, app_id=actor.app_id, case_id=case_id))
        entries = tuple(
            AuditEntry(action=row.action, actor=row.actor, details=row.details, timestamp=row.timestamp) for row in rows
        )
        return AuditTrail(case_id=case_id, entries=entries)

    async def list_review_queue(self, call: Call, limit: Limit = 20) -> ReviewPage:
        """What waits for human moderators, the most pressing first. Agents cannot claim or decide items."""
        actor = self._identify(call)
        actor.require(Scope.READ)
        items = await self._database.read(lambda session: reviews.list_open(session, app_id=actor.app_id, limit=limit))
        return ReviewPage(items=tuple(items))

    async def get_metrics(
        self, call: Call, hours: Annotated[int, Field(ge=1, le=24 * 90, description="Window, ending now.")] = 24
    ) -> CaseMetrics:
        """Volume, decisions by kind and policy, escalation rate, decision times and open reviews of late."""
        actor = self._identify(call)
        actor.require(Scope.READ)
        since = now() - timedelta(hours=hours)
        return await self._database.read(lambda session: cases.metrics(session, app_id=actor.app_id, since=since))

    async def _review_of(
        self, case_id: str, policy: Policy | None, severity: Severity | None, actor: Actor
    ) -> ReviewItem:
        """The review that a proposal opens where none is open: by the policy that it names, else by the case's."""
        if policy is None:
            case = await self._database.read(lambda session: cases.get(session, app_id=actor.app_id, case_id=case_id))
            policy, severity = case.violation_type, case.severity
            if policy is None:
                policy, severity = case.machine.policy, case.machine.severity
        route, priority, hours = review_of_proposal(policy, severity, self._policies)
        at = now()
        return queued(
            self._policies,
            id=new_id("review"),
            app_id=actor.app_id,
            case_id=case_id,
            route=route,
            priority=priority,
            at=at,
            due_at=at + timedelta(hours=hours),
            policy=policy,
            severity=severity,
        )
