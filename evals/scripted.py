"""Scripted judges of a stated accuracy in the place of language models, over texts whose truth is known.

Screening is asked once for each text; what a judge says, and what fusion and policy make of it, follows by pure rules
and can be repeated with other judges and other weights at little cost.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tqdm import tqdm

from cupidsshield import opinions
from cupidsshield.opinion_fitting import Borne
from data.outcomes import Reviewed
from domain.assessment import Assessment
from domain.clock import now
from domain.content import Content
from domain.decision import Decision
from domain.history import SubjectHistory
from domain.opinion import REMIT, AskReason, Consultation, Opinion, Reading, Specialist
from domain.signals import Screening
from domain.vocabulary import ContentType, DecisionKind, Policy, Severity
from evals.context import Context
from evals.judging import APP, TOGETHER, Text
from graphs.moderation.passages import passages
from policies.asking import whom_to_ask, why_ask
from policies.assess import assess
from policies.decide import decide
from policies.model import PolicySet
from policies.passages import with_passages

SAMPLED = 3
"""People decide what is escalated, and one in so many of the texts that are decided alone."""


@dataclass(frozen=True)
class Read:
    """A text as screening alone leaves it, why and of whom it would be asked, and what is fused with the answers."""

    text: Text
    content: Content
    before: Assessment
    decided: Decision
    reason: AskReason | None
    chosen: tuple[Specialist, ...]
    seen: Screening


@dataclass(frozen=True)
class Judge:
    """Right about the guidelines of a specialist in `accuracy` of texts; surer when right (4 or 5 in 7 of 10 cases,
    else 3; when wrong 3, 4 or 5 alike). Says the same of the same text each time; another `seed` is another judge."""

    accuracy: float
    seed: int = 0

    @property
    def model(self) -> str:
        return f"scripted {self.accuracy:g}"

    def says(self, who: Specialist, text: Text) -> Opinion:
        """What it says as this specialist."""
        lot = random.Random(f"{text.id} {who} {self.accuracy}{f' {self.seed}' if self.seed else ''}")
        right = lot.random() < self.accuracy
        broken = [policy for policy in REMIT[who] if policy in text.labels]
        violates = bool(broken) is right
        surest = (3, 4, 5) if not right else (4, 5) if lot.random() < 0.7 else (3,)
        return Opinion(
            specialist=who,
            reading=Reading.VIOLATES if violates else Reading.FINE,
            policy=(broken or list(REMIT[who]))[0] if violates else None,
            severity=Severity(text.severity or Severity.MEDIUM) if violates else None,
            certainty=lot.choice(surest),
            reasoning="It is scripted.",
            model=self.model,
            prompt=f"scripted {who}",
        )


async def read_all(texts: Sequence[Text], context: Context, *, title: str) -> list[Read]:
    """Screen each text, and read its passages where it would be asked about; `title` names the progress bar."""
    found: list[Read] = []
    with tqdm(total=len(texts), desc=title, unit="text", leave=False) as bar:
        for start in range(0, len(texts), TOGETHER):
            part = texts[start : start + TOGETHER]
            found += await asyncio.gather(*(_read(text, context) for text in part))
            bar.update(len(part))
    return found


def heard(read: Read, judge: Judge, policies: PolicySet) -> tuple[Assessment, Decision]:
    """What assessment and policy come to once this judge was heard; as before where nobody would be asked."""
    if read.reason is None:
        return read.before, read.decided
    said = tuple(judge.says(who, read.text) for who in read.chosen)
    asked = Consultation(reason=read.reason, rounds=1, specialists=read.chosen, opinions=said)
    after = _assessed(read.seen, read.content, policies, asked)
    return after, decide(after, SubjectHistory(user_id=read.content.user_id), policies, APP)


def refitted(read: Sequence[Read], judge: Judge, policies: PolicySet) -> opinions.Refit:
    """The weights that people's decisions about these texts come to, were the judge asked: they decide what is then
    escalated, and one in SAMPLED of the rest. Raises Invalid where these are too few."""
    gathered: list[Borne] = []
    alone = 0
    for one in read:
        after, made = heard(one, judge, policies)
        sample = made.kind is not DecisionKind.ESCALATED
        alone += sample
        if one.reason is None or (sample and alone % SAMPLED):
            continue
        reviewed = _reviewed(one, after, made, sample=sample)
        weight = float(SAMPLED) if sample else 1.0
        gathered += [replace(borne, weight=weight) for borne in opinions.borne_of(reviewed)]
    return opinions.refits(opinions.Gathered(tuple(gathered), 0, {}), policies.thresholds.agents)[0]


def with_weights(policies: PolicySet, made: opinions.Refit) -> PolicySet:
    """The policies with these weights in force."""
    fitted = opinions.fitted([made])
    return PolicySet(guidelines=policies.guidelines, thresholds=policies.thresholds, fitted=fitted)


async def _read(text: Text, context: Context) -> Read:
    kind = ContentType(text.kind)
    content = Content(app_id=APP, content_id=text.id, content_type=kind, text=text.text, user_id=text.id)
    nobody = SubjectHistory(user_id=content.user_id)
    seen = await context.screener.screen(content)
    before = _assessed(seen, content, context.policies, None)
    reason = why_ask(before, nobody, context.policies, APP)
    if reason:
        parts = passages(seen.normalised)
        alone = [await context.screener.screen(content.model_copy(update={"text": part})) for part in parts]
        seen = with_passages(seen, alone, context.policies)
    chosen = whom_to_ask(before, context.policies)
    return Read(text, content, before, decide(before, nobody, context.policies, APP), reason, chosen, seen)


def _assessed(seen: Screening, content: Content, policies: PolicySet, consultation: Consultation | None) -> Assessment:
    return assess(
        screening=seen,
        content=content,
        history=SubjectHistory(user_id=content.user_id),
        same_content=None,
        precedents=(),
        unavailable=(),
        policies=policies,
        now=now(),
        consultation=consultation,
    )


def _reviewed(read: Read, after: Assessment, made: Decision, *, sample: bool) -> Reviewed:
    """The case as a person who knows the truth decides it, naming one guideline, as people do."""
    named = [policy for policy in Policy if policy in read.text.labels]
    broken = max(named, key=lambda policy: after.scores.get(policy, 0.0), default=None)
    return Reviewed(
        case_id=read.text.id,
        assessment=after,
        machine=made,
        decision=DecisionKind.REJECTED if broken else DecisionKind.APPROVED,
        policy=broken,
        asked_for=not sample,
        created_at=now(),
    )
