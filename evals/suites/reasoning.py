"""What asking a language model changes: how much is asked, what people are spared, and how many mistakes that costs.

A scripted judge of a stated accuracy stands in for a model, so that the figures are those of the fusion and can be made
again anywhere.
"""

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.assessment import Assessment
from domain.clock import now
from domain.content import Content
from domain.decision import Decision
from domain.errors import Invalid
from domain.history import SubjectHistory
from domain.opinion import REMIT, AskReason, Consultation, Opinion, Reading, Specialist
from domain.vocabulary import ContentType, DecisionKind, Policy, Severity
from evals.context import Context
from evals.corpus import rows
from evals.judging import APP, TOGETHER, Text
from evals.report import Figure, Report
from graphs.moderation.passages import passages
from policies.asking import whom_to_ask, why_ask
from policies.assess import assess
from policies.decide import Trigger, decide
from policies.passages import with_passages

ACCURACIES = (0.7, 0.8, 0.9)
RARE = 0.05
"""The share of violations that traffic is assumed to have."""

WHAT = (
    "{rows} texts by the writers of the test part, on whom nothing was trained or tuned; {doubtful} of them are in "
    "doubt and asked about. A scripted judge answers for each specialist; it is right about its own guidelines as "
    "often as stated, and surer when right (4 or 5 in 7 of 10 cases, else 3; when wrong 3, 4 or 5 alike). Mistakes are "
    "violations approved and clean texts rejected without a person. Screening alone is held to the same share of "
    "texts for people by deciding what it doubts least as it leans."
)


@dataclass(frozen=True)
class Read:
    """A text as screening alone leaves it, and why it would be asked about."""

    text: Text
    content: Content
    before: Assessment
    decided: Decision
    reason: AskReason | None


async def run(context: Context) -> Report:
    """Screen, ask the scripted judges, and compare. Raises Invalid where the corpus has nothing in doubt."""
    texts = context.some([text for text in rows(context.corpus, "test") if not text.borderline])
    read: list[Read] = []
    figures: list[Figure] = []
    fused: dict[float, list[Decision]] = {accuracy: [] for accuracy in ACCURACIES}
    for start in range(0, len(texts), TOGETHER):
        for one, by_accuracy in await asyncio.gather(
            *(_read(text, context) for text in texts[start : start + TOGETHER])
        ):
            read.append(one)
            for accuracy, decision in by_accuracy.items():
                fused[accuracy].append(decision)
    doubtful = sum(one.reason is AskReason.DOUBT for one in read)
    if not doubtful:
        raise Invalid("nothing in the test part is in doubt; give the whole corpus")
    clean, bad = (_asked([one for one in read if one.text.violates is violates]) for violates in (False, True))
    figures.append(
        Figure(
            f"share asked about where {RARE:.0%} are violations",
            (1 - RARE) * clean + RARE * bad,
            rows=len(read),
            gate=0.02,
            bar="at most 0.100",
            higher_is_better=False,
        )
    )
    figures.append(_for_people("screening alone", [one.decided for one in read]))
    for accuracy in ACCURACIES:
        decisions = fused[accuracy]
        name = f"a judge that is right in {accuracy:.0%}"
        figures.append(_for_people(name, decisions))
        share = sum(decision.kind is DecisionKind.ESCALATED for decision in decisions)
        figures += _mistakes(name, read, decisions, share)
    return Report(
        suite="reasoning",
        title="What asking a language model changes",
        what=WHAT.format(rows=len(read), doubtful=doubtful),
        figures=tuple(figures),
        model=context.named,
        sources=("our own corpus, the writers of the test part (data/corpus/GUIDE.md, splits.yaml)",),
    )


def _asked(read: Sequence[Read]) -> float:
    return sum(one.reason is not None for one in read) / max(len(read), 1)


