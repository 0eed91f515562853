"""A decision as the EU's transparency database takes it (statement of reasons, API v1, schema of July 2025).

Pure. Holds the field rules, and never a word that a user wrote or an identifier of one: no personal data may be sent.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.base import Frozen
from domain.case import MACHINE, Case
from domain.enforcement import TERMS
from domain.vocabulary import Action, DecisionKind
from policies.model import DsaCategoryName, PolicySet

Visibility = Literal[
    "DECISION_VISIBILITY_CONTENT_REMOVED",
    "DECISION_VISIBILITY_CONTENT_DISABLED",
    "DECISION_VISIBILITY_CONTENT_DEMOTED",
    "DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED",
    "DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED",
    "DECISION_VISIBILITY_CONTENT_LABELLED",
    "DECISION_VISIBILITY_OTHER",
]
Provision = Literal[
    "DECISION_PROVISION_PARTIAL_SUSPENSION",
    "DECISION_PROVISION_TOTAL_SUSPENSION",
    "DECISION_PROVISION_PARTIAL_TERMINATION",
    "DECISION_PROVISION_TOTAL_TERMINATION",
]
Account = Literal["DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED"]
ContentKind = Literal["CONTENT_TYPE_TEXT"]
YesNo = Literal["Yes", "No"]

REMOVED: Visibility = "DECISION_VISIBILITY_CONTENT_REMOVED"
VISIBILITY: dict[Action, Visibility] = {
    Action.BLUR: "DECISION_VISIBILITY_CONTENT_LABELLED",
    Action.SHADOW_HIDE: "DECISION_VISIBILITY_CONTENT_DEMOTED",
    Action.COLLAPSE_THREAD: "DECISION_VISIBILITY_CONTENT_DEMOTED",
    Action.THROTTLE: "DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED",
    Action.ALERT_CREATOR: "DECISION_VISIBILITY_OTHER",
    Action.CAMPAIGN_LOCK: "DECISION_VISIBILITY_CONTENT_DISABLED",
}
"""What becomes of the content; whatever is not named here removes it."""

ACCOUNT: dict[Action, Account] = {
    Action.TEMP_BAN_24H: "DECISION_ACCOUNT_SUSPENDED",
    Action.TEMP_BAN_7D: "DECISION_ACCOUNT_SUSPENDED",
    Action.SUSPEND_UNTIL_VERIFIED: "DECISION_ACCOUNT_SUSPENDED",
    Action.PERMANENT_BAN: "DECISION_ACCOUNT_TERMINATED",
    Action.PERMANENT_BAN_AND_REPORT: "DECISION_ACCOUNT_TERMINATED",
}
PROVISION: dict[Action, Provision] = {
    Action.REQUEST_VERIFICATION: "DECISION_PROVISION_PARTIAL_SUSPENSION",
    Action.REQUEST_ID_VERIFICATION: "DECISION_PROVISION_PARTIAL_SUSPENSION",
}
NO_RESTRICTION = frozenset({Action.OFFER_SUPPORT, Action.FLAG_FOR_REVIEW})
"""Rejections under these restrict nobody, so that there is nothing to state."""

ALERTED = "The person whom the content concerns was told of it"


class DsaStatement(Frozen):
    """One statement with the fields that we use; a field that is None is left out when it is written."""

    decision_visibility: tuple[Visibility, ...] | None = None
    decision_visibility_other: Annotated[str | None, Field(max_length=500)] = None
    decision_provision: Provision | None = None
    decision_account: Account | None = None
    account_type: Literal["ACCOUNT_TYPE_BUSINESS", "ACCOUNT_TYPE_PRIVATE"] | None = None
    decision_ground: Literal["DECISION_GROUND_INCOMPATIBLE_CONTENT"]
    incompatible_content_ground: Annotated[str, Field(min_length=1, max_length=500)]
    incompatible_content_explanation: Annotated[str, Field(min_length=1, max_length=2_000)]
    content_type: Annotated[tuple[ContentKind, ...], Field(min_length=1)]
    category: DsaCategoryName
    category_specification: tuple[Annotated[str, Field(pattern=r"^KEYWORD_[A-Z_]+$")], ...] | None = None
    content_date: date
    application_date: date
    end_date_account_restriction: date | None = None
    decision_facts: Annotated[str, Field(min_length=1, max_length=5_000)]
    source_type: Literal[
        "SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_TYPE_OTHER_NOTIFICATION", "SOURCE_VOLUNTARY"
    ]
    automated_detection: YesNo
    automated_decision: Literal[
        "AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_PARTIALLY", "AUTOMATED_DECISION_NOT_AUTOMATED"
    ]
    puid: Annotated[str, Field(pattern=r"^[a-zA-Z0-9-_]+$", max_length=500)]

    @model_validator(mode="after")
    def _says_what_was_decided(self) -> Self:
        if not (self.decision_visibility or self.decision_provision or self.decision_account):
            raise ValueError("a statement names at least one restriction")
        if ("DECISION_VISIBILITY_OTHER" in (self.decision_visibility or ())) != bool(self.decision_visibility_other):
            raise ValueError("decision_visibility_other goes with DECISION_VISIBILITY_OTHER, and only with it")
        return self


def dsa_statement(case: Case, *, reported: bool, policies: PolicySet) -> DsaStatement | None:
    """The statement of a decision that stands; None where nothing is restricted.

    `reported` says that users had reported the content before the decision.
    """
    if case.decision is not DecisionKind.REJECTED or case.violation_type is None or case.action in NO_RESTRICTION:
        return None
    guideline, action = policies.guideline(case.violation_type), case.action
    visibility = VISIBILITY.get(action, REMOVED) if action else REMOVED
    term = TERMS.get(action) if action else None
    account = ACCOUNT.get(action) if action else None
    by_notice = reported and case.reviewed_by != MACHINE
    return DsaStatement(
        decision_visibility=(visibility,),
        decision_visibility_other=ALERTED if visibility == "DECISION_VISIBILITY_OTHER" else None,
        decision_provision=PROVISION.get(action) if action else None,
        decision_account=account,
        account_type="ACCOUNT_TYPE_PRIVATE" if account else None,
        decision_ground="DECISION_GROUND_INCOMPATIBLE_CONTENT",
        incompatible_content_ground=f"{guideline.title}, version {case.machine.policy_version or guideline.version}",
        incompatible_content_explanation=f"{guideline.rule} {guideline.user_message}"[:2_000],
        content_type=("CONTENT_TYPE_TEXT",),
        category=guideline.dsa.category,
        category_specification=(guideline.dsa.keyword,),
        content_date=_day(case.content.context.timestamp or case.created_at),
        application_date=_day(case.updated_at),
        end_date_account_restriction=_day(case.updated_at + term) if term else None,
        decision_facts=_facts(case, guideline.title, by_notice=by_notice),
        source_type="SOURCE_TYPE_OTHER_NOTIFICATION" if by_notice else "SOURCE_VOLUNTARY",
        automated_detection="No" if by_notice and case.machine.kind is DecisionKind.APPROVED else "Yes",
        automated_decision=_automation(case),
        puid=f"{case.id}-{case.updated_at.astimezone(UTC):%Y%m%d%H%M%S}",
    )


def _automation(
    case: Case,
) -> Literal["AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_PARTIALLY", "AUTOMATED_DECISION_NOT_AUTOMATED"]:
    """A person who follows or corrects what the machine proposed decides with its help; else alone."""
    if case.reviewed_by == MACHINE:
        return "AUTOMATED_DECISION_FULLY"
    proposed = case.machine.kind is not DecisionKind.APPROVED
    return "AUTOMATED_DECISION_PARTIALLY" if proposed else "AUTOMATED_DECISION_NOT_AUTOMATED"


def _facts(case: Case, title: str, *, by_notice: bool) -> str:
    """What happened, without a word of the content and without anybody's name."""
    noticed = "Other users reported it" if by_notice else "Automated screening noticed it"
    decided = "an automated system decided" if case.reviewed_by == MACHINE else "a person decided"
    severity = f"{case.severity} severity" if case.severity else "a violation"
    return (
        f"A text ({case.content.content_type}) of a dating or social app. {noticed}; {decided} that it falls under "
        f"“{title}” at {severity}."
    )


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
