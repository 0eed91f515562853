"""A lifelike past for one app: weeks of cases, decisions of people, second looks, appeals, and a queue that waits.

For screenshots and for tests that need many of everything. Written through the tables, for the past cannot be decided
in time; the same for the same `seed`.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from data.appeal_table import AppealRow
from data.case_table import CaseRow, columns_of
from data.review_table import HumanDecisionRow, ReviewRow
from data.staff_table import ExposureRow
from data.statements import counting, dialect_of, inserting
from domain.appeal import AppealOutcome, AppealStatus
from domain.assessment import Assessment
from domain.case import MACHINE, Case
from domain.ids import derived_id
from domain.review import Outcome, ReviewItem, ReviewKind, ReviewStatus
from domain.staff import Staff
from domain.vocabulary import Action, DecisionKind, Policy, Priority, Route, Severity
from tests import factories

POLICIES = (Policy.SCAMS, Policy.HARASSMENT, Policy.SPAM, Policy.INAPPROPRIATE, Policy.FAKE_PROFILE, Policy.THREATS)
SAID = {
    Policy.SCAMS: "I made 4,000 last month with this coin, add me on Telegram and I show you how",
    Policy.HARASSMENT: "Why do you not answer me, you think you are better than me?",
    Policy.SPAM: "Best deals on followers, link in my bio, today only",
    Policy.INAPPROPRIATE: "Send me a picture, you know what kind",
    Policy.FAKE_PROFILE: "I am a doctor with the UN, at present on a ship without a phone",
    Policy.THREATS: "You will regret this, I know where you work",
    None: "Would you like to see the exhibition on Saturday?",
}
REASONS = {
    DecisionKind.APPROVED: "Nothing here breaks a rule; the tone is clumsy, and the other person joked along.",
    DecisionKind.REJECTED: "It matches the guideline in every part, and the author was warned for the same before.",
}


@dataclass
class Past:
    """What is written, by table. `looked_twice` of the decisions get a second look, and of those so many `differ`."""

    random: random.Random
    app_id: str
    until: datetime
    looked_twice: float = 0.25
    differ: float = 0.12
    cases: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    appeals: list[dict[str, Any]] = field(default_factory=list)

    def write(self, session: Session) -> None:
        """Keep it all."""
        tables = (
            (CaseRow, self.cases),
            (AppealRow, self.appeals),
            (ReviewRow, self.reviews),
            (HumanDecisionRow, self.decisions),
        )
        for table, rows in tables:
            if rows:
                session.execute(inserting(table), rows)


def past(
    session: Session,
    *,
    app_id: str,
    reviewers: Sequence[Staff],
    until: datetime,
    days: int = 14,
    a_day: int = 40,
    seed: int = 1,
    looked_twice: float = 0.25,
    differ: float = 0.12,
) -> Past:
    """Write a past that ends at `until`. The last of `reviewers` is overturned more often than the others."""
    made = Past(random.Random(seed), app_id, until, looked_twice, differ)
    for day in range(days, 0, -1):
        quieter = 0.7 if (until - timedelta(days=day)).weekday() < 5 else 1.0
        for number in range(int(a_day * quieter * made.random.uniform(0.8, 1.2))):
            at = until - timedelta(days=day) + timedelta(seconds=made.random.uniform(0, 86_000))
            _case(made, at, f"{seed}-{day}-{number}", reviewers)
    made.write(session)
    _exposure(session, made, reviewers, days)
    session.flush()
    return made


def _case(made: Past, at: datetime, name: str, reviewers: Sequence[Staff]) -> None:
    drawn = made.random
    policy = drawn.choices((*POLICIES, None), (6, 5, 4, 3, 2, 1, 60))[0]
    confidence = drawn.betavariate(3, 2) if policy else 0.9 + drawn.random() * 0.1
    doubtful = policy is not None and confidence < 0.85
    kind = DecisionKind.ESCALATED if doubtful else DecisionKind.REJECTED if policy else DecisionKind.APPROVED
    thought = factories.assessment(policy=policy, confidence=round(confidence, 3))
    severity = drawn.choice(tuple(Severity)[:3]) if policy else None
    record = factories.record(
        factories.content(SAID[policy], app_id=made.app_id, content_id=name, user_id=f"user_{drawn.randrange(400)}"),
        factories.decision(kind, policy=policy, action=Action.WARN),
        Assessment.model_validate({**thought.model_dump(), "severity": severity}),
    ).model_copy(update={"created_at": at, "case_id": derived_id("case", made.app_id, name)})
    item = _item(made, record.case_id, at, policy, severity) if doubtful else None
    row = columns_of(Case.opened(record, item))
    row["severity"] = severity if policy else None
    made.cases.append(row)
    if item is not None:
        _review(made, item, row, reviewers)
    elif kind is DecisionKind.REJECTED and drawn.random() < 0.15:
        _appeal(made, row, None, reviewers, at + timedelta(hours=3))


def _item(
    made: Past, case_id: str, at: datetime, policy: Policy | None, severity: Severity | None, **more: Any
) -> ReviewItem:
    route = made.random.choices((Route.MODERATOR, Route.SENIOR, Route.CARE), (8, 1, 1))[0]
    hours = {Route.MODERATOR: 24, Route.SENIOR: 4, Route.CARE: 1}[route]
    known = {
        "id": derived_id("review", case_id),
        "priority": Priority.MEDIUM,
        "route": route,
        "policy": policy,
        "severity": severity,
        "risk": 0.4,
        "due_at": at + timedelta(hours=hours),
        "order_at": at + timedelta(hours=hours),
    }
    return ReviewItem(
        app_id=made.app_id, case_id=case_id, status=ReviewStatus.PENDING, created_at=at, **{**known, **more}
    )


def _row(item: ReviewItem) -> dict[str, Any]:
    return {**ReviewRow.columns_of(item), "assigned_to": None, "completed_at": None}


def _review(made: Past, item: ReviewItem, case: dict[str, Any], reviewers: Sequence[Staff]) -> None:
    drawn = made.random
    row = _row(item)
    made.reviews.append(row)
    took = timedelta(hours=drawn.expovariate(1 / 5) * (0.2 if item.route is not Route.MODERATOR else 1))
    at = item.created_at + took
    if at > made.until - timedelta(minutes=5) or drawn.random() < 0.02:
        return
    right = drawn.random() < float(case["confidence"])
    kind, policy = (DecisionKind.REJECTED, item.policy) if right else (DecisionKind.APPROVED, None)
    if right and drawn.random() < 0.08:
        policy = drawn.choice(POLICIES)
    who = drawn.choice(reviewers)
    if drawn.random() < 0.04:
        undone = _decided(made, row, who, DecisionKind.APPROVED, None, at - timedelta(minutes=1), case)
        undone["undone_at"], undone["settled_at"] = at - timedelta(seconds=40), None
    first = _decided(made, row, who, kind, policy, at, case)
    row.update(status=ReviewStatus.COMPLETED.value, completed_at=at, assigned_to=who.id)
    case.update(decision=kind.value, violation_type=policy, reviewed_by=who.id, updated_at=at)
    case.update(severity=item.severity if policy else None, action=Action.WARN if policy else None)
    if drawn.random() < made.looked_twice:
        _second_look(made, case, item, first, reviewers, at)
    if kind is DecisionKind.REJECTED and drawn.random() < 0.5:
        _appeal(made, case, who, reviewers, at + timedelta(hours=2))


def _second_look(
    made: Past, case: dict[str, Any], item: ReviewItem, first: dict[str, Any], reviewers: Sequence[Staff], at: datetime
) -> None:
    drawn, later = made.random, at + timedelta(minutes=3)
    look = _item(
        made,
        item.case_id,
        later,
        item.policy,
        item.severity,
        id=derived_id("review", "quality", first["id"]),
        kind=ReviewKind.QUALITY,
        route=item.route,
    )
    row = _row(look)
    made.reviews.append(row)
    answered = later + timedelta(hours=drawn.uniform(1, 30))
    others = [person for person in reviewers if person.id != first["reviewer"]]
    if answered > made.until or not others or drawn.random() < 0.1:
        return
    same = drawn.random() >= made.differ
    flipped = DecisionKind.APPROVED if first["decision"] == DecisionKind.REJECTED else DecisionKind.REJECTED
    kind = DecisionKind(first["decision"]) if same else flipped
    policy = (first["policy"] or item.policy) if kind is DecisionKind.REJECTED else None
    who = drawn.choice(others)
    _decided(made, row, who, kind, policy, answered, case)
    row.update(status=ReviewStatus.COMPLETED.value, completed_at=answered, assigned_to=who.id)


def _appeal(made: Past, case: dict[str, Any], decider: Staff | None, reviewers: Sequence[Staff], at: datetime) -> None:
    if at > made.until:
        return
    drawn, appeal_id = made.random, derived_id("appeal", str(case["id"]))
    resolved = at + timedelta(hours=drawn.uniform(2, 30))
    row: dict[str, Any] = {
        "id": appeal_id,
        "app_id": made.app_id,
        "case_id": case["id"],
        "user_id": case["user_id"],
        "user_explanation": "I was only joking with somebody I know; please read what came before.",
        "new_evidence": None,
        "status": AppealStatus.UNDER_REVIEW.value,
        "brief": None,
        "needs_senior": False,
        "sets_precedent": False,
        "appeal_decision": None,
        "appeal_reasoning": None,
        "appeal_confidence": None,
        "resolved_by": None,
        "due_at": at + timedelta(hours=24),
        "created_at": at,
        "resolved_at": None,
    }
    made.appeals.append(row)
    item = _item(
        made,
        str(case["id"]),
        at,
        case["violation_type"],
        case["severity"],
        id=derived_id("review", appeal_id),
        kind=ReviewKind.APPEAL,
        appeal_id=appeal_id,
        route=Route.MODERATOR,
    )
    review = _row(item)
    made.reviews.append(review)
    others = [person for person in reviewers if person is not decider]
    if resolved > made.until or not others:
        return
    careless = decider is not None and decider is reviewers[-1]
    overturned = drawn.random() < (0.45 if careless else 0.12)
    outcome = AppealOutcome.OVERTURN if overturned else AppealOutcome.UPHOLD
    who = drawn.choice(others)
    kept = _decided(made, review, who, outcome, None, resolved, case)
    kept["reasoning"] = "The earlier messages show that both were joking." if overturned else "Nothing new was said."
    ended = AppealStatus.OVERTURNED if overturned else AppealStatus.UPHELD
    row.update(status=ended.value, resolved_by=who.id, resolved_at=resolved, appeal_decision=outcome.value)
    row["appeal_reasoning"] = kept["reasoning"]
    review.update(status=ReviewStatus.COMPLETED.value, completed_at=resolved, assigned_to=who.id)
    if overturned:
        case.update(decision=DecisionKind.APPROVED.value, violation_type=None, severity=None, action=None)
        case.update(reviewed_by=who.id, updated_at=resolved)


def _decided(
    made: Past,
    review: Mapping[str, Any],
    who: Staff,
    kind: DecisionKind | AppealOutcome,
    policy: Policy | None,
    at: datetime,
    case: Mapping[str, Any],
) -> dict[str, Any]:
    before = Outcome(
        decision=case["decision"],
        policy=case["violation_type"],
        severity=case["severity"],
        action=case["action"],
        reasoning=case["reasoning"] or "It asks for money.",
        reviewed_by=case["reviewed_by"] or MACHINE,
    )
    row = {
        "id": derived_id("decision", str(review["id"]), str(len(made.decisions))),
        "app_id": made.app_id,
        "review_id": review["id"],
        "case_id": review["case_id"],
        "appeal_id": review["appeal_id"],
        "kind": review["kind"],
        "reviewer": who.id,
        "epoch": 1,
        "decision": kind.value,
        "policy": policy,
        "severity": review["severity"] if policy else None,
        "action": Action.WARN if policy else None,
        "reasoning": REASONS[kind] if isinstance(kind, DecisionKind) else "See there.",
        "before": before.model_dump_json(),
        "bulk_id": None,
        "claimed_at": at - timedelta(minutes=2),
        "decided_at": at,
        "undo_until": at + timedelta(seconds=30),
        "undone_at": None,
        "settled_at": at + timedelta(seconds=31),
    }
    made.decisions.append(row)
    return row


def _exposure(session: Session, made: Past, reviewers: Sequence[Staff], days: int) -> None:
    rows = [
        {
            "staff_id": person.id,
            "day": (made.until - timedelta(days=day)).date().isoformat(),
            "severity": severity.value,
            "items": made.random.randrange(3, 25),
            "seconds": made.random.uniform(300, 4_000) / (1 + severity.rank),
        }
        for person in reviewers
        for day in range(days)
        for severity in Severity
    ]
    statement = counting(ExposureRow, dialect_of(session), ("staff_id", "day", "severity"), ("items", "seconds"))
    for row in rows:
        session.execute(statement, row)
