"""What the moderation tools answer, where no domain type says it already."""

from domain.base import Frozen
from domain.vocabulary import Action, DecisionKind, Policy, Route, Severity


class GuidelineText(Frozen):
    """One guideline as people read it, with its ladder of actions by severity."""

    policy: Policy
    title: str
    version: str
    rule: str
    covers: tuple[str, ...]
    does_not_cover: tuple[str, ...]
    severities: dict[Severity, str]
    ladder: dict[Severity, Action]
    fixed_route: Route | None


class GuidelineList(Frozen):
    """All guidelines in force, and the hash of the set."""

    policy_set: str
    guidelines: tuple[GuidelineText, ...]


class Explanation(Frozen):
    """Why a case was decided as it was, in plain words, drawn from its record alone."""

    case_id: str
    decision: DecisionKind
    summary: str
    findings: tuple[str, ...]
    language_models: tuple[str, ...]
    similar_cases: tuple[str, ...]
    thresholds: str
    policy: str
    decided_by: str
