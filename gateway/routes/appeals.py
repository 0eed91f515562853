"""Appeals as apps send and read them. A machine prepares; a person who had no hand in the case decides."""

from fastapi import APIRouter, Request, Response

from data import reasons
from domain.appeal_reading import KeptReading
from domain.clock import now
from domain.errors import NotFound
from gateway import idempotency
from gateway.access import Moderating, Reading
from gateway.errors import described
from gateway.hearing_schemas import AppealAnswer, AppealRequest
from gateway.idempotency import Outcome
from gateway.parts import Has, Parts
from gateway.routes.moderation import SINGLE_BODY
from mcp_servers.client import ServerName
from mcp_servers.database.answers import ReadAppeal
from policies.appeals import NO_EXPLANATION, why_not
from policies.guidance import advice
from policies.statements import as_told

router = APIRouter(prefix="/api/v1", tags=["appeals"], responses=described(401, 403, 404, 422, 429, 500, 503))


@router.post("/appeals", response_model=AppealAnswer, responses=described(400, 409, 413), max_body_size=SINGLE_BODY)
async def file_appeal(
    body: AppealRequest, request: Request, actor: Moderating, parts: Has, key: idempotency.Key = None
) -> Response:
    """Send a user's appeal against a decision: once for each case, within 30 days. With `preview` nothing is sent, and
    `guidance` says what would help. The same appeal sent again is the one that stands."""

    async def produce() -> Outcome:
        guidance = advice(body.explanation, body.new_evidence)
        if body.preview:
            return _said(await _previewed(body, guidance, actor.app_id, parts))
        appeal = await parts.appeals.file(
            app_id=actor.app_id,
            case_id=body.case_id,
            user_id=body.user_id,
            explanation=body.explanation.strip() or NO_EXPLANATION,
            new_evidence=(body.new_evidence or "").strip() or None,
        )
        return _said(AppealAnswer.of(as_told(appeal, now(), parts.policies), guidance))

    return await idempotency.once(request, key, parts.database, actor.app_id, produce)


@router.get("/appeals/{appeal_id}")
async def get_appeal(appeal_id: str, actor: Reading, parts: Has) -> AppealAnswer:
    """How an appeal stands. `upheld` and `overturned` are final; a decision is told once it cannot be undone."""
    appeal = await parts.tools.call(
        ServerName.DATABASE, "get_appeal", {"appeal_id": appeal_id}, actor=actor, answer=ReadAppeal
    )
    return AppealAnswer.of(as_told(appeal, now(), parts.policies))


@router.get("/appeals/{appeal_id}/reading")
async def get_appeal_reading(appeal_id: str, actor: Reading, parts: Has) -> KeptReading:
    """What a language model wrote about an appeal, for your moderators and never for the user; it decides nothing. 404
    where none was asked."""
    appeal = await parts.tools.call(
        ServerName.DATABASE, "get_appeal", {"appeal_id": appeal_id}, actor=actor, answer=ReadAppeal
    )
    if appeal.reading is None:
        raise NotFound(f"no language model was asked about the appeal {appeal_id[:60]!r}")
    return appeal.reading


async def _previewed(body: AppealRequest, guidance: tuple[str, ...], app_id: str, parts: Parts) -> AppealAnswer:
    found = await parts.database.read(lambda session: reasons.grounds(session, app_id=app_id, case_id=body.case_id))
    if found.case.content.user_id != body.user_id:
        raise NotFound(f"there is no case {body.case_id[:60]!r} of this user")
    refused = why_not(found.case, found.appeal, now(), parts.policies)
    return AppealAnswer(appeal_id=None, case_id=body.case_id, status=None, guidance=guidance, not_possible=refused)


def _said(answer: AppealAnswer) -> Outcome:
    return Outcome(Response(answer.model_dump_json(), media_type="application/json"))
