"""Where what language models say meets what screening, rules, memory and record say. Pure.

I4 holds here, whatever a model answers: it may raise risk; it may settle doubt about what screening lets pass; above
the floor of rules and classifier the best that it can obtain is a person. And its word alone never harms anybody:
what screening did not itself see, or not as severe, goes to a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.opinion import MOST_CERTAIN, REMIT, Opinion, Reading
from domain.signals import Signal
from domain.vocabulary import Floor, Policy, SignalSource
from policies.model import PolicySet
from policies.score import Standing, log_odds, probability

ADDRESSES_THE_MACHINE = "addresses_the_machine"
"""The rule of screening that notices texts which speak to whoever judges them. No model settles doubt about these."""


@dataclass(frozen=True)
class Fused:
    """Where a text stands once models were heard, what they said as signals, and whether they contradict each other."""

    standing: Standing
    signals: tuple[Signal, ...]
    contested: bool


def fuse(
    standing: Standing,
    text: Standing,
    signals: tuple[Signal, ...],
    opinions: tuple[Opinion, ...],
    policies: PolicySet,
) -> Fused:
    """Move the log-odds by what was said; `text` is where screening alone sees it, `signals` all but the models'.

    A policy moves by the mean of the votes of those who spoke of it, shrunk where they contradict each other: one model
    asked three times is not three witnesses. *Any* violation rises with the policy that rises most, and falls only as
    far as every suspected policy falls, so that clearing one suspicion never clears another.
    """
    if not opinions:
        return Fused(standing, (), contested=False)
    rules = policies.thresholds.agents
    votes = {policy: tuple(_votes(policy, opinions, policies)) for policy in Policy}
    suspected = {policy for policy in Policy if _spoken_of(policy, Reading.VIOLATES, opinions)}
    cleared = {policy for policy in Policy if _spoken_of(policy, Reading.FINE, opinions)}
    contested = suspected & cleared
    parts = {
        policy: (rules.disagreement if policy in contested else 1.0) / len(found)
        for policy, found in votes.items()
        if found
    }
    shifts = {policy: sum(votes[policy]) * part for policy, part in parts.items()}
    above = _above_the_floor(standing, text, signals, policies)
    said = []
    for opinion in opinions:
        policy = opinion.policy or max(REMIT[opinion.specialist], key=lambda p: standing.scores.get(p, 0.0))
        weight = policies.weight_of(opinion) * parts[policy]
        said.append(_signal(opinion, policy, weight))
    if above and any(shifts[policy] <= 0 for policy in cleared):
        said.append(_person_must_look())
    moved = _moved(standing, shifts, above=above, policies=policies)
    return Fused(moved, tuple(said), contested=bool(contested))


def _votes(policy: Policy, opinions: Iterable[Opinion], policies: PolicySet) -> Iterable[float]:
    """The log-odds that each opinion gives a policy."""
    return (policies.weight_of(opinion) for opinion in opinions if _speaks_of(opinion, policy))


def _speaks_of(opinion: Opinion, policy: Policy) -> bool:
    """Whether an opinion is about a policy: a violation about the one named, all else about the whole remit."""
    if opinion.reading is Reading.VIOLATES:
        return opinion.policy is policy
    return policy in REMIT[opinion.specialist]


def _spoken_of(policy: Policy, reading: Reading, opinions: Iterable[Opinion]) -> bool:
    """Whether any opinion reads a policy so, whatever its weight."""
    return any(opinion.reading is reading and _speaks_of(opinion, policy) for opinion in opinions)


def _above_the_floor(standing: Standing, text: Standing, signals: tuple[Signal, ...], policies: PolicySet) -> bool:
    """Whether rules or classifier flag the text: a violation likelier than not, a demand for a person, a policy whose
    route is fixed when merely possible, or a text that speaks to the machine."""
    flagged = policies.thresholds.agents.flagged_from
    for seen in (standing, text):
        if seen.any_violation >= flagged or any(score >= flagged for score in seen.scores.values()):
            return True
        if any(seen.scores.get(policy, 0.0) >= limit for policy, limit in policies.possible_at.items()):
            return True
    return any(signal.floor is not Floor.NONE or signal.name.endswith(ADDRESSES_THE_MACHINE) for signal in signals)


def _moved(standing: Standing, shifts: dict[Policy, float], *, above: bool, policies: PolicySet) -> Standing:
    """The new probabilities. Above the floor nothing falls below what is flagged, and nothing that is below it falls;
    a policy whose route is fixed when merely possible never falls."""
    flagged = policies.thresholds.agents.flagged_from

    def shifted(before: float, shift: float) -> float:
        if shift < 0 and above:
            return max(probability(log_odds(before) + shift), flagged) if before > flagged else before
        return probability(log_odds(before) + shift)

    lasting = {policy for policy in policies.possible_at if shifts.get(policy, 0.0) < 0}
    shifts = {policy: 0.0 if policy in lasting else shift for policy, shift in shifts.items()}
    scores = dict(standing.scores)
    for policy, shift in shifts.items():
        if policy in scores or shift > 0:
            scores[policy] = shifted(scores.get(policy, standing.any_violation), shift)
    change = max(shifts.values(), default=0.0)
    if change <= 0:
        suspected_from = policies.thresholds.agents.suspected_from
        suspected = {policy for policy, score in standing.scores.items() if score >= suspected_from}
        suspected |= {standing.top} if standing.top else set()
        change = max((shifts.get(policy, 0.0) for policy in suspected), default=0.0)
    return Standing(scores=scores, any_violation=shifted(standing.any_violation, change))


def _signal(opinion: Opinion, policy: Policy, weight: float) -> Signal:
    """The opinion as people see it among the other signals, with its share in what it moved."""
    words = {
        Reading.VIOLATES: "a language model reads a violation",
        Reading.FINE: "a language model reads it as fine",
        Reading.UNCLEAR: "a language model is not sure",
    }
    return Signal(
        name=f"agent.{opinion.specialist}",
        source=SignalSource.AGENT,
        policy=policy,
        value=opinion.certainty,
        weight=weight,
        reason=f"{words[opinion.reading]} ({opinion.certainty} of {MOST_CERTAIN}): {opinion.reasoning}",
        severity=opinion.severity,
        evidence=opinion.evidence,
    )


def _person_must_look() -> Signal:
    return Signal(
        name="agent.softens",
        source=SignalSource.AGENT,
        reason="a language model would let pass what was noticed here; that is for a person to judge",
        floor=Floor.REVIEW,
    )
