"""What happens later to appeals and reports: briefs that are missing are made, and reporters are told the outcome."""

import logging

from sqlmodel import Session

from data import appeals, reports
from data.database import Database
from domain.errors import CupidsShieldError
from domain.notification import Audience, Message
from domain.report import Report, ReportStatus
from domain.review import Decided, ReviewKind
from domain.vocabulary import DecisionKind
from graphs.appeals.runs import AppealRuns
from workers.tasks import Step

logger = logging.getLogger(__name__)

BATCH = 64


def prepare_appeals(database: Database, runs: AppealRuns) -> Step:
    """Make the briefs that appeals lack, because a server was away or a process died."""

    async def step() -> int:
        bare = await database.read(lambda session: appeals.unprepared(session, limit=BATCH))
        for appeal in bare:
            try:
                await runs.prepare(appeal)
            except CupidsShieldError as error:
                logger.warning("appeal %s is prepared later: %s", appeal.id, error)
        return 0

    return step


def resolve_reports(session: Session, decided: Decided) -> None:
    """Uphold or dismiss the reports of a case that a person has decided for good, and owe the reporters the outcome.

    A second, blind look settles nothing, and reports that came after the decision wait for the next.
    """
    if decided.kind is not ReviewKind.CASE:
        return
    found = reports.open_until(session, app_id=decided.app_id, case_id=decided.case_id, at=decided.decided_at)
    upheld = decided.decision == DecisionKind.REJECTED
    reports.resolve(
        session,
        reports=found,
        status=ReportStatus.UPHELD if upheld else ReportStatus.DISMISSED,
        messages=[outcome_for_reporter(report, upheld=upheld) for report in found],
    )


def outcome_for_reporter(report: Report, *, upheld: bool) -> Message:
    """What a reporter is told: that a person looked and whether something was done, nothing about the other one."""
    if upheld:
        subject = "Thank you: we acted on what you reported"
        body = "A person on our team looked at it, found that it breaks our rules, and took action."
    else:
        subject = "We looked at what you reported"
        body = (
            "A person on our team looked at it and found that it stays within our rules. If it bothers you, you can "
            "block the member; if something else happens, report that too."
        )
    return Message(
        audience=Audience.REPORTER,
        recipient=report.reporter_id,
        event="user.report_outcome",
        subject=subject,
        body=body,
        payload={"report_id": report.id, "content_id": report.content_id, "upheld": upheld},
    )
