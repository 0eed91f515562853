"""What enters the moderation graph: content, and, where an agent flags it, the agent's opinion."""

from pydantic import Field

from domain.base import Frozen
from domain.content import Content
from domain.vocabulary import Policy, Severity


class Flag(Frozen):
    """Somebody's claim that content violates a policy: it obtains a person's look, never a penalty."""

    policy: Policy
    severity: Severity | None = None
    confidence: float = Field(ge=0, le=1)
    reasoning: str = Field(min_length=1, max_length=2_000)
    raised_by: str = ""


class Submission(Frozen):
    """One thing to be decided. `submitted_by` is the label of the actor who sent it, set by the service."""

    content: Content
    flag: Flag | None = None
    submitted_by: str = ""
