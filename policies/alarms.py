"""Which limits of the policies an app's numbers cross: told to moderators, and shown to whoever may see numbers."""

from collections.abc import Sequence

from domain.estimates import Share
from domain.queries import CaseMetrics
from domain.statistics import Alarm, Overturns, Waiting
from policies.people import QualityRules
from policies.thresholds import Alerts


def of_decisions(numbers: CaseMetrics, limits: Alerts) -> list[Alarm]:
    """Too much goes to people, or a decision took too long."""
    found = []
    if numbers.cases >= limits.fewest_cases and numbers.escalation_rate > limits.escalation_share_above:
        found.append(
            Alarm(
                event="alert.escalations",
                subject=f"{numbers.escalation_rate:.0%} of the cases of the last {limits.window_hours:g} h went to "
                "people",
                body=f"{numbers.cases} cases; the limit is {limits.escalation_share_above:.0%}. Look for a new kind of "
                "message, a policy change, or a server that does not answer (/ready).",
            )
        )
    slowest = (numbers.slowest_ms or 0.0) / 1_000
    if slowest > limits.decision_seconds_above:
        found.append(
            Alarm(
                event="alert.slow_decisions",
                subject=f"A decision took {slowest:.0f} seconds",
                body=f"The limit is {limits.decision_seconds_above:.0f} s. Look at /metrics and at the case's timings.",
            )
        )
    return found


def of_queue(waiting: Sequence[Waiting], limits: Alerts) -> list[Alarm]:
    """Too much is past its deadline."""
    overdue = {one.route: one.overdue for one in waiting if one.overdue}
    number = sum(overdue.values())
    if number <= limits.overdue_above:
        return []
    routes = ", ".join(f"{route} {count}" for route, count in overdue.items())
    return [
        Alarm(
            event="alert.overdue",
            subject=f"{number} item{'s' if number > 1 else ''} in the queue past the deadline",
            body=f"By route: {routes}. Look at /queue?overdue=true.",
        )
    ]


def of_appeals(overturns: Sequence[Overturns], limits: Alerts, quality: QualityRules) -> list[Alarm]:
    """Decisions of somebody, or under some policy, are overturned too often. It counts and does not name people: the
    message goes to all moderators."""
    reviewers = overturned_too_often(overturns, "reviewer", quality)
    policies = overturned_too_often(overturns, "policy", quality)
    if not reviewers and not policies:
        return []
    said = []
    if reviewers:
        said.append(f"{len(reviewers)} of those who decide")
    if policies:
        said.append(f"{', '.join(sorted(policies))} among the policies")
    return [
        Alarm(
            event="alert.overturned",
            subject=f"Appeals overturn more than {quality.overturned_share_above:.0%} of some decisions",
            body=f"Over {limits.overturned_window_days:g} days, concerning {' and '.join(said)}. Leads see whose and "
            "which at /numbers.",
        )
    ]


def overturned_too_often(overturns: Sequence[Overturns], by: str, quality: QualityRules) -> dict[str, Share]:
    """The reviewers, or policies, whose decisions appeals overturned more often than the limit, from the fewest on."""
    found: dict[str, Share] = {}
    for one in overturns:
        key = str(getattr(one, by) or "none")
        found[key] = found.get(key, Share(hits=0, of=0)) + Share(hits=one.overturned, of=one.decided)
    return {key: share for key, share in found.items() if crosses(share, quality)}


def crosses(share: Share, quality: QualityRules) -> bool:
    """Whether a share of overturned decisions is told."""
    return share.of >= quality.fewest_decisions and (share.value or 0.0) > quality.overturned_share_above


def of_drift(index: float | None, cases: int, limits: Alerts) -> list[Alarm]:
    """Scores differ from those that the calibration was fitted on."""
    if index is None or index <= limits.score_drift_above:
        return []
    return [
        Alarm(
            event="alert.score_drift",
            subject=f"What users write scores differently: stability index {index:.2f}",
            body=f"{cases} cases in {limits.score_drift_window_hours:g} h; the limit is {limits.score_drift_above:g}. "
            "Look for a new kind of message, then have people decide a sample and run 'cupidsshield calibrate'.",
        )
    ]
