"""Reads texts as screening alone leaves them, and decides about them again once language models were heard."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.assessment import Assessment
from domain.clock import now
from domain.content import Content
from domain.decision import Decision
from domain.history import SubjectHistory
from domain.opinion import AskReason, Consultation
from domain.signals import Screening
from domain.vocabulary import ContentType, DecisionKind
from evals.context import Context
from evals.judging import APP, Text
from policies.asking import why_ask
from policies.assess import assess
from policies.decide import Trigger, decide
from policies.model import PolicySet


@dataclass(frozen=True)
class Read:
    """A text as screening alone leaves it, and why it would be asked about."""

    text: Text
    content: Content
    seen: Screening
    before: Assessment
    decided: Decision
    reason: AskReason | None

    def after(self, consultation: Consultation, policies: PolicySet) -> tuple[Assessment, Decision]:
        """What the text is assessed as, and what is decided, once this was heard."""
        assessed = _assessed(self.seen, self.content, policies, consultation)
        return assessed, decide(assessed, _nobody(self.content), policies, APP)


async def read(text: Text, context: Context) -> Read:
    """Screen and decide without any language model. Raises ModelUnavailable where the classifier fails."""
    kind = ContentType(text.kind)
    content = Content(app_id=APP, content_id=text.id, content_type=kind, text=text.text, user_id=text.id)
    seen = await context.screener.screen(content)
    before = _assessed(seen, content, context.policies, None)
    decided = decide(before, _nobody(content), context.policies, APP)
    reason = why_ask(before, _nobody(content), context.policies, APP)
    return Read(text, content, seen, before, decided, reason)


def kinds_alone(read: Sequence[Read], for_people: int) -> list[DecisionKind]:
    """What screening alone would decide with so few texts left for people: what it doubts least, as it leans."""
    kinds = [one.decided.kind for one in read]
    doubted = sorted(
        (place for place, one in enumerate(read) if one.decided.trigger == Trigger.DOUBT),
        key=lambda place: -read[place].before.confidence,
    )
    spare = max(sum(kind is DecisionKind.ESCALATED for kind in kinds) - for_people, 0)
    for place in doubted[:spare]:
        kinds[place] = DecisionKind.APPROVED if read[place].before.policy is None else DecisionKind.REJECTED
    return kinds


def mistakes(read: Sequence[Read], kinds: Sequence[DecisionKind]) -> int:
    """Violations approved and clean texts rejected, both without a person."""
    wrong = (DecisionKind.APPROVED if one.text.violates else DecisionKind.REJECTED for one in read)
    return sum(kind is mistake for kind, mistake in zip(kinds, wrong, strict=True))


def _nobody(content: Content) -> SubjectHistory:
    return SubjectHistory(user_id=content.user_id)


def _assessed(seen: Screening, content: Content, policies: PolicySet, consultation: Consultation | None) -> Assessment:
    return assess(
        screening=seen,
        content=content,
        history=_nobody(content),
        same_content=None,
        precedents=(),
        unavailable=(),
        policies=policies,
        now=now(),
        consultation=consultation,
    )
