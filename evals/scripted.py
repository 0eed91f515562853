"""A judge of a stated accuracy, which knows the truth of a text and says it as often; the same each time."""

import random

from domain.opinion import REMIT, Opinion, Reading, Specialist
from domain.vocabulary import Policy, Severity
from evals.judging import Text


def opinion(who: Specialist, text: Text, accuracy: float) -> Opinion:
    """What a specialist of this accuracy says of a text whose truth is known.

    It is right about its own guidelines as often as stated, and surer when right: 4 or 5 in 7 of 10 cases, else 3; when
    wrong 3, 4 or 5 alike.
    """
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
