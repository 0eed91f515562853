"""Users' reports as apps send them: they bring people, and never a penalty."""

from fastapi import APIRouter, Request, Response

from domain.actor import system
from gateway import idempotency
from gateway.access import Moderating
from gateway.errors import described
from gateway.hearing_schemas import ReportAnswer, ReportRequest
from gateway.idempotency import Outcome
from gateway.parts import Has
from gateway.routes.moderation import SINGLE_BODY, decide
from mcp_servers.client import ServerName
from mcp_servers.database.answers import TakenReport

router = APIRouter(prefix="/api/v1", tags=["reports"], responses=described(401, 403, 404, 422, 429, 500, 503))


@router.post("/reports", response_model=ReportAnswer, responses=described(400, 409, 413), max_body_size=SINGLE_BODY)
async def file_report(
    body: ReportRequest, request: Request, actor: Moderating, parts: Has, key: idempotency.Key = None
) -> Response:
    """Report what a user wrote. A report weighs what its reporter's record is worth and counts once for each case; from
    a summed weight on a person looks. What was never submitted is decided about first."""

    async def produce() -> Outcome:
        case_id = body.case_id
        if body.content is not None:
            content = body.content.to_content(actor.app_id, idempotency.content_id(key))
            case_id = (await decide(parts, actor, content)).case_id
        taken = await parts.tools.call(
            ServerName.DATABASE,
            "file_report",
            {
                "reporter_id": body.reporter_id,
                "case_id": case_id,
                "content_id": body.content_id,
                "reason": body.reason,
                "details": body.details,
            },
            actor=system(actor.app_id, "reports"),
            answer=TakenReport,
        )
        return Outcome(Response(ReportAnswer.of(taken).model_dump_json(), media_type="application/json"))

    return await idempotency.once(request, key, parts.database, actor.app_id, produce)
