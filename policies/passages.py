"""What the passages of a text, each screened by itself, say of the whole: the worst of them counts."""

from collections.abc import Sequence

from domain.signals import Screening, Signal
from domain.vocabulary import SignalSource
from policies.fuse import PASSAGE_ALONE
from policies.model import PolicySet
from policies.score import stand


def with_passages(seen: Screening, screened: Sequence[Screening], policies: PolicySet) -> Screening:
    """The screening with its worst passage among the signals, where that is flagged by itself."""
    standings = [stand(passage.signals) for passage in screened]
    worst = max(standings, key=lambda standing: standing.any_violation, default=None)
    if worst is None or worst.any_violation < policies.thresholds.agents.flagged_from:
        return seen
    signal = Signal(
        name=PASSAGE_ALONE,
        source=SignalSource.RULE,
        policy=worst.top,
        value=worst.any_violation,
        reason="a passage of it, read by itself, is more likely than not a violation",
    )
    return seen.model_copy(update={"signals": (*seen.signals, signal)})
