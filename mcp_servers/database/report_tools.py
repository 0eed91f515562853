"""The tool that takes in users' reports: it weighs them by the reporter's record and brings people, nothing else."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from data import cases, reports
from data.database import Database
from domain.actor import Actor
from domain.case import Case
from domain.clock import now
from domain.errors import Invalid, NotFound
from domain.ids import derived_id
from domain.queries import CaseQuery
from domain.report import Report, ReportStatus
from domain.review import ReviewItem
from domain.vocabulary import DecisionKind, Policy
from mcp_servers.database.answers import TakenReport
from mcp_servers.identity import Call, Identify, require_service
from policies.decide import review_of_proposal
from policies.model import PolicySet
from policies.queue import order_at, queued
from policies.reports import people_look, weight_of

Details = Annotated[str | None, Field(max_length=2_000)]


class ReportTools:
    """Bound to one database, the policies in force and one way of telling who calls."""

    def __init__(self, database: Database, policies: PolicySet, identify: Identify) -> None:
        self._database = database
        self._policies = policies
        self._identify = identify

    async def file_report(
        self,
        reporter_id: str,
        call: Call,
        case_id: str | None = None,
        content_id: str | None = None,
        reason: Policy | None = None,
        details: Details = None,
    ) -> TakenReport:
        """Take in one user's report of a case, or of the newest case of a content. Brings people from a summed weight
        on; penalises nobody. Reserved to the service."""
        actor = self._identify(call)
        require_service(actor, "file_report")
        return await self._database.write(
            lambda session: self._file(session, reporter_id, case_id, content_id, reason, details, actor)
        )

    def _file(
        self,
        session: Session,
        reporter_id: str,
        case_id: str | None,
        content_id: str | None,
        reason: Policy | None,
        details: str | None,
        actor: Actor,
    ) -> TakenReport:
        case = self._case(session, actor.app_id, case_id, content_id)
        if case.content.user_id == reporter_id:
            raise Invalid("one cannot report what one wrote oneself")
        at, acted = now(), case.decision is DecisionKind.REJECTED
        record = reports.record_of(session, app_id=case.app_id, user_id=reporter_id)
        report = Report(
            id=derived_id("report", case.app_id, case.id, reporter_id),
            app_id=case.app_id,
            case_id=case.id,
            content_id=case.content.content_id,
            subject_id=case.content.user_id,
            reporter_id=reporter_id,
            reason=reason,
            details=details,
            weight=weight_of(record, self._policies),
            status=ReportStatus.UPHELD if acted else ReportStatus.OPEN,
            created_at=at,
            resolved_at=at if acted else None,
        )
        kept = reports.file(session, report=report, actor=actor)
        looked_at = self._bring_people(session, case, reason, at) if kept.status is ReportStatus.OPEN else False
        return TakenReport(report=kept, before_people=looked_at)

    def _case(self, session: Session, app_id: str, case_id: str | None, content_id: str | None) -> Case:
        if case_id is not None:
            return cases.get(session, app_id=app_id, case_id=case_id)
        query = CaseQuery(content_id=content_id)
        found = cases.search(session, app_id=app_id, query=query, cursor=None, limit=1).cases if content_id else ()
        if not found:
            raise NotFound("no content of this identifier was submitted; send the content itself with the report")
        return cases.get(session, app_id=app_id, case_id=found[0].id)

    def _bring_people(self, session: Session, case: Case, reason: Policy | None, at: datetime) -> bool:
        """Move the case's open review up, or open one once its reports weigh enough; whether people look."""
        weight = reports.open_weight(session, app_id=case.app_id, case_id=case.id)
        waiting = reports.open_review(session, app_id=case.app_id, case_id=case.id)
        if waiting is not None:
            place = order_at(
                created_at=waiting.created_at,
                due_at=waiting.due_at,
                risk=case.risk_score,
                severity=case.severity,
                reports=weight,
                policies=self._policies,
            )
            reports.move_up(session, review_id=waiting.id, reports=weight, order_at=place)
        elif people_look(weight, self._policies):
            reports.bring_before_people(session, review=self._review(case, reason, weight, at))
        else:
            return False
        return True

    def _review(self, case: Case, reason: Policy | None, weight: float, at: datetime) -> ReviewItem:
        policy = case.violation_type or case.assessment.policy or reason
        route, priority, hours = review_of_proposal(policy, case.severity, self._policies)
        return queued(
            self._policies,
            id=derived_id("review", case.id, "reports", at.isoformat()),
            app_id=case.app_id,
            case_id=case.id,
            route=route,
            priority=priority,
            at=at,
            due_at=at + timedelta(hours=hours),
            policy=policy,
            severity=case.severity,
            risk=case.risk_score,
            reports=weight,
        )