def _for_people(name: str, decisions: Sequence[Decision]) -> Figure:
    share = sum(decision.kind is DecisionKind.ESCALATED for decision in decisions) / len(decisions)
    return Figure(f"share for people, {name}", share, rows=len(decisions), gate=0.03, higher_is_better=False)


def _mistakes(name: str, read: Sequence[Read], decisions: Sequence[Decision], for_people: int) -> Iterable[Figure]:
    """Mistakes of the fusion, and of screening alone with as many texts left for people."""
    wrong = sum(map(_is_wrong, read, (decision.kind for decision in decisions)))
    kinds = [one.decided.kind for one in read]
    doubted = sorted(
        (place for place, one in enumerate(read) if one.decided.trigger == Trigger.DOUBT),
        key=lambda place: -read[place].before.confidence,
    )
    spare = max(sum(kind is DecisionKind.ESCALATED for kind in kinds) - for_people, 0)
    for place in doubted[:spare]:
        kinds[place] = DecisionKind.APPROVED if read[place].before.policy is None else DecisionKind.REJECTED
    alone = sum(map(_is_wrong, read, kinds))
    yield Figure(
        f"mistakes per 1,000 texts, {name}", 1_000 * wrong / len(read), rows=len(read), gate=5.0, higher_is_better=False
    )
    yield Figure(
        f"mistakes per 1,000 texts, screening alone with as much for people as {name}",
        1_000 * alone / len(read),
        rows=len(read),
        higher_is_better=False,
    )


def _is_wrong(one: Read, kind: DecisionKind) -> bool:
    return kind is (DecisionKind.APPROVED if one.text.violates else DecisionKind.REJECTED)


async def _read(text: Text, context: Context) -> tuple[Read, dict[float, Decision]]:
    kind = ContentType(text.kind)
    content = Content(app_id=APP, content_id=text.id, content_type=kind, text=text.text, user_id=text.id)
    nobody = SubjectHistory(user_id=content.user_id)
    seen = await context.screener.screen(content)

    def assessed(consultation: Consultation | None) -> Assessment:
        return assess(
            screening=seen,
            content=content,
            history=nobody,
            same_content=None,
            precedents=(),
            unavailable=(),
            policies=context.policies,
            now=now(),
            consultation=consultation,
        )

    before = assessed(None)
    unasked = decide(before, nobody, context.policies, APP)
    reason = why_ask(before, nobody, context.policies, APP)
    found = dict.fromkeys(ACCURACIES, unasked)
    if reason:
        parts = passages(seen.normalised)
        alone = [await context.screener.screen(content.model_copy(update={"text": part})) for part in parts]
        seen = with_passages(seen, alone, context.policies)
    for accuracy in ACCURACIES if reason else ():
        chosen = whom_to_ask(before, context.policies)
        said = tuple(_opinion(who, text, accuracy) for who in chosen)
        asked = Consultation(reason=reason, rounds=1, specialists=chosen, opinions=said) if reason else None
        found[accuracy] = decide(assessed(asked), nobody, context.policies, APP)
    return Read(text, content, before, unasked, reason), found


def _opinion(who: Specialist, text: Text, accuracy: float) -> Opinion:
    """What a specialist of this accuracy says of a text whose truth is known; the same for the same text each time."""
    chance = random.Random(f"{text.id} {who} {accuracy}")
    right = chance.random() < accuracy
    broken = [policy for policy in REMIT[who] if policy in text.labels]
    violates = bool(broken) is right
    surest = (3, 4, 5) if not right else (4, 5) if chance.random() < 0.7 else (3,)
    policy: Policy | None = (broken or list(REMIT[who]))[0] if violates else None
    return Opinion(
        specialist=who,
        reading=Reading.VIOLATES if violates else Reading.FINE,
        policy=policy,
        severity=Severity(text.severity or Severity.MEDIUM) if violates else None,
        certainty=chance.choice(surest),
        reasoning="It is scripted.",
        model=f"scripted {accuracy}",
        prompt="scripted",
    )
