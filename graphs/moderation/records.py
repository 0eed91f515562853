"""What a run leaves behind, made from its state: the case record, the review item, the memory item.

Pure functions. Identifiers are derived, so that doing a thing twice makes one thing.
"""

import base64
import binascii
import math
import struct
from datetime import timedelta

from domain.case import Case, CaseRecord, Timings
from domain.content import Content
from domain.ids import derived_id
from domain.memory import MemoryItem
from domain.review import ReviewItem, Verdict
from domain.vocabulary import DecisionKind, Route
from graphs.moderation.state import State
from policies.model import PolicySet
from policies.queue import queued

DIMENSIONS = 384


def case_id_for(content: Content, policy_set: str) -> str:
    """One case for one content under one set of policies (I2)."""
    return derived_id("case", content.app_id, content.content_id, content.content_hash, policy_set)


def case_record(state: State, timings: Timings) -> CaseRecord:
    """Everything about the run that its explanation needs."""
    recollection, seen, prepared = state.get("recollection"), state["screening"], state["prepared"]
    return CaseRecord(
        case_id=state["case_id"],
        content=state["submission"].content,
        assessment=state["assessment"],
        decision=state["decision"],
        history=prepared.history,
        same_content=prepared.same_content,
        policy_matches=recollection.policies if recollection else (),
        vector=seen.vector if seen else None,
        timings=timings,
        submitted_by=state["submission"].submitted_by,
        created_at=state["received_at"],
    )


def review_item(record: CaseRecord, policies: PolicySet) -> ReviewItem | None:
    """What waits for people, if anything does; due by the SLA of its priority."""
    decision = record.decision
    if decision.kind is not DecisionKind.ESCALATED:
        return None
    assert decision.priority is not None, "what is escalated has a priority"
    assert decision.sla_hours is not None, "what is escalated has a deadline"
    return queued(
        policies,
        id=derived_id("review", record.case_id),
        app_id=record.content.app_id,
        case_id=record.case_id,
        route=decision.route or Route.MODERATOR,
        priority=decision.priority,
        at=record.created_at,
        due_at=record.created_at + timedelta(hours=decision.sla_hours),
        policy=decision.policy,
        severity=decision.severity,
        risk=record.assessment.risk_score if math.isfinite(record.assessment.risk_score) else 1.0,
    )


def memory_item(record: CaseRecord) -> MemoryItem | None:
    """What memory should know of the case; nothing where there was no vector, or none that memory could keep."""
    if record.vector is None or not _is_whole(record.vector):
        return None
    return MemoryItem(
        app_id=record.content.app_id,
        case_id=record.case_id,
        text=record.content.text,
        vector=record.vector,
        decision=record.decision.kind,
        policy=record.decision.policy,
        severity=record.decision.severity,
        confidence=record.assessment.confidence,
        created_at=record.created_at,
    )


def memory_of_person(case: Case, verdict: Verdict) -> MemoryItem:
    """What memory should know of a person's decision: confirmed, its vector still to be made."""
    rejected = verdict.kind is DecisionKind.REJECTED
    return MemoryItem(
        app_id=case.app_id,
        case_id=case.id,
        text=case.content.text,
        vector="",
        decision=verdict.kind,
        policy=verdict.policy if rejected else None,
        severity=verdict.severity if rejected else None,
        confidence=1.0,
        confirmed=True,
        created_at=case.created_at,
    )


def _is_whole(vector: str) -> bool:
    """Whether memory can keep it. One broken vector would hold up all that waits behind it in the inbox."""
    try:
        numbers = struct.unpack(f"<{DIMENSIONS}f", base64.b64decode(vector, validate=True))
    except (binascii.Error, struct.error, ValueError):
        return False
    return all(map(math.isfinite, numbers))
