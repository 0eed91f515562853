"""Deciding a selection together: said once more with its number before it is done, and undone as one."""

from typing import Annotated, Any

from fastapi import Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from data import decisions
from domain.errors import Invalid
from domain.review import BulkOutcome, Verdict
from domain.staff import Right, Staff
from ui.access import Pages, signed_in, visit_of
from ui.flash import flash
from ui.pages import render, words
from ui.parts import Has
from ui.places import queue_at
from ui.queue_filter import view_of
from ui.verdicts import FilledMany

router = Pages()

Reviewer = Annotated[Staff, Depends(signed_in(Right.REVIEW))]


@router.post("/queue/bulk")
async def decide_many(
    request: Request,
    parts: Has,
    staff: Reviewer,
    filled: Annotated[FilledMany, Form()],
) -> Response:
    """Decide all that are selected alike. Without `confirmed`, asks first and names the number."""
    query, _ = view_of(filled.view, visit_of(request))
    if not filled.review:
        raise Invalid("select at least one item first")
    verdict = filled.verdict()
    if not filled.confirmed:
        return render(request, "bulk.html", filled=filled, verdict=verdict, view=query)
    done = await parts.database.write(
        lambda s: parts.desk.decide_many(s, staff=staff, review_ids=filled.review, verdict=verdict)
    )
    response = RedirectResponse(queue_at(query), status_code=303)
    until = parts.clock() + parts.policies.thresholds.queue.undo
    told: dict[str, Any] = {"undo": f"/undo/bulk/{done.bulk_id}", "until": until} if done.done else {}
    flash(request, response, _told(done, verdict), kind="problem" if done.lost else "done", **told)
    return response


@router.post("/undo/bulk/{bulk_id}")
async def undo_many(request: Request, parts: Has, staff: Reviewer, bulk_id: str) -> Response:
    """Take back all of a bulk act that can still be; the items go back into the queue."""
    lease = parts.policies.thresholds.queue.lease
    undone = await parts.database.write(lambda s: decisions.undo_bulk(s, staff=staff, bulk_id=bulk_id, lease=lease))
    response = RedirectResponse("/queue?status=mine", status_code=303)
    text = f"{_items(len(undone.done))} taken back. They are yours again."
    if undone.lost:
        text += f" {_items(len(undone.lost))} could no longer be."
    flash(request, response, text, kind="problem" if undone.lost else "done")
    return response


def _told(outcome: BulkOutcome, verdict: Verdict) -> str:
    text = f"{_items(len(outcome.done))} {words(verdict.kind)}."
    if outcome.lost:
        why = ", ".join(sorted(set(outcome.lost.values())))
        text += f" {_items(len(outcome.lost))} left alone: {why}."
    return text


def _items(number: int) -> str:
    return f"{number} item{'' if number == 1 else 's'}"
