"""Care for the people who review: when a pause is suggested. Pure; a suggestion, never a lock."""

from domain.exposure import Load
from domain.staff import Preferences
from policies.model import PolicySet


def strain_minutes(load: Load, policies: PolicySet) -> float:
    """The minutes of a day, the more severe counting for more: each minute as 1 + the weight of its severity."""
    weights = policies.thresholds.severity_weights
    return sum(seen.seconds / 60 * (1 + weights.of(severity)) for severity, seen in load.by_severity.items())


def suggests_pause(before: Load, after: Load, preferences: Preferences, policies: PolicySet) -> bool:
    """Whether what was just looked at fills another stretch after which the person wanted to be told."""
    stretch = preferences.pause_after_minutes
    return strain_minutes(after, policies) // stretch > strain_minutes(before, policies) // stretch
