"""A decision: what policy makes of an assessment, with everything needed to explain it."""

from pydantic import Field

from domain.base import Frozen
from domain.vocabulary import Action, DecisionKind, Policy, Priority, Route, Severity


class Thresholds(Frozen):
    """The confidence limits that were applied. All in [0, 1]."""

    auto_approve: float = Field(ge=0, le=1)
    auto_reject: float = Field(ge=0, le=1)
    escalate: float = Field(ge=0, le=1)


class Decision(Frozen):
    """What is to be done. `route`, `priority` and `sla_hours` are set for what people must look at.

    `policy_version` is the version of the guideline applied; `policy_set` the hash of all of them.
    `trigger` names the one rule of `decide()` that settled it.
    """

    kind: DecisionKind
    action: Action | None = None
    proposed_action: Action | None = None
    policy: Policy | None = None
    severity: Severity | None = None
    route: Route | None = None
    priority: Priority | None = None
    sla_hours: float | None = None
    thresholds: Thresholds
    policy_version: str | None
    policy_set: str
    trigger: str
    reasoning: str
