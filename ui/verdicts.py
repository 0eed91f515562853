"""The decision form as it was filled in, and what it is filled with at first."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from domain.case import Case
from domain.errors import Invalid
from domain.review import MAX_NOTE, Verdict
from domain.vocabulary import Action, DecisionKind, Policy, Route, Severity
from policies.model import PolicySet
from policies.offers import offered

MAX_REASONING = 4_000


def _none_if_empty(value: Any) -> Any:
    return value or None


Chosen = BeforeValidator(_none_if_empty)


class Filled(BaseModel):
    """What a form brings. Nothing is required here: what is missing is told in the page, and nothing typed is lost."""

    model_config = ConfigDict(extra="ignore")

    kind: Annotated[DecisionKind | None, Chosen] = None
    policy: Annotated[Policy | None, Chosen] = None
    severity: Annotated[Severity | None, Chosen] = None
    action: Annotated[Action | None, Chosen] = None
    route: Annotated[Route | None, Chosen] = None
    reasoning: Annotated[str, Field(max_length=20_000)] = ""
    epoch: int = 0
    view: Annotated[str, Field(max_length=1_000)] = ""

    def verdict(self) -> Verdict:
        """The verdict. Raises Invalid where it is not complete, in the words of the form."""
        if self.kind is None or self.kind is DecisionKind.ESCALATED:
            raise Invalid("choose whether to approve or to reject")
        if not self.reasoning.strip():
            raise Invalid("say why, in a sentence or two; the next person who looks at it depends on it")
        if len(self.reasoning.strip()) > MAX_REASONING:
            raise Invalid(f"the reasoning may have at most {MAX_REASONING:,} characters")
        rejected = self.kind is DecisionKind.REJECTED
        try:
            return Verdict(
                kind=self.kind,
                policy=self.policy if rejected else None,
                severity=self.severity if rejected else None,
                action=self.action if rejected else None,
                reasoning=self.reasoning.strip(),
            )
        except ValidationError as error:
            raise Invalid("the decision is not complete") from error

    def question(self) -> str:
        """What is asked of seniors or the legal team. Raises Invalid."""
        text = self.reasoning.strip()
        if not text:
            raise Invalid("say what you ask them")
        if len(text) > MAX_NOTE:
            raise Invalid(f"the question may have at most {MAX_NOTE:,} characters")
        return text


class FilledMany(Filled):
    """One verdict for a selection; `confirmed` once its number was read."""

    review: Annotated[list[str], Field(max_length=200)] = []
    confirmed: bool = False


def proposed(case: Case, policies: PolicySet) -> Filled:
    """What the form shows at first: the machine's view of it, with the action that policy proposes, nothing decided."""
    policy, severity = subject_of(case, Filled())
    return Filled(policy=policy, severity=severity, action=action_for(case, policy, severity, policies))


def subject_of(case: Case, filled: Filled) -> tuple[Policy, Severity]:
    """The violation that a form is about: what was chosen, else what the machine thinks, else what comes nearest."""
    scores = case.assessment.scores
    nearest = max(scores, key=lambda policy: scores[policy]) if scores else Policy.HARASSMENT
    policy = filled.policy or case.machine.policy or case.assessment.policy or nearest
    return policy, filled.severity or case.machine.severity or case.assessment.severity or Severity.LOW


def action_for(
    case: Case, policy: Policy, severity: Severity, policies: PolicySet, wanted: Action | None = None
) -> Action:
    """The action to preselect: what was chosen before if it is offered, else what the machine proposed for this very
    policy and severity, else policy.
    """
    offer = offered(policy, severity, policies)
    same = (policy, severity) == (case.machine.policy, case.machine.severity)
    machine = case.machine.proposed_action if same else None
    return next((each for each in (wanted, machine) if each in offer.actions and each is not None), offer.proposed)
