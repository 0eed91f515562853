"""From everything that was noticed to one opinion: which violation or none, how sure, how bad, and why.

Pure: asks nobody and stores nothing. What could not be consulted is carried along, never guessed at.
"""

from datetime import datetime

from domain.assessment import Assessment
from domain.content import Content
from domain.history import SameContent, SubjectHistory
from domain.memory import Precedent
from domain.opinion import Consultation
from domain.signals import Language, Screening, Signal
from domain.vocabulary import DecisionKind, Floor, Policy, Severity, SignalSource
from policies.decide import decide
from policies.explain import explain
from policies.fuse import fuse
from policies.model import PolicySet
from policies.passages import with_demands
from policies.score import Standing, stand
from policies.votes import circumstances, remembered

AROUND_THE_TEXT = frozenset({SignalSource.MEMORY, SignalSource.HISTORY, SignalSource.BEHAVIOUR})
"""Sources that speak of something other than the text alone."""

AGENTS = "agents"
"""What `unavailable` says where a language model was asked and no usable answer came."""

LARGEST_WEIGHT = 1_000.0
"""Log-odds beyond this, and whatever is not a number, are a fault of who gave them, and would drown every sum."""


def assess(
    *,
    screening: Screening | None,
    content: Content,
    history: SubjectHistory,
    same_content: SameContent | None,
    precedents: tuple[Precedent, ...],
    unavailable: tuple[str, ...],
    policies: PolicySet,
    now: datetime,
    consultation: Consultation | None = None,
) -> Assessment:
    """One assessment out of all signals; the probabilities are sums of log-odds (`score.stand`).

    `screening` None says that screening could not be reached: the assessment then knows nothing and says so in
    `unavailable`. A signal whose weight cannot be one (not a number, or absurdly large) loses its vote and is named
    there too. Memory adds its votes first; history and behaviour count only where the text alone is suspect
    (`votes.circumstances`). What language models said moves what all that amounts to, within the limits of `fuse`; a
    specialist of whom no usable answer came is unavailable like anything else. Risk is
    `min(confidence x severity weight, 1)`, 0 when clean.
    """
    if screening is None:
        return _not_screened(precedents, unavailable)
    signals, unusable = _usable(with_demands(screening.signals, policies))
    unavailable += unusable
    text = stand(s for s in signals if s.source not in AROUND_THE_TEXT and s.name not in unusable)
    signals += remembered(text, same_content=same_content, precedents=precedents, policies=policies)
    signals += circumstances(text, content=content, history=history, policies=policies, now=now)
    before = stand(s for s in signals if s.name not in unusable)
    opinions = consultation.opinions if consultation else ()
    fused = fuse(before, text, signals, opinions, policies)
    standing, seen = fused.standing, _verdict(before)[0]
    seen_severity = _severity(seen, screening, signals) if seen else None
    signals += fused.signals
    policy, confidence = _verdict(standing)
    severity = _severity(policy, screening, signals) if policy else None
    worse = policy is not None and (policy, severity) != (seen, seen_severity)
    if consultation and (fused.contested or worse):
        confidence = min(confidence, policies.thresholds.agents.ceiling)
    cap = _cap(policy, screening.language, policies)
    capped = confidence > cap
    confidence = min(confidence, cap)
    if consultation and consultation.missing:
        unavailable = (*unavailable, AGENTS)
    return Assessment(
        policy=policy,
        severity=severity,
        confidence=confidence,
        risk_score=_risk(policy, severity, confidence, policies),
        violation_probability=standing.any_violation,
        scores=standing.scores,
        floor=max((signal.floor for signal in signals), key=lambda floor: floor.rank, default=Floor.NONE),
        signals=signals,
        precedents=precedents,
        unavailable=unavailable,
        reasoning=explain(
            policy,
            severity,
            confidence,
            standing=standing,
            signals=signals,
            capped=capped,
            unavailable=unavailable,
            policies=policies,
        ),
        model=screening.model,
        consultation=consultation,
        opinion_weights={said.specialist: policies.weights_version(said) for said in opinions},
    )


def is_clear(assessment: Assessment, content: Content, policies: PolicySet) -> bool:
    """Whether screening alone settles it: content that would be approved, that nobody reported.

    What would be approved is what `decide` approves, so it is clean at `auto_approve`, without a floor, and holds
    nothing possible of a policy with a fixed route. Memory, history and agents need not be asked.
    """
    nothing_known = SubjectHistory(user_id=content.user_id)
    decision = decide(assessment, nothing_known, policies, content.app_id)
    return decision.kind is DecisionKind.APPROVED and not content.context.reported


def _not_screened(precedents: tuple[Precedent, ...], unavailable: tuple[str, ...]) -> Assessment:
    return Assessment(
        policy=None,
        severity=None,
        confidence=0.0,
        risk_score=0.0,
        violation_probability=0.5,
        scores={},
        floor=Floor.NONE,
        signals=(),
        precedents=precedents,
        unavailable=unavailable if "screening" in unavailable else (*unavailable, "screening"),
        reasoning="The text could not be screened, so nothing is known of it yet; a person must read it.",
        model=None,
    )


def _usable(signals: tuple[Signal, ...]) -> tuple[tuple[Signal, ...], tuple[str, ...]]:
    """The signals, those with impossible weights silenced, and the names of those silenced."""
    unusable = tuple(dict.fromkeys(s.name for s in signals if not abs(s.weight) <= LARGEST_WEIGHT))
    if not unusable:
        return signals, ()
    silenced = tuple(
        s if abs(s.weight) <= LARGEST_WEIGHT else s.model_copy(update={"weight": 0.0, "value": 0.0}) for s in signals
    )
    return silenced, unusable


def _cap(policy: Policy | None, language: Language, policies: PolicySet) -> float:
    """The most that a verdict can be sure of in this language."""
    evidence = policies.thresholds.evidence
    if not language.competent:
        return evidence.incompetent_language_cap
    reviewed = language.code is None or language.code in evidence.reviewed_languages
    return 1.0 if reviewed or policy is None else evidence.unreviewed_violation_cap


def _verdict(standing: Standing) -> tuple[Policy | None, float]:
    """Violation or clean, and the probability that this is right.

    Where a violation is likelier than not but no single policy is, the likeliest is named with its own low
    probability, so that people see it.
    """
    top = standing.top
    highest = standing.scores[top] if top else 0.0
    if top and (highest >= 0.5 or standing.any_violation >= 0.5):
        return top, highest
    return None, 1.0 - max(standing.any_violation, highest)


def _severity(policy: Policy, screening: Screening, signals: tuple[Signal, ...]) -> Severity | None:
    """The model's opinion, raised to what the signals of the policy imply; None where nobody has one.

    A mere claim (an agent's signal without weight) raises nothing.
    """
    implied = [
        signal.severity
        for signal in signals
        if signal.policy is policy and signal.severity and (signal.weight > 0 or signal.source is SignalSource.RULE)
    ]
    opinion = screening.severities.get(policy)
    return max([*implied, *([opinion] if opinion else [])], key=lambda severity: severity.rank, default=None)


def _risk(policy: Policy | None, severity: Severity | None, confidence: float, policies: PolicySet) -> float:
    """Risk in [0, 1]; a violation of unknown severity is taken for the worst, to be looked at first."""
    if policy is None:
        return 0.0
    return min(confidence * policies.thresholds.severity_weights.of(severity or Severity.CRITICAL), 1.0)
