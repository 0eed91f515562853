"""`POST /api/v1/moderate` and its batch form: the main job."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from domain.actor import Actor
from domain.answer import ModerationAnswer
from domain.content import Content
from domain.progress import OnStep
from domain.submission import Submission
from gateway import idempotency, streaming
from gateway.access import Moderating
from gateway.errors import ErrorBody, described, invalid, response_of
from gateway.idempotency import Outcome
from gateway.parts import Has, Parts
from gateway.schemas import BatchRequest, BatchResponse, BatchResult, ModerateRequest

SINGLE_BODY = 256 * 1024
BATCH_BODY = 4 * 1024 * 1024
BATCH_AT_ONCE = 16

router = APIRouter(tags=["moderation"], responses=described(400, 401, 403, 409, 413, 422, 429, 500, 503))

DESCRIPTION = """Decide about one text. `approved`: deliver it. `rejected`: block it; `action` says what is to happen
to the account. `escalated`: hold it; people decide, and a webhook tells you. Sending the same content again gives
the same decision. An `Idempotency-Key` header makes retries safe also without a `content_id`."""


Stream = Annotated[bool, Query(description="Tell of each step while the decision is made, as server-sent events.")]


@router.post(
    "/api/v1/moderate",
    response_model=ModerationAnswer,
    description=DESCRIPTION,
    responses=streaming.DESCRIBED,
    max_body_size=SINGLE_BODY,
)
@router.post("/moderate", response_model=ModerationAnswer, include_in_schema=False, max_body_size=SINGLE_BODY)
async def moderate(
    body: ModerateRequest,
    request: Request,
    actor: Moderating,
    parts: Has,
    key: idempotency.Key = None,
    stream: Stream = False,
) -> Response:
    """Decide about one text."""

    async def run(on_step: OnStep | None = None) -> Response:
        async def produce() -> Outcome:
            content = body.to_content(actor.app_id, idempotency.content_id(key))
            answer = await decide(parts, actor, content, on_step)
            return Outcome(Response(answer.model_dump_json(), media_type="application/json"))

        return await idempotency.once(request, key, parts.database, actor.app_id, produce)

    return await parts.streams.follow(run, parts.metrics, at=request.url.path) if stream else await run()


@router.post("/api/v1/moderate/batch", response_model=BatchResponse, max_body_size=BATCH_BODY)
async def moderate_batch(
    body: BatchRequest, request: Request, actor: Moderating, parts: Has, key: idempotency.Key = None
) -> Response:
    """Decide about up to 100 texts, each counted as a request. Each has its own result; one that fails does not
    touch the others. With an Idempotency-Key, the answer is kept once no item has a status of 500 or above."""
    await parts.rate_limit.spend(actor.id, cost=len(body.items) - 1)

    async def produce() -> Outcome:
        slots = asyncio.Semaphore(BATCH_AT_ONCE)

        async def one(index: int, item: object) -> BatchResult:
            async with slots:
                return await _one_of_batch(parts, actor, index, item, idempotency.content_id(key, index))

        results = await asyncio.gather(*(one(index, item) for index, item in enumerate(body.items)))
        response = Response(BatchResponse(results=results).model_dump_json(), media_type="application/json")
        return Outcome(response, final=all(result.status < 500 for result in results))

    return await idempotency.once(request, key, parts.database, actor.app_id, produce)


async def decide(parts: Parts, actor: Actor, content: Content, on_step: OnStep | None = None) -> ModerationAnswer:
    """Run the graph within the limits on time and on how many decisions are made at once."""
    with parts.gate.enter():
        async with asyncio.timeout(parts.deadline_s):
            answer = await parts.runs.moderate(Submission(content=content), actor, on_step)
    parts.metrics.decided(answer)
    return answer


async def _one_of_batch(parts: Parts, actor: Actor, index: int, item: object, fallback_id: str | None) -> BatchResult:
    try:
        request = ModerateRequest.model_validate(item)
        answer = await decide(parts, actor, request.to_content(actor.app_id, fallback_id))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        placed = [{**problem, "loc": ("body", "items", index, *problem["loc"])} for problem in found]
        return BatchResult(index=index, status=422, error=invalid(placed))
    except Exception as error:
        return _failed(index, response_of(error, f"item {index} of a batch"))
    return BatchResult(index=index, status=200, answer=answer)


def _failed(index: int, response: JSONResponse) -> BatchResult:
    body = ErrorBody.model_validate_json(bytes(response.body))
    return BatchResult(index=index, status=response.status_code, error=body.error)
