"""An agent's flag as a signal among the others: it demands a person's look and weighs nothing."""

from domain.signals import Screening, Signal
from domain.submission import Flag
from domain.vocabulary import Floor, SignalSource


def with_flag(screening: Screening, flag: Flag | None) -> Screening:
    """The screening with the flag, if any, among its signals."""
    if flag is None:
        return screening
    signal = Signal(
        name="agent.flag",
        source=SignalSource.AGENT,
        policy=flag.policy,
        value=flag.confidence,
        weight=0.0,
        reason=f"flagged by {flag.raised_by or 'an agent'}: {flag.reasoning}",
        severity=flag.severity,
        floor=Floor.REVIEW,
    )
    return screening.model_copy(update={"signals": (*screening.signals, signal)})
