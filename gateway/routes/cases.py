"""Reading what was decided: cases, their audit trail, and the messages that they sent."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from domain.case import Case, CasePage
from domain.notification import NotificationStatus
from domain.vocabulary import DecisionKind, Policy
from gateway.access import Reading
from gateway.errors import ErrorBody
from gateway.parts import Has
from mcp_servers.client import ServerName
from mcp_servers.database.answers import AuditTrail
from mcp_servers.moderation.answers import Explanation
from mcp_servers.notifications.answers import NotificationList

router = APIRouter(
    prefix="/api/v1", tags=["cases"], responses={status: {"model": ErrorBody} for status in (401, 403, 404, 422, 503)}
)

Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]


@router.get("/cases/{case_id}")
async def get_case(case_id: str, actor: Reading, parts: Has) -> Case:
    """One case, complete: enough to explain the decision without anything else."""
    return await parts.tools.call(ServerName.DATABASE, "get_case", {"case_id": case_id}, actor=actor, answer=Case)


@router.get("/cases/{case_id}/explanation")
async def explain_case(case_id: str, actor: Reading, parts: Has) -> Explanation:
    """Why a case was decided as it was, in plain words."""
    return await parts.tools.call(
        ServerName.MODERATION, "explain_decision", {"case_id": case_id}, actor=actor, answer=Explanation
    )


@router.get("/cases/{case_id}/audit")
async def audit_of_case(case_id: str, actor: Reading, parts: Has) -> AuditTrail:
    """Who did what in a case, and when."""
    await get_case(case_id, actor, parts)
    return await parts.tools.call(
        ServerName.DATABASE, "get_audit_trail", {"case_id": case_id}, actor=actor, answer=AuditTrail
    )


@router.get("/cases")
async def search_cases(
    actor: Reading,
    parts: Has,
    decision: DecisionKind | None = None,
    violation_type: Policy | None = None,
    user_id: str | None = None,
    content_id: str | None = None,
    text: Annotated[str | None, Query(max_length=200, description="Only cases whose content holds this.")] = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: Annotated[str | None, Query(description="next_cursor of the page before.")] = None,
    limit: Limit = 20,
) -> CasePage:
    """Cases, newest first."""
    wanted = {
        "decision": decision,
        "violation_type": violation_type,
        "user_id": user_id,
        "content_id": content_id,
        "text": text,
        "since": since.isoformat() if since else None,
        "until": until.isoformat() if until else None,
        "cursor": cursor,
        "limit": limit,
    }
    return await parts.tools.call(ServerName.DATABASE, "search_cases", wanted, actor=actor, answer=CasePage)


@router.get("/notifications", tags=["notifications"])
async def list_notifications(
    actor: Reading, parts: Has, status: NotificationStatus | None = None, limit: Limit = 20
) -> NotificationList:
    """Messages of the app and what became of them, newest first; `dead` ones could not be delivered."""
    wanted = {"status": status, "limit": limit}
    return await parts.tools.call(
        ServerName.NOTIFICATIONS, "list_notifications", wanted, actor=actor, answer=NotificationList
    )
