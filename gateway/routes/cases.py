"""Reading what was decided: cases, their audit trail, and the messages that they sent."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from domain.case import Case, CasePage
from domain.notification import NotificationStatus
from domain.vocabulary import DecisionKind, Policy
from gateway.access import Reading
from gateway.errors import described
from gateway.parts import Has
from gateway.schemas import Identifier, SearchWords
from mcp_servers.client import ServerName
from mcp_servers.database.answers import AuditTrail
from mcp_servers.moderation.answers import Explanation
from mcp_servers.notifications.answers import NotificationList

router = APIRouter(
    prefix="/api/v1",
    tags=["cases"],
    responses=described(401, 403, 422, 429, 500, 503),
)

Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]


ABSENT = described(404)
"""A case of another app answers like one that does not exist."""


@router.get("/cases/{case_id}", responses=ABSENT)
async def get_case(case_id: str, actor: Reading, parts: Has) -> Case:
    """One case, complete: enough to explain the decision without anything else."""
    return await parts.tools.call(ServerName.DATABASE, "get_case", {"case_id": case_id}, actor=actor, answer=Case)


@router.get("/cases/{case_id}/explanation", responses=ABSENT)
async def explain_case(case_id: str, actor: Reading, parts: Has) -> Explanation:
    """Why a case was decided as it was, in plain words."""
    return await parts.tools.call(
        ServerName.MODERATION, "explain_decision", {"case_id": case_id}, actor=actor, answer=Explanation
    )


@router.get("/cases/{case_id}/audit", responses=ABSENT)
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
    user_id: Annotated[Identifier | None, Query()] = None,
    content_id: Annotated[Identifier | None, Query()] = None,
    text: Annotated[SearchWords | None, Query()] = None,
    since: Annotated[AwareDatetime | None, Query(description="Made at this moment or later; with a time zone.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Made before this moment; with a time zone.")] = None,
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
