"""When a language model is asked about a text, whom of the specialists, and when it is worth asking again. Pure.

Where no model is configured, nobody calls this.
"""

from domain.assessment import Assessment
from domain.history import SubjectHistory
from domain.opinion import REMIT, AskReason, Consultation, Need, Specialist
from domain.vocabulary import Floor
from policies.consulting import When
from policies.decide import Trigger, decide
from policies.model import PolicySet


def why_ask(assessment: Assessment, history: SubjectHistory, policies: PolicySet, app_id: str) -> AskReason | None:
    """Why a model should be asked about what screening said, or None.

    `doubtful`: where policy would hand the case to people for doubt alone, or would act on a violation so severe that a
    second look is due. What demands a person anyway is not asked about: no model could change it (I4).
    """
    rules = policies.thresholds.agents
    when = rules.of(app_id).when
    if when is When.NEVER or assessment.unavailable:
        return None
    if when is When.ALWAYS:
        return AskReason.ALWAYS
    made = decide(assessment, history, policies, app_id)
    if made.trigger == Trigger.DOUBT:
        return AskReason.DOUBT
    severe = assessment.severity is not None and assessment.severity.rank >= rules.stakes_from.rank
    return AskReason.STAKES if made.trigger == Trigger.SURE_VIOLATION and severe else None


def whom_to_ask(assessment: Assessment, policies: PolicySet) -> tuple[Specialist, ...]:
    """The specialists of the policies that anything speaks for, likeliest first; always at least one.

    Anything: the score, what demands a look, and the verdict itself.
    """
    rules, scores = policies.thresholds.agents, assessment.scores
    demanded = {signal.policy for signal in assessment.signals if signal.floor is not Floor.NONE}
    suspected = {policy for policy, score in scores.items() if score >= rules.suspected_from}
    suspected |= {policy for policy in (assessment.policy, *demanded) if policy}
    if not suspected and scores:
        suspected = {max(scores, key=scores.__getitem__)}
    by_urgency = sorted(
        REMIT, key=lambda who: max((scores.get(p, 0.0) for p in REMIT[who] if p in suspected), default=-1.0)
    )
    chosen = [who for who in reversed(by_urgency) if suspected & set(REMIT[who])]
    return tuple(chosen[: rules.most_specialists]) or (Specialist.HARASSMENT_ANALYST,)


def worth_more_evidence(
    consultation: Consultation,
    assessment: Assessment,
    history: SubjectHistory,
    gathered: frozenset[Need],
    policies: PolicySet,
    app_id: str,
) -> frozenset[Need]:
    """What further evidence to gather before asking again; empty where it would not help, or rounds are used up.

    Only what specialists asked for and have not had, and only while doubt is all that keeps policy from deciding.
    """
    if consultation.rounds >= policies.thresholds.agents.most_rounds or consultation.missing:
        return frozenset()
    if assessment.unavailable or decide(assessment, history, policies, app_id).trigger != Trigger.DOUBT:
        return frozenset()
    wanted = {opinion.needs for opinion in consultation.opinions}
    return frozenset(wanted - {Need.NOTHING} - gathered)
