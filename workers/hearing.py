"""What happens later to appeals and reports: briefs that are missing, decisions that stand, reporters who are told."""

import logging
from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from data import appeal_decisions, appeals, reports
from data.database import Database
from domain.errors import CupidsShieldError
from domain.notification import Audience, Message
from domain.report import Report
from graphs.appeals.runs import AppealRuns
from workers.tasks import Step

logger = logging.getLogger(__name__)

BATCH = 64


def settle_appeals(database: Database, runs: AppealRuns) -> Step:
    """Go on with the appeals whose decision can no longer be undone; one that fails does not hold up the others."""

    async def step() -> int:
        due = await database.read(lambda session: appeal_decisions.to_settle(session, limit=BATCH))
        settled = 0
        for app_id, appeal_id in due:
            try:
                await runs.resume(app_id=app_id, appeal_id=appeal_id)
                settled += 1
            except CupidsShieldError as error:
                logger.warning("appeal %s is settled later: %s", appeal_id, error)
        return settled

    return step


def prepare_appeals(database: Database, runs: AppealRuns) -> Step:
    """Make the briefs that appeals lack, because a server was away or a process died."""

    async def step() -> int:
        bare = await database.read(lambda session: appeals.unprepared(session, limit=BATCH))
        for appeal in bare:
            await runs.prepare(appeal)
        return 0

    return step


def resolve_reports(database: Database, clock: Callable[[], datetime]) -> Step:
    """Uphold or dismiss the reports of what people have decided for good, and tell the reporters."""

    async def step() -> int:
        judged = await database.read(lambda session: reports.to_resolve(session, limit=BATCH))
        for one in judged:

            def work(session: Session, one: reports.Judged = one) -> None:
                found = reports.open_until(session, judged=one)
                told = [outcome_for_reporter(report, upheld=one.upheld) for report in found]
                reports.resolve(session, judged=one, reports=found, messages=told, at=clock())

            await database.write(work)
        return len(judged)

    return step


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
