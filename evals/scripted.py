"""Scripted judges of a stated accuracy in the place of language models, over texts whose truth is known.

Screening is asked once for each text; what a judge says, and what fusion and policy make of it, follows by pure rules
and can be repeated with other judges and other weights at little cost.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from tqdm import tqdm

from cupidsshield import opinions
from cupidsshield.opinion_fitting import Borne
from data.outcomes import Reviewed
from domain.assessment import Assessment
from domain.clock import now
from domain.decision import Decision
from domain.opinion import REMIT, Consultation, Opinion, Reading, Specialist
from domain.vocabulary import DecisionKind, Policy, Severity
from evals.asking import Read, read
from evals.context import Context
from evals.judging import TOGETHER, Text
from policies.asking import whom_to_ask
from policies.model import PolicySet


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
    """Screen each text; `title` names the progress bar."""
    found: list[Read] = []
    with tqdm(total=len(texts), desc=title, unit="text", leave=False) as bar:
        for start in range(0, len(texts), TOGETHER):
            part = texts[start : start + TOGETHER]
            found += await asyncio.gather(*(read(text, context) for text in part))
            bar.update(len(part))
    return found


def heard(one: Read, judge: Judge, policies: PolicySet) -> tuple[Assessment, Decision]:
    """What assessment and policy come to once this judge was heard; as before where nobody would be asked."""
    if one.reason is None:
        return one.before, one.decided
    chosen = whom_to_ask(one.before, policies)
    said = tuple(judge.says(who, one.text) for who in chosen)
    return one.after(Consultation(reason=one.reason, rounds=1, specialists=chosen, opinions=said), policies)


def refitted(texts: Sequence[Read], judge: Judge, policies: PolicySet) -> opinions.Refit:
    """The weights that people's decisions about these texts come to, were the judge asked and every such text decided
    by people too. Raises Invalid where these are too few."""
    gathered: list[Borne] = []
    for one in texts:
        if one.reason is None:
            continue
        after, made = heard(one, judge, policies)
        sample = made.kind is not DecisionKind.ESCALATED
        gathered += opinions.borne_of(_reviewed(one, after, made, sample=sample))
    return opinions.refits(opinions.Gathered(tuple(gathered), 0, {}), policies.thresholds.agents)[0]


def with_weights(policies: PolicySet, made: opinions.Refit) -> PolicySet:
    """The policies with these weights in force."""
    fitted = opinions.fitted([made])
    return PolicySet(guidelines=policies.guidelines, thresholds=policies.thresholds, fitted=fitted)


def _reviewed(one: Read, after: Assessment, made: Decision, *, sample: bool) -> Reviewed:
    """The case as a person who knows the truth decides it, naming one guideline, as people do."""
    named = [policy for policy in Policy if policy in one.text.labels]
    broken = max(named, key=lambda policy: after.scores.get(policy, 0.0), default=None)
    return Reviewed(
        case_id=one.text.id,
        assessment=after,
        machine=made,
        decision=DecisionKind.REJECTED if broken else DecisionKind.APPROVED,
        policy=broken,
        asked_for=not sample,
        created_at=now(),
    )
