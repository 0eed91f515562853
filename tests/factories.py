"""Valid objects of the domain, cheap to make; a test names only what it is about."""

import base64
from datetime import timedelta
from typing import Any

import numpy as np

from domain.actor import Actor, ActorKind
from domain.appeal import Appeal, AppealFactor, AppealOutcome, AppealStatus
from domain.appeal_reading import AppealReading, FactorReading
from domain.assessment import Assessment
from domain.case import CaseRecord, Timings
from domain.clock import now
from domain.content import Content, ContentContext
from domain.decision import Decision, Thresholds
from domain.history import SubjectHistory
from domain.ids import new_id
from domain.memory import MemoryItem
from domain.notification import Audience, Message
from domain.review import HumanDecision, ReviewItem, ReviewStatus
from domain.signals import ModelRef, Signal
from domain.staff import Role, Staff
from domain.vocabulary import (
    Action,
    ContentType,
    DecisionKind,
    Floor,
    Policy,
    Priority,
    Route,
    Scope,
    Severity,
    SignalSource,
)

ALL_SCOPES = frozenset(Scope)


def content(
    text: str = "hello there",
    *,
    app_id: str = "app_a",
    content_id: str | None = None,
    user_id: str = "u1",
    kind: ContentType = ContentType.MESSAGE,
    context: ContentContext | None = None,
) -> Content:
    return Content(
        app_id=app_id,
        content_id=content_id or new_id("content"),
        content_type=kind,
        text=text,
        user_id=user_id,
        context=context or ContentContext(),
    )


def assessment(
    *, policy: Policy | None = Policy.SCAMS, severity: Severity | None = Severity.HIGH, confidence: float = 0.9
) -> Assessment:
    signal = Signal(
        name="classifier.scams", source=SignalSource.CLASSIFIER, policy=policy, weight=2.0, reason="reads like a scam"
    )
    return Assessment(
        policy=policy,
        severity=severity if policy else None,
        confidence=confidence,
        risk_score=confidence * 0.8 if policy else 0.0,
        violation_probability=confidence if policy else 1 - confidence,
        scores={policy: confidence} if policy else {},
        floor=Floor.NONE,
        signals=(signal,) if policy else (),
        reasoning="It asks for money.",
        model=ModelRef(name="minilm", version="1", sha256="0" * 64),
    )


def decision(
    kind: DecisionKind = DecisionKind.REJECTED,
    *,
    policy: Policy | None = Policy.SCAMS,
    action: Action | None = Action.PERMANENT_BAN,
    policy_set: str = "set1",
) -> Decision:
    escalated = kind is DecisionKind.ESCALATED
    return Decision(
        kind=kind,
        action=action if kind is DecisionKind.REJECTED else None,
        policy=policy,
        severity=Severity.HIGH if policy else None,
        route=Route.MODERATOR if escalated else None,
        priority=Priority.MEDIUM if escalated else None,
        sla_hours=24 if escalated else None,
        thresholds=Thresholds(auto_approve=0.9, auto_reject=0.85, escalate=0.7),
        policy_version="1.0.0",
        policy_set=policy_set,
        trigger="test",
        reasoning="Sure enough to decide.",
    )


def record(of: Content | None = None, made: Decision | None = None, thought: Assessment | None = None) -> CaseRecord:
    made = made or decision()
    thought = thought or assessment(policy=made.policy)
    return CaseRecord(
        case_id=new_id("case"),
        content=of or content(),
        assessment=thought,
        decision=made,
        history=SubjectHistory(user_id="u1"),
        vector=vector(1),
        timings=Timings(nodes={"intake": 1.0}, total=2.0),
        submitted_by="app:key_1",
        created_at=now(),
    )


def review(
    of: CaseRecord, *, priority: Priority = Priority.MEDIUM, due_in: timedelta = timedelta(hours=24)
) -> ReviewItem:
    return ReviewItem(
        id=new_id("review"),
        app_id=of.content.app_id,
        case_id=of.case_id,
        priority=priority,
        route=Route.MODERATOR,
        status=ReviewStatus.PENDING,
        due_at=of.created_at + due_in,
        order_at=of.created_at + due_in,
        created_at=of.created_at,
    )


def appeal(app_id: str, case_id: str, **changed: Any) -> Appeal:
    known = {"explanation": "I was quoting what somebody had written to me.", "status": AppealStatus.PENDING}
    at = now()
    return Appeal(
        id=new_id("appeal"),
        app_id=app_id,
        case_id=case_id,
        user_id="u1",
        due_at=at + timedelta(hours=24),
        created_at=at,
        **{**known, **changed},
    )


def appeal_reading(**changed: Any) -> AppealReading:
    known = {
        "says": "That it was a quotation.",
        "record": "Nothing else is known.",
        "policy": "Nothing changed in the guideline.",
        "similar": "There are none.",
        "for_the_user": "A quotation is no request.",
        "for_the_decision": "It asks for money.",
        "factors": (FactorReading(factor=AppealFactor.EXPLANATION, score=4, reason="It fits the text."),),
        "recommendation": AppealOutcome.OVERTURN,
        "model": "openai:careful",
        "prompt": "0123456789abcdef",
    }
    return AppealReading(**{**known, **changed})


def message(audience: Audience = Audience.USER) -> Message:
    return Message(
        audience=audience, recipient="u1", event="user.decision", subject="A decision", body="In plain words."
    )


def memory_item(
    *,
    app_id: str = "app_a",
    case_id: str | None = None,
    seed: int = 1,
    policy: Policy | None = Policy.SCAMS,
    kind: DecisionKind = DecisionKind.REJECTED,
    confirmed: bool = False,
    text: str = "a text",
) -> MemoryItem:
    return MemoryItem(
        app_id=app_id,
        case_id=case_id or new_id("case"),
        text=text,
        vector=vector(seed),
        decision=kind,
        policy=policy,
        severity=Severity.HIGH if policy else None,
        confidence=0.9,
        confirmed=confirmed,
        created_at=now(),
    )


def vector(seed: int) -> str:
    """A unit vector, packed; the same for the same seed, unlike for others."""
    numbers = np.random.default_rng(seed).standard_normal(384).astype("<f4")
    return base64.b64encode((numbers / np.linalg.norm(numbers)).astype("<f4").tobytes()).decode()


def human(
    case_id: str, kind: DecisionKind = DecisionKind.APPROVED, *, reviewer: str = "moderator_001"
) -> HumanDecision:
    rejected = kind is DecisionKind.REJECTED
    return HumanDecision(
        case_id=case_id,
        reviewer=reviewer,
        kind=kind,
        policy=Policy.HARASSMENT if rejected else None,
        severity=Severity.LOW if rejected else None,
        action=Action.WARN if rejected else None,
        reasoning="I read it twice.",
    )


def person(app_id: str = "app_a", name: str = "moderator_001") -> Actor:
    return Actor(kind=ActorKind.PERSON, id=name, app_id=app_id)


def staff(name: str = "moderator_001", *, role: Role = Role.MODERATOR, app_ids: tuple[str, ...] = ("app_a",)) -> Staff:
    return Staff(
        id=name, email=f"{name}@example.org", name=name, role=role, app_ids=frozenset(app_ids), created_at=now()
    )


def agent(app_id: str = "app_a", scopes: frozenset[Scope] = ALL_SCOPES) -> Actor:
    return Actor(kind=ActorKind.AGENT, id="key_1", app_id=app_id, scopes=scopes)
