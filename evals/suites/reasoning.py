"""What asking a language model changes: how much is asked, what people are spared, and how many mistakes that costs.

A scripted judge of a stated accuracy stands in for a model, so that the figures are those of the fusion and can be made
again anywhere.
"""

import asyncio
from collections.abc import Iterable, Sequence

from domain.decision import Decision
from domain.errors import Invalid
from domain.opinion import AskReason, Consultation
from domain.vocabulary import DecisionKind
from evals.asking import Read, kinds_alone, mistakes, read
from evals.context import Context
from evals.corpus import rows
from evals.judging import TOGETHER, Text
from evals.report import Figure, Report
from evals.scripted import opinion
from policies.asking import whom_to_ask

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


async def run(context: Context) -> Report:
    """Screen, ask the scripted judges, and compare. Raises Invalid where the corpus has nothing in doubt."""
    texts = context.some([text for text in rows(context.corpus, "test") if not text.borderline])
    found: list[Read] = []
    figures: list[Figure] = []
    fused: dict[float, list[Decision]] = {accuracy: [] for accuracy in ACCURACIES}
    for start in range(0, len(texts), TOGETHER):
        for one, by_accuracy in await asyncio.gather(
            *(_read(text, context) for text in texts[start : start + TOGETHER])
        ):
            found.append(one)
            for accuracy, decision in by_accuracy.items():
                fused[accuracy].append(decision)
    doubtful = sum(one.reason is AskReason.DOUBT for one in found)
    if not doubtful:
        raise Invalid("nothing in the test part is in doubt; give the whole corpus")
    clean, bad = (_asked([one for one in found if one.text.violates is violates]) for violates in (False, True))
    figures.append(
        Figure(
            f"share asked about where {RARE:.0%} are violations",
            (1 - RARE) * clean + RARE * bad,
            rows=len(found),
            gate=0.02,
            bar="at most 0.100",
            higher_is_better=False,
        )
    )
    figures.append(_for_people("screening alone", [one.decided for one in found]))
    for accuracy in ACCURACIES:
        decisions = fused[accuracy]
        name = f"a judge that is right in {accuracy:.0%}"
        figures.append(_for_people(name, decisions))
        share = sum(decision.kind is DecisionKind.ESCALATED for decision in decisions)
        figures += _mistakes(name, found, decisions, share)
    return Report(
        suite="reasoning",
        title="What asking a language model changes",
        what=WHAT.format(rows=len(found), doubtful=doubtful),
        figures=tuple(figures),
        model=context.named,
        sources=("our own corpus, the writers of the test part (data/corpus/GUIDE.md, splits.yaml)",),
    )


def _asked(found: Sequence[Read]) -> float:
    return sum(one.reason is not None for one in found) / max(len(found), 1)


def _for_people(name: str, decisions: Sequence[Decision]) -> Figure:
    share = sum(decision.kind is DecisionKind.ESCALATED for decision in decisions) / len(decisions)
    return Figure(f"share for people, {name}", share, rows=len(decisions), gate=0.03, higher_is_better=False)


def _mistakes(name: str, found: Sequence[Read], decisions: Sequence[Decision], for_people: int) -> Iterable[Figure]:
    """Mistakes of the fusion, and of screening alone with as many texts left for people."""
    yield _a_thousand(f"mistakes per 1,000 texts, {name}", found, [decision.kind for decision in decisions], gate=5.0)
    alone = f"mistakes per 1,000 texts, screening alone with as much for people as {name}"
    yield _a_thousand(alone, found, kinds_alone(found, for_people))


def _a_thousand(name: str, found: Sequence[Read], kinds: Sequence[DecisionKind], gate: float | None = None) -> Figure:
    value = 1_000 * mistakes(found, kinds) / len(found)
    return Figure(name, value, rows=len(found), gate=gate, higher_is_better=False)


async def _read(text: Text, context: Context) -> tuple[Read, dict[float, Decision]]:
    one = await read(text, context)
    if one.reason is None:
        return one, dict.fromkeys(ACCURACIES, one.decided)
    chosen = whom_to_ask(one.before, context.policies)
    decided = {}
    for accuracy in ACCURACIES:
        said = tuple(opinion(who, text, accuracy) for who in chosen)
        asked = Consultation(reason=one.reason, rounds=1, specialists=chosen, opinions=said)
        decided[accuracy] = one.after(asked, context.policies)
    return one, decided
