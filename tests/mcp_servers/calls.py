"""One good call of each tool, and who may make it."""

from dataclasses import dataclass, field
from typing import Any

from domain.appeal import AppealBrief, AppealOutcome
from domain.ids import derived_id
from domain.vocabulary import Scope
from mcp_servers.client import ServerName
from tests import factories

CLEAR = "I love hiking! What trails do you recommend?"
DOUBTFUL = "You're frustrating me by not responding..."
VIOLATING = "Send me money on WhatsApp for crypto investment!"

CASE = "<a case of the caller's app>"
APPEAL = "<an appeal against it>"
BRIEF = AppealBrief(
    factors=(),
    score=0.4,
    recommendation=AppealOutcome.UPHOLD,
    for_the_user=(),
    for_the_decision=(),
    prepared_by="test",
)


@dataclass(frozen=True)
class Good:
    """A call that works for whoever holds `scope`; None: for any agent."""

    server: ServerName
    tool: str
    scope: Scope | None
    arguments: dict[str, Any] = field(default_factory=dict)

    def of(self, case_id: str) -> dict[str, Any]:
        """The arguments, about this case and the appeal against it."""
        known = {CASE: case_id, APPEAL: derived_id("appeal", case_id)}
        return {n: known.get(v, v) if isinstance(v, str) else v for n, v in self.arguments.items()}

    @property
    def names_an_appeal(self) -> bool:
        """Whether there must be an appeal before this can be called."""
        return APPEAL in self.arguments.values()


M, D, V, N = ServerName.MODERATION, ServerName.DATABASE, ServerName.VECTOR_SEARCH, ServerName.NOTIFICATIONS

FOR_AGENTS = (
    Good(M, "moderate_content", Scope.MODERATE, {"text": DOUBTFUL, "user_id": "u1"}),
    Good(M, "screen_content", Scope.MODERATE, {"text": DOUBTFUL}),
    Good(
        M,
        "flag_content",
        Scope.MODERATE,
        {"text": CLEAR, "user_id": "u1", "violation_type": "scams", "confidence": 0.9, "reasoning": "I know this one."},
    ),
    Good(M, "get_policy", None, {"name": "scams"}),
    Good(M, "list_policies", None),
    Good(M, "explain_decision", Scope.READ, {"case_id": CASE}),
    Good(M, "apply_action", Scope.MODERATE, {"case_id": CASE, "action": "permanent_ban", "reasoning": "A scam."}),
    Good(D, "propose_decision", Scope.MODERATE, {"case_id": CASE, "decision": "approved", "reasoning": "It is fine."}),
    Good(D, "get_case", Scope.READ, {"case_id": CASE}),
    Good(D, "search_cases", Scope.READ, {"text": "the", "since": "2026-01-01T00:00:00Z"}),
    Good(D, "get_user_history", Scope.READ, {"user_id": "u1"}),
    Good(D, "get_audit_trail", Scope.READ, {"case_id": CASE}),
    Good(D, "list_review_queue", Scope.READ),
    Good(D, "get_metrics", Scope.READ),
    Good(D, "get_appeal", Scope.READ, {"appeal_id": APPEAL}),
    Good(V, "search_similar_violations", Scope.READ, {"text": VIOLATING}),
    Good(V, "search_similar_cases", Scope.READ, {"text": VIOLATING}),
    Good(V, "search_policies", Scope.READ, {"text": VIOLATING}),
    Good(
        V,
        "add_flagged_content",
        Scope.MODERATE,
        {"text": "gold for you, sweet one", "violation_type": "scams", "severity": "high"},
    ),
    Good(V, "add_historical_case", Scope.MODERATE, {"text": "see you at the lake", "decision": "approved"}),
    Good(N, "notify_user", Scope.NOTIFY, {"user_id": "u1", "subject": "Hello", "body": "All is well."}),
    Good(N, "notify_app", Scope.NOTIFY, {"subject": "Hello", "body": "All is well.", "case_id": CASE}),
    Good(N, "notify_moderators", Scope.NOTIFY, {"subject": "A pattern", "body": "Three accounts, one text."}),
    Good(N, "list_notifications", Scope.READ, {"case_id": CASE}),
)


def for_the_service(app_id: str) -> tuple[Good, ...]:
    """Calls that only the service may make."""
    record = factories.record(factories.content(app_id=app_id))
    return (
        Good(
            D,
            "prepare_case",
            None,
            {"content_id": "c1", "content_hash": "0" * 64, "user_id": "u1", "policy_set": "set1"},
        ),
        Good(
            D,
            "record_decision",
            None,
            {"record": record.model_dump(mode="json"), "review": None, "messages": [], "memory": None},
        ),
        Good(D, "file_report", None, {"case_id": CASE, "reporter_id": "u9", "reason": "scams"}),
        Good(D, "file_appeal", None, {"case_id": CASE, "user_id": "u1", "explanation": "I meant the song."}),
        Good(D, "lay_brief", None, {"appeal_id": APPEAL, "brief": BRIEF.model_dump(mode="json")}),
        Good(D, "settle_appeal", None, {"appeal_id": APPEAL}),
        Good(V, "recall", None, {"vector": factories.vector(1)}),
        Good(V, "remember", None, {"items": [factories.memory_item(app_id=app_id).model_dump(mode="json")]}),
        Good(N, "dispatch", None, {"case_id": CASE}),
        Good(N, "deliver_due", None),
    )


SERVICE_ONLY = {good.tool for good in for_the_service("app_a")}
