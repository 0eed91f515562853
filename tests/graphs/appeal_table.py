"""The table of appeals, read, and the facts that each row amounts to."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from domain.appeal import AppealOutcome
from domain.case import MACHINE, Case
from domain.clock import now
from domain.content import ContentContext
from domain.history import SubjectHistory
from domain.memory import Collection, Precedent
from domain.vocabulary import Action, DecisionKind, Policy, Severity
from policies.appeals import NO_EXPLANATION, AppealFacts
from policies.loader import load
from tests import factories

POLICIES = load()
ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "appeal_cases.yaml").read_text("utf-8"))


def case_in(row: dict[str, Any], app_id: str = "app_a") -> Case:
    """The decided case that a row's appeal is about."""
    policy, severity = Policy(row["policy"]), Severity(row["severity"])
    since = now() - timedelta(days=row["account_days"]) if "account_days" in row else None
    text = factories.content(row["name"], app_id=app_id, context=ContentContext(account_created_at=since))
    version = "0.9.0" if row.get("changed") else POLICIES.guideline(policy).version
    made = factories.decision(policy=policy, action=Action(row["action"])).model_copy(
        update={"severity": severity, "policy_version": version}
    )
    case = Case.opened(factories.record(text, made), None)
    return case if row["by"] == "machine" else case.model_copy(update={"reviewed_by": "ann"})


def facts_in(row: dict[str, Any]) -> AppealFacts:
    """What the machine would know."""
    case, others = case_in(row), row["others"]
    assert case.reviewed_by == MACHINE or row["by"] == "person"
    return AppealFacts(
        case=case,
        explanation=row["explanation"] or NO_EXPLANATION,
        new_evidence=row.get("evidence"),
        history=SubjectHistory(user_id="u1", cases=others["cases"] + 1, violations=others["violations"] + 1),
        similar=(
            *(_alike(DecisionKind.APPROVED) for _ in range(row["similar"]["fine"])),
            *(_alike(DecisionKind.REJECTED) for _ in range(row["similar"]["breach"])),
        ),
        reread=_read_now(row["now"], case),
        unavailable=(),
        at=now(),
    )


def expected(row: dict[str, Any]) -> AppealOutcome:
    return AppealOutcome(row["expect"])


def _read_now(how: str, case: Case) -> Any:
    if how == "fine":
        return factories.assessment(policy=None)
    return factories.assessment(
        policy=case.violation_type, severity=case.severity, confidence={"unsure": 0.6, "sure": 0.97}[how]
    )


def _alike(decision: DecisionKind) -> Precedent:
    return Precedent(
        collection=Collection.HISTORICAL_CASES,
        case_id="case_alike",
        text="much the same",
        similarity=0.9,
        decision=decision,
        policy=None,
        severity=None,
        confirmed=True,
    )
