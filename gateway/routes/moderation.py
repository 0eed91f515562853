"""`POST /api/v1/moderate` and its batch form: the main job."""

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import JsonValue, ValidationError

from domain.actor import Actor
from domain.answer import ModerationAnswer
from domain.content import Content
from domain.errors import CupidsShieldError, Overloaded
from domain.ids import derived_id
from domain.submission import Submission
from gateway import idempotency
from gateway.access import Moderating
from gateway.errors import ErrorBody, ErrorDetail, response_for
from gateway.parts import Has, Parts
from gateway.schemas import BatchRequest, BatchResponse, BatchResult, ModerateRequest

SINGLE_BODY = 256 * 1024
BATCH_BODY = 4 * 1024 * 1024
BATCH_AT_ONCE = 16

router = APIRouter(
    tags=["moderation"],
    responses={status: {"model": ErrorBody} for status in (401, 403, 409, 413, 422, 429, 503)},
)

DESCRIPTION = """Decide about one text. `approved`: deliver it. `rejected`: block it; `action` says what is to happen
to the account. `escalated`: hold it; people decide, and a webhook tells you. Sending the same content again gives
the same decision. An `Idempotency-Key` header (1–255 characters) makes retries safe also without a `content_id`."""


@router.post("/api/v1/moderate", response_model=ModerationAnswer, description=DESCRIPTION, max_body_size=SINGLE_BODY)
@router.post("/moderate", response_model=ModerationAnswer, include_in_schema=False, max_body_size=SINGLE_BODY)
async def moderate(body: ModerateRequest, request: Request, actor: Moderating, parts: Has) -> Response:
    """Decide about one text."""

    async def produce() -> Response:
        content = body.to_content(actor.app_id, _fallback_id(request, 0))
        answer = await decide(parts, actor, content)
        return Response(answer.model_dump_json(), media_type="application/json")

    return await idempotency.once(request, parts.database, actor.app_id, produce)


@router.post("/api/v1/moderate/batch", response_model=BatchResponse, max_body_size=BATCH_BODY)
async def moderate_batch(body: BatchRequest, request: Request, actor: Moderating, parts: Has) -> Response:
    """Decide about up to 100 texts. Each has its own result; one that fails does not touch the others."""
    await parts.rate_limit.spend(actor.id, cost=len(body.items) - 1)

    async def produce() -> Response:
        slots = asyncio.Semaphore(BATCH_AT_ONCE)

        async def one(index: int, item: JsonValue) -> BatchResult:
            async with slots:
                return await _one_of_batch(parts, actor, index, item, _fallback_id(request, index))

        results = await asyncio.gather(*(one(index, item) for index, item in enumerate(body.items)))
        return Response(BatchResponse(results=results).model_dump_json(), media_type="application/json")

    return await idempotency.once(request, parts.database, actor.app_id, produce)


async def decide(parts: Parts, actor: Actor, content: Content) -> ModerationAnswer:
    """Run the graph within the limits on time and on how many decisions are made at once."""
    with parts.gate.enter():
        async with asyncio.timeout(parts.deadline_s):
            answer = await parts.runs.moderate(Submission(content=content), actor)
    parts.metrics.decided(answer)
    return answer


async def _one_of_batch(
    parts: Parts, actor: Actor, index: int, item: JsonValue, fallback_id: str | None
) -> BatchResult:
    try:
        request = ModerateRequest.model_validate(item)
        answer = await decide(parts, actor, request.to_content(actor.app_id, fallback_id))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "item"
        detail = ErrorDetail(code="invalid", message=f"{where}: {first['msg']}")
        return BatchResult(index=index, status=422, error=detail)
    except CupidsShieldError as error:
        return _failed(index, response_for(error))
    except TimeoutError:
        return _failed(index, response_for(Overloaded("no decision in time; send it again")))
    return BatchResult(index=index, status=200, answer=answer)


def _failed(index: int, response: JSONResponse) -> BatchResult:
    body = ErrorBody.model_validate_json(bytes(response.body))
    return BatchResult(index=index, status=response.status_code, error=body.error)


def _fallback_id(request: Request, index: int) -> str | None:
    """An identifier that is the same each time that the same idempotency key is sent."""
    key = idempotency.key_in(request)
    return derived_id("content", key, str(index)) if key else None
