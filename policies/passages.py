"""What a passage of a text, read by itself, demands: where it alone is suspect enough, a person reads the whole."""

from collections.abc import Sequence

from domain.signals import PASSAGE_ALONE, Signal
from domain.vocabulary import Floor
from policies.model import PolicySet


def with_demands(signals: Sequence[Signal], policies: PolicySet) -> tuple[Signal, ...]:
    """The signals, the one of a suspect passage now demanding a person's look; its `value` is a probability."""
    limit = policies.thresholds.evidence.passage_review_from

    def demanding(signal: Signal) -> Signal:
        suspect = signal.name == PASSAGE_ALONE and signal.value >= limit
        return signal.model_copy(update={"floor": Floor.REVIEW}) if suspect else signal

    return tuple(demanding(signal) for signal in signals)
