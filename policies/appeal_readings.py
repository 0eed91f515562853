"""Whether a model may read an app's appeals, and where what it reads differs from the machine's own weighing. Pure.

Neither moves the other: the person who decides is told that they differ.
"""

from domain.appeal import AppealBrief, AppealFactor, AppealOutcome
from domain.appeal_reading import EVEN, AppealReading
from policies.consulting import When
from policies.model import PolicySet

MIDDLE = 0.5
"""The middle of the scale on which the weighing scores a factor: it speaks for neither side."""

WOULD = {
    AppealOutcome.UPHOLD: "let the decision stand",
    AppealOutcome.OVERTURN: "overturn it",
    AppealOutcome.ESCALATE: "ask a senior",
}


def may_read(app_id: str, policies: PolicySet) -> bool:
    """Whether models may be asked about anything of an app."""
    return policies.thresholds.agents.of(app_id).when is not When.NEVER


def differences(brief: AppealBrief, reading: AppealReading) -> tuple[str, ...]:
    """Where the two contradict each other, in words for the person who decides; empty where they agree."""
    told = []
    if brief.recommendation is not reading.recommendation:
        told.append(
            f"the weighing would {WOULD[brief.recommendation]}, the model would {WOULD[reading.recommendation]}"
        )
    weighed = {each.factor: each.score for each in brief.factors}
    for each in reading.factors:
        ours = weighed.get(each.factor)
        if ours is None or each.score is None:
            continue
        if (ours - MIDDLE) * (each.score - EVEN) < 0:
            told.append(f"{_words(each.factor)}: {_side(ours > MIDDLE)}, the model finds the opposite")
    return tuple(told)


def _side(for_the_user: bool) -> str:
    return f"the weighing finds that it speaks for the {'user' if for_the_user else 'decision'}"


def _words(factor: AppealFactor) -> str:
    return factor.replace("_", " ")
